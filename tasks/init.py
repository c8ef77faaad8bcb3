"""From nothing to a profile whose host is known, and to what doctor says of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..config.settings import SPECS
from ._host.command import Call, command
from ._show.report import tell

if TYPE_CHECKING:
    from typing import Any

    from invoke.context import Context

    from ._doctor.findings import Finding


@command(
    name="name of the profile, as in fab -H <name>",
    host="host name, address, or an alias of ssh_config",
    port="SSH port; default: 22, or what ssh_config says",
    user="user there; default: yours, or what ssh_config says",
    database="name of the database",
    db_user="its owner, who dumps and restores",
    db_host=f"where it is, as seen from the host; default {SPECS['db_host'].default}",
    db_port=f"and its port; default {SPECS['db_port'].default}",
    fingerprint="SHA256:… of the host's key, where nobody can be asked",
    overwrite="a profile of that name that is there",
)
def init(
    call: Call,
    name: str | None = None,
    host: str | None = None,
    port: str | None = None,
    user: str | None = None,
    database: str | None = None,
    db_user: str | None = None,
    db_host: str | None = None,
    db_port: str | None = None,
    fingerprint: str | None = None,
    overwrite: bool = False,
) -> list[Finding]:
    """Write the profile of a new host, and let doctor look at it."""
    from ..remote.signals import heeded_signals, signals_raise
    from ._doctor.diagnosing import diagnosed
    from ._init.answers import answered
    from ._init.writing import tell_secrets, written
    from ._show.github import failures_told

    given = {
        "PREDEPLOY_HOST": name or getattr(call.context, "original_host", None),
        "SSH_HOST": host,
        "SSH_PORT": port,
        "SSH_USER": user,
        "DB_NAME": database,
        "DB_USER": db_user,
        "DB_HOST": db_host,
        "DB_PORT": db_port,
    }
    with failures_told(), signals_raise(*heeded_signals()):
        values = answered(given, Path.cwd(), fingerprint, overwrite=overwrite)
        profile = values.pop("PREDEPLOY_HOST")
        caller = _caller(call.context, profile)
        settings = written(caller, profile, values, fingerprint)
        tell_secrets(settings)
        tell(f"\nfab -H {profile} doctor")
        return diagnosed(caller, {})


def _caller(c: Context, profile: str) -> Any:
    """As if fab had been called with -H for the profile that is about to be."""
    from fabric import Connection

    from ..remote import config_of

    return Connection(profile, config=config_of(c))
