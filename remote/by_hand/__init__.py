"""The script that runs on the host without a client."""
