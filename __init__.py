"""Pre-deployment PostgreSQL backups over SSH that one can really roll back to."""
