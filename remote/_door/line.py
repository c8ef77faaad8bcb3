"""The ways to a host, and commands on them."""

from contextlib import AbstractContextManager
from typing import Protocol


class Input(Protocol):
    """`send` takes what it can take at once, and returns how many bytes; OSError: nobody reads."""

    def send(self, data: memoryview) -> int: ...

    def end_input(self) -> None: ...


class Channel(Input, Protocol):
    """A command on a host, that was just begun.

    `receive` waits so long for something to come, and returns a piece of stdout and of stderr.
    `has_ended` says that both have come to their end. `exit_code` is None until it is known, and
    LOST if it never will be.
    """

    def receive(self, seconds: float) -> tuple[bytes, bytes]: ...

    @property
    def has_ended(self) -> bool: ...

    @property
    def exit_code(self) -> int | None: ...

    def close(self) -> None: ...


class Line(Protocol):
    """A way to a host, over which commands begin, and which can be made anew."""

    @property
    def run_seconds(self) -> float | None:
        """How long a run may take, by fab's -T."""

    @property
    def begin_seconds(self) -> float:
        """How long the host's shell may take to begin our script."""

    def begin(self, command: str) -> Channel:
        """Raise OSError or EOFError where the connection is lost."""

    def ask(self) -> None:
        """Give the connection up unless the host answers soon."""

    def ready(self) -> object: ...

    def renew(self) -> object: ...

    def is_lost(self) -> bool: ...

    def watched(self) -> AbstractContextManager[None]: ...
