"""Predeploy beside what one would type by hand, measured in turns (`make bench`)."""
