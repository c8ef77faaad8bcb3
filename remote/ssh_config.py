"""What ssh_config has started on this machine, and what it may ask for: no secret of ours."""

import shlex
import subprocess
from types import SimpleNamespace
from typing import Any

import invoke
import paramiko
import paramiko.config

from ..config.machine import environment_without_secrets


class Proxy(paramiko.ProxyCommand):  # type: ignore[misc]  # paramiko has no types
    """Paramiko's own inherits the whole environment."""

    def __init__(self, command: str) -> None:
        self.cmd = shlex.split(command)
        self.process = subprocess.Popen(
            self.cmd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment_without_secrets(),
        )
        self.timeout = None


def proxy(host: str, command: str) -> Proxy:
    """Start a ProxyCommand, whose tokens are replaced as Fabric does."""
    config = paramiko.SSHConfig.from_text(f"Host {host}\n    ProxyCommand {command}")
    return Proxy(config.lookup(host)["proxycommand"])


def guard_match_exec() -> None:
    """Paramiko asks invoke to run what `Match exec` names, wherever ssh_config is looked up.

    Fabric does that for -H before any of our tasks begins: so this is done when tasks are imported.
    """
    paramiko.config.invoke = SimpleNamespace(run=_run)


def _run(command: str, **options: Any) -> Any:
    return invoke.run(command, env=environment_without_secrets(), replace_env=True, **options)
