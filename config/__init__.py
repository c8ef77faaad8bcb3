"""What is known: Settings, profiles, and the errors."""

from .loading import load
from .settings import Settings

__all__ = ["Settings", "load"]
