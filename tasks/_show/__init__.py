"""All that is printed, and what is asked of a person."""
