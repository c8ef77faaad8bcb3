"""What happens on the host: the connection, the one door, and one *.sh file per step."""
