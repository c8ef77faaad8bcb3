"""What happens on the host: what tasks may use of it, beside the modules without underscore.

All of it is imported once it is used, as `fab --list` uses next to nothing.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import recipes as recipes
    from ._door.attending import run as run
    from ._door.line import Line as Line
    from ._door.report import Report as Report
    from ._door.script import Step as Step
    from ._ssh.examination import Examination as Examination
    from ._ssh.examination import HostKey as HostKey
    from ._ssh.examination import Seen as Seen
    from ._ssh.examination import examine as examine
    from ._ssh.examination import host_keys as host_keys
    from ._ssh.link import Link as Link
    from ._ssh.match_exec import guard_match_exec as guard_match_exec
    from ._ssh.route import config_of as config_of

_INTERFACE = {
    "Step": "_door.script",
    "run": "_door.attending",
    "Link": "_ssh.link",
    "examine": "_ssh.examination",
    "host_keys": "_ssh.examination",
    "config_of": "_ssh.route",
    "guard_match_exec": "_ssh.match_exec",
}


class _WhenUsed(ModuleType):
    """Imported once something of it is asked for.

    Not by importlib's LazyLoader: of threads that ask at once, all but one find its module empty.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


def __getattr__(name: str) -> Any:
    """Every task names `recipes`, and `fab --list` runs none."""
    if name == "recipes":
        return _WhenUsed(f"{__name__}.{name}")
    if name in _INTERFACE:
        return getattr(import_module(f".{_INTERFACE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
