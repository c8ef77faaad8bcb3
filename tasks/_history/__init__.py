"""What history needs."""
