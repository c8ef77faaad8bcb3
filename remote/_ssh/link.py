"""A connection that is looked after, and made anew when it has been lost."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import fabric
from invoke.context import Context

from ...config.settings import Settings
from ..signals import awaited, held_back
from .channel import SshChannel, await_sign_of_life, is_alive
from .connection import connect

ASK_EVERY_SECONDS: Final = 5
PATIENCE_SECONDS: Final = 10
_SETTLE_SECONDS: Final = 0.5


class Link:
    """Raise HostError or ConfigurationError as `connect` does."""

    def __init__(self, settings: Settings, caller: Context) -> None:
        self._settings, self._caller = settings, caller
        self.connection = connect(settings, caller)

    def ready(self) -> fabric.Connection:
        """Fabric would connect again by itself, and tell in a traceback why it cannot."""
        return self.connection if is_alive(self.connection) else self.renew()

    def renew(self) -> fabric.Connection:
        self.connection = connect(self._settings, self._caller)
        return self.connection

    def is_lost(self) -> bool:
        """A command may hear of the end of its connection a moment before we do."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while is_alive(self.connection) and time.monotonic() < deadline:
            time.sleep(0.02)
        return not is_alive(self.connection)

    @property
    def run_seconds(self) -> float | None:
        limit = self.connection.config.timeouts.command
        return None if limit is None else float(limit)

    @property
    def begin_seconds(self) -> float:
        return self._settings.shell_timeout_seconds

    def begin(self, command: str) -> SshChannel:
        return SshChannel(self.connection, command)

    def ask(self) -> None:
        """Give it up unless it answers soon."""
        connection = self.connection
        if is_alive(connection):
            awaited(partial(_give_up_unless_alive, connection), connection.transport.close)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Give the connection up when the host falls silent: a dead link does not tell of itself.

        Not while much is sent: the answers would come late.
        """
        over = threading.Event()
        with held_back():
            threading.Thread(target=_watch, args=(self.connection, over), daemon=True).start()
        try:
            yield
        finally:
            over.set()


def _watch(connection: fabric.Connection, over: threading.Event) -> None:
    await_sign_of_life(connection)  # of one that never answers, silence is no sign
    while not over.wait(ASK_EVERY_SECONDS) and is_alive(connection):
        _give_up_unless_alive(connection)


def _give_up_unless_alive(connection: fabric.Connection) -> None:
    giving_up = threading.Timer(PATIENCE_SECONDS, connection.transport.close)
    giving_up.daemon = True
    giving_up.start()
    await_sign_of_life(connection)
    giving_up.cancel()
