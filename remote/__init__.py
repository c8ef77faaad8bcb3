"""What happens on the host: the connection, the one door, and the steps."""

from importlib import import_module
from types import ModuleType
from typing import Any


class _WhenUsed(ModuleType):
    """Imported once something of it is asked for.

    Not by importlib's LazyLoader: of threads that ask at once, all but one find its module empty.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


def __getattr__(name: str) -> ModuleType:
    """Every task names `steps`, and `fab --list` runs none."""
    if name != "steps":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _WhenUsed(f"{__name__}.{name}")
