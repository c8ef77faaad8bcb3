"""What doctor needs."""
