"""What a command does with a host: its session, its signals, the archive that is meant."""
