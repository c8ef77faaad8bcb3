"""What is known: Settings, profiles, and the errors."""
