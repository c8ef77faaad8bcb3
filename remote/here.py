"""This machine as a host: the steps run here as they would there, with no connection to lose."""

import os
import pwd
import selectors
import subprocess
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import IO, Any, Final

from ..config.machine import harmless_environment
from .shell import Line

SHELL: Final = "/bin/sh"
CHUNK_BYTES: Final = 64 * 1024


def account() -> pwd.struct_passwd | None:
    """As whom: PostgreSQL's server refuses root, and initdb a number without a name."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


class LocalChannel:
    """A command on this machine. See exchange.Channel."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._open = selectors.DefaultSelector()
        for number, stream in enumerate((process.stdout, process.stderr)):
            self._open.register(_there(stream), selectors.EVENT_READ, number)
        os.set_blocking(_there(process.stdin).fileno(), False)

    def receive(self, seconds: float) -> tuple[bytes, bytes]:
        if self.has_ended:
            time.sleep(seconds)
            return b"", b""
        came = [b"", b""]
        for key, _ in self._open.select(seconds):
            came[key.data] = os.read(key.fd, CHUNK_BYTES)
            if not came[key.data]:
                self._open.unregister(key.fileobj)
        return came[0], came[1]

    def send(self, data: memoryview) -> int:
        try:
            return os.write(_there(self._process.stdin).fileno(), data)
        except BlockingIOError:
            return 0

    def end_input(self) -> None:
        _there(self._process.stdin).close()

    @property
    def has_ended(self) -> bool:
        return not self._open.get_map()

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def close(self) -> None:
        """What still runs finds its stdin at its end, as on a host whose client has gone."""
        self._open.close()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with suppress(OSError):
                _there(stream).close()


def _there(stream: "IO[bytes] | None") -> "IO[bytes]":
    if stream is None:
        raise ValueError("the process was started without this pipe")
    return stream


class Here:
    """Stands in for a link. `like` is the line whose limits of time hold here too."""

    def __init__(self, directory: Path, like: Line) -> None:
        self.run_seconds, self.begin_seconds = like.run_seconds, like.begin_seconds
        self._directory = directory

    def begin(self, command: str) -> LocalChannel:
        """In a session of its own: of a Ctrl-C it hears from us, as a host would."""
        process = subprocess.Popen(
            [SHELL, "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=self._directory,
            env=harmless_environment(self._directory),
            start_new_session=True,
            **_identity(),
        )
        return LocalChannel(process)

    def ready(self) -> None:
        pass

    def renew(self) -> None:
        pass

    def ask(self) -> None:
        pass

    def is_lost(self) -> bool:
        return False

    def watched(self) -> AbstractContextManager[None]:
        return nullcontext()


def _identity() -> dict[str, Any]:
    who = account()
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if who else {}
