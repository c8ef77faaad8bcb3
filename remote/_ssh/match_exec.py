"""Paramiko's own reading of ssh_config, which Fabric asks for, made safe."""

from types import SimpleNamespace
from typing import Any, Final

import invoke
import paramiko
import paramiko.config

from ...config.machine import environment_without_secrets

_lookup_of_paramiko: Final = paramiko.SSHConfig.lookup
NO_DOMAINS: Final = {"host": ["*"], "config": {"canonicaldomains": ""}}


def guard_match_exec() -> None:
    """Paramiko asks invoke to run what `Match exec` names, wherever ssh_config is looked up.

    Fabric does that for -H before any of our tasks begins: so this is done when tasks are imported.
    """
    paramiko.config.invoke = SimpleNamespace(run=run)
    paramiko.SSHConfig.lookup = _lookup


def _lookup(config: Any, hostname: str) -> Any:
    """Paramiko fails where CanonicalizeHostname stands without domains, for which ssh has none."""
    try:
        return _lookup_of_paramiko(config, hostname)
    except KeyError:
        config._config.append(NO_DOMAINS)  # noqa: SLF001 - a block behind all others
        return _lookup_of_paramiko(config, hostname)


def run(command: str, **options: Any) -> Any:
    return invoke.run(command, env=environment_without_secrets(), replace_env=True, **options)
