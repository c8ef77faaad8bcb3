"""This machine as a host: the steps run here as they would there, with no connection to lose."""

import os
import pwd
import selectors
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from ...config.machine import harmless_environment
from .._door.line import Line
from . import confinement

SHELL: Final = "/bin/sh"
CHUNK_BYTES: Final = 64 * 1024
_TRY_SECONDS: Final = 20
# What a test restore does before all else, in little.
_TRY = """set -e
for program in initdb postgres pg_restore psql; do "$0/$program" --version; done
mkdir "$HOME/tried" && : >"$HOME/tried/file" && rm -r "$HOME/tried"
sed -n 1p /dev/null && grep root /etc/passwd && df -Pk . && id && date && mktemp -u
"""


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

    def __init__(self, room: "Room", like: Line) -> None:
        self.run_seconds, self.begin_seconds = like.run_seconds, like.begin_seconds
        self._room = room

    def begin(self, command: str) -> LocalChannel:
        return LocalChannel(self._room.start([SHELL, "-c", command]))

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


@dataclass(frozen=True)
class Room:
    """Where steps run here: in that directory, and shut in, if it is known what they may read."""

    directory: Path
    may_read: Sequence[Path] = ()

    def start(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        if not self.may_read:
            return self._open(command, {})
        places = {
            "PATH": confinement.path([*self.may_read, self.directory]),
            "TMPDIR": str(self.directory),
        }
        return confinement.started(
            lambda: self._open(command, places),
            may_read=self.may_read,
            may_change=self.directory,
        )

    def _open(self, command: Sequence[str], places: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """In a session of its own: of a Ctrl-C it hears from us, as a host would."""
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.directory,
            env={**harmless_environment(self.directory), **places},
            start_new_session=True,
            **_identity(),
        )


def room(directory: Path, programs: Path) -> Room:
    """Shut in where the kernel can do that, and PostgreSQL's programs there run all the same."""
    shut_in = Room(directory, confinement.readable(programs))
    try:
        with shut_in.start([SHELL, "-c", _TRY, str(programs)]) as trying:
            try:
                trying.communicate(timeout=_TRY_SECONDS)
            except subprocess.TimeoutExpired:
                trying.kill()
    except OSError:
        return Room(directory)
    return Room(directory) if trying.returncode else shut_in


def _identity() -> dict[str, Any]:
    who = account()
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if who else {}
