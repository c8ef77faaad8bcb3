"""A ProxyCommand of ssh_config, which runs on this machine and gets no secret of ours."""

import os
import select
import subprocess
from contextlib import suppress
from typing import Any, Final

import paramiko

from ...config.machine import environment_without_secrets

_LONGEST: Final = 500
_END_SECONDS: Final = 0.5


class Proxy(paramiko.ProxyCommand):  # type: ignore[misc]  # paramiko has no types
    """Paramiko's own inherits the whole environment, and has no shell: `2>/dev/null` is a word."""

    def __init__(self, command: str) -> None:
        self.cmd = ["/bin/sh", "-c", f"exec {command}"]
        self.process = subprocess.Popen(
            self.cmd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment_without_secrets(),
        )
        self.timeout: float | None = None

    def recv(self, size: int) -> bytes:
        """Paramiko's own waits for ever for more from a command that has ended."""
        out: Any = self.process.stdout
        ready, _, _ = select.select([out], [], [], self.timeout)
        if not ready:
            raise TimeoutError
        data = os.read(out.fileno(), size)
        if not data:  # it may still have to say why, and whoever hears of the end terminates it
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_END_SECONDS)
        return data

    def close(self) -> None:
        self.process.terminate()

    def complaint(self) -> str:
        """Return what a command that has ended says of itself, and "" of one that runs."""
        with suppress(subprocess.TimeoutExpired):
            code = self.process.wait(_END_SECONDS)
            err: Any = self.process.stderr
            os.set_blocking(err.fileno(), False)
            said = (err.read() or b"").decode(errors="replace")
            return " ".join(said.split())[-_LONGEST:] or f"it ended with exit code {code}"
        return ""
