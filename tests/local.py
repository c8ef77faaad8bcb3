"""A way to this machine, in place of one to a host: what runs there runs here."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from fabric_predeploy.remote._door import contract, hearing, script
from fabric_predeploy.remote.facts import Fact
from fabric_predeploy.remote.here.local_host import LocalChannel

PASSWORD = "secret"


class LocalLine:
    """Commands run in bash, as after an rc file of that text."""

    run_seconds: float | None = None

    def __init__(
        self,
        rc: str = "",
        environment: Mapping[str, str] | None = None,
        begin_seconds: float = 30,
        shell: str = "/bin/bash",
    ) -> None:
        self.rc, self.environment = rc, environment
        self.begin_seconds, self.shell = begin_seconds, shell

    def begin(self, command: str) -> LocalChannel:
        process = subprocess.Popen(
            [self.shell, "-c", f"{self.rc}\n{command}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=Path.cwd(),
            env=self.environment,
        )
        return LocalChannel(process)

    def ask(self) -> None:
        pass


def whole_script(several: Sequence[script.Step], variables: Mapping[str, str]) -> str:
    """All of a run, as if it fitted into its command; `variables` has the fence, too."""
    door = {"fence": variables["fence"], "rest_bytes": "0"}
    text = script.script(several, variables)
    return "\n".join([*script.assignments(door), contract.source("door.sh"), text])


def answer(password: str = PASSWORD) -> str:
    """What a client sends once it has seen the fence."""
    return f"DB_PASSWORD={password}\n\n"


def read_facts(text: str, fence: str) -> Mapping[str, Sequence[Fact]]:
    heard = hearing.Hearing(fence)
    heard.hear(text.encode())
    return heard.facts
