"""A command on a host, over a connection that is open."""

import selectors
import time
from contextlib import suppress
from typing import Final

import fabric

from .._door.report import LOST
from .transport import FAILURES

CHUNK_BYTES: Final = 64 * 1024


def is_alive(connection: fabric.Connection) -> bool:
    transport = connection.transport
    return bool(transport and transport.is_active() and transport.is_authenticated())


def await_sign_of_life(connection: fabric.Connection) -> None:
    """Return when the host has answered: that it does not know this request is an answer, too."""
    with suppress(*FAILURES):
        connection.transport.global_request("keepalive@openssh.com", wait=True)


class SshChannel:
    """A command on a host. See exchange.Channel; only one thread may use it."""

    def __init__(self, connection: fabric.Connection, command: str) -> None:
        """Raise ConnectionResetError where the connection is lost."""
        try:
            self._channel = connection.transport.open_session()
            self._channel.exec_command(command)
        except FAILURES as failure:
            if is_alive(connection):
                raise
            raise ConnectionResetError(str(failure)) from None
        self._channel.settimeout(0.0)
        self._is_broken = False
        self._came = selectors.DefaultSelector()
        self._came.register(self._channel.fileno(), selectors.EVENT_READ)

    def receive(self, seconds: float) -> tuple[bytes, bytes]:
        if self.has_ended:
            time.sleep(seconds)
            return b"", b""
        if not self._is_there:
            self._came.select(seconds)
        try:
            out = self._channel.recv(CHUNK_BYTES) if self._channel.recv_ready() else b""
            err = b""
            if self._channel.recv_stderr_ready():
                err = self._channel.recv_stderr(CHUNK_BYTES)
        except FAILURES:
            # Paramiko had read a piece when it met the end of the connection, and the piece is
            # gone. What may still be there comes after it, so nothing more is read.
            self._is_broken = True
            return b"", b""
        return out, err

    @property
    def _is_there(self) -> bool:
        if self._is_broken:
            return False
        return bool(self._channel.recv_ready() or self._channel.recv_stderr_ready())

    def send(self, data: memoryview) -> int:
        with suppress(TimeoutError):  # the host takes no more at the moment
            return int(self._channel.send(bytes(data[:CHUNK_BYTES])))
        return 0

    def end_input(self) -> None:
        self._channel.shutdown_write()

    @property
    def has_ended(self) -> bool:
        ended = self._is_broken or self._channel.closed or self._channel.eof_received
        return bool(ended) and not self._is_there

    @property
    def exit_code(self) -> int | None:
        if self._is_broken:
            return LOST
        return self._channel.recv_exit_status() if self._channel.exit_status_ready() else None

    def close(self) -> None:
        self._came.close()
        with suppress(*FAILURES):
            self._channel.close()
