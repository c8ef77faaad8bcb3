"""This machine as a host: the steps run here as they would there, with no connection to lose."""

import os
import pwd
import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from invoke.config import Config
from invoke.context import Context
from invoke.runners import Local

from ..config.machine import harmless_environment

SHELL = "/bin/sh"


def account() -> pwd.struct_passwd | None:
    """As whom: PostgreSQL's server refuses root, and initdb a number without a name."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


class Here:
    """Stands in for a link. `like` is the context whose limits of time hold here too."""

    def __init__(self, directory: Path, like: Context) -> None:
        kept = {"runners": {"local": _in(directory)}, "timeouts": dict(like.config.timeouts)}
        self.connection = Context(Config(overrides=kept))

    def ready(self) -> Context:
        return self.connection

    def renew(self) -> Context:
        return self.connection

    def is_lost(self) -> bool:
        return False

    def watched(self) -> AbstractContextManager[None]:
        return nullcontext()


def _in(directory: Path) -> type[Local]:
    class Runner(Local):
        def start(self, command: str, shell: str, env: Mapping[str, str]) -> None:  # noqa: ARG002
            """In a session of its own: of a Ctrl-C it hears from us, as a host would."""
            self.process = subprocess.Popen(
                [SHELL, "-c", command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=directory,
                env=harmless_environment(directory),
                start_new_session=True,
                **_identity(),
            )

    return Runner


def _identity() -> dict[str, Any]:
    who = account()
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if who else {}
