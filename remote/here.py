"""This machine as a host: the steps run here as they would there, with no connection to lose."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invoke.config import Config
from invoke.context import Context
from invoke.runners import Local

from ..config.machine import harmless_environment
from . import confinement

SHELL = "/bin/sh"
_TRY_SECONDS = 20
# What a test restore does before all else, in little.
_TRY = """set -e
for program in initdb postgres pg_restore psql; do "$0/$program" --version; done
mkdir "$HOME/tried" && : >"$HOME/tried/file" && rm -r "$HOME/tried"
sed -n 1p /dev/null && grep root /etc/passwd && df -Pk . && id && date && mktemp -u
"""


def account() -> pwd.struct_passwd | None:
    """As whom: PostgreSQL's server refuses root, and initdb a number without a name."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


class Here:
    """Stands in for a link. `like` is the context whose limits of time hold here too."""

    def __init__(self, room: "Room", like: Context) -> None:
        kept = {"runners": {"local": _in(room)}, "timeouts": dict(like.config.timeouts)}
        self.connection = Context(Config(overrides=kept))

    def ready(self) -> Context:
        return self.connection

    def renew(self) -> Context:
        return self.connection

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
            return self._open(command, harmless_environment(self.directory))
        environment = {
            **harmless_environment(self.directory),
            "PATH": confinement.path([*self.may_read, self.directory]),
            "TMPDIR": str(self.directory),
        }
        return confinement.started(
            lambda: self._open(command, environment),
            may_read=self.may_read,
            may_change=self.directory,
        )

    def _open(
        self, command: Sequence[str], environment: Mapping[str, str]
    ) -> "subprocess.Popen[bytes]":
        """In a session of its own: of a Ctrl-C it hears from us, as a host would."""
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.directory,
            env=environment,
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


def _in(room: Room) -> type[Local]:
    class Runner(Local):
        def start(self, command: str, shell: str, env: Mapping[str, str]) -> None:  # noqa: ARG002
            self.process = room.start([SHELL, "-c", command])

    return Runner


def _identity() -> dict[str, Any]:
    who = account()
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if who else {}
