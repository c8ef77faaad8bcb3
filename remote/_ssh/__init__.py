"""The way to a host: nothing else names paramiko."""
