"""What init needs."""
