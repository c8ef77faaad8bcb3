"""A throwaway host for the demo, the tests and the bench: PostgreSQL and an SSH server."""
