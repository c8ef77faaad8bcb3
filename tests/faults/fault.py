"""A row of the table of faults."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from tests.faults.scene import Run, Scene

KILLED = -9


@contextmanager
def nothing(_scene: Scene) -> Iterator[None]:
    """For a fault that comes in the midst of a run."""
    yield


@dataclass(frozen=True)
class Fault:
    """`inject` surrounds the run, and heals after it; the settings are set back anyhow.

    `during` is called with the run at work. `where` surrounds all runs, also the next: a host of
    another kind. `says` is a pattern of what must be told, and what it finds stands in the table.
    Of a fault that is survived, 0 is the code.
    """

    name: str
    group: str
    codes: tuple[int, ...]
    says: str
    inject: Callable[[Scene], AbstractContextManager[None]] = nothing
    where: Callable[[Scene], AbstractContextManager[None]] = nothing
    during: Callable[[Scene, Run], None] | None = None
    command: tuple[str, ...] = ("predeploy", "--version=v2.0.0")
    arguments: tuple[str, ...] = ()
    harms: int = 0  # so many of the earlier archives, the newest, are what the fault is about
    rotates: int = 0  # so many of the earlier archives, the oldest, may go by rotation
    unrecorded: bool = False  # the host cannot even record that there was a run
    rare: bool = False  # much like a row beside it: `make thorough` and `make faults` try it
    needs: tuple[str, ...] = ()  # programs of this machine, or "root"
