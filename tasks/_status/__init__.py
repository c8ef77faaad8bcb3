"""What status needs."""
