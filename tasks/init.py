"""From nothing to a profile whose host is known, and to what doctor says of it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import errors
from ..config.settings import SPECS
from ._host.command import Call, command
from ._host.interrupts import signals_raise
from ._show.prompt import typed
from ._show.report import tell
from ._show.stream import is_terminal

if TYPE_CHECKING:
    from typing import Any

    from invoke.context import Context

    from ..config.settings import Settings
    from ..remote import HostKey
    from ._doctor.findings import Finding

_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")


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
    from ..remote.signals import heeded_signals
    from ._doctor.diagnosing import diagnosed
    from ._init.answers import answered
    from ._show.github import failures_told

    with failures_told(), signals_raise(*heeded_signals()):
        values = answered(given, Path.cwd(), fingerprint, overwrite=overwrite)
        profile = values.pop("PREDEPLOY_HOST")
        caller = _caller(call.context, profile)
        settings = _write(caller, profile, values, fingerprint)
        _tell_secrets(settings)
        tell(f"\nfab -H {profile} doctor")
        return diagnosed(caller, {})


def _caller(c: Context, profile: str) -> Any:
    """As if fab had been called with -H for the profile that is about to be."""
    from fabric import Connection

    from ..remote import config_of

    return Connection(profile, config=config_of(c))


def _write(caller: Any, profile: str, values: dict[str, str], fingerprint: str | None) -> Settings:
    """Everything is asked and checked before anything is written."""
    from ..config import project
    from ..config.loading import load
    from ..remote import host_keys

    here = Path.cwd()
    values = {**values, **_project(here)}
    draft = project.profile_text(profile, values)
    settings = load(profile, values, draft=draft)
    lines = host_keys(settings, caller, lambda key: _approve(key, fingerprint))
    values["SSH_KNOWN_HOSTS"] = "\n".join(lines)
    draft = project.profile_text(profile, values)
    load(profile, values, draft=draft)
    path = project.profile_path(here, profile)
    project.write(path, draft)
    tell(f"wrote {path.relative_to(here)}: commit it")
    if project.ignore_dotenv(here):
        tell("added .env to .gitignore: that is where secrets may stand for work by hand")
    _provide_fabfile(here)
    return settings


def _project(here: Path) -> Mapping[str, str]:
    from ..config.project import project_name

    name = project_name(here)
    return {"BACKUP_PROJECT": name} if name else {}


def _provide_fabfile(here: Path) -> None:
    from ..config import project

    there = project.fabfile(here)
    if there is None:
        project.write(here / "fabfile.py", project.FABFILE)
        tell("wrote fabfile.py: it makes these commands yours")
    elif "fabric_predeploy" not in there.read_text(encoding="utf-8", errors="replace"):
        tell(f"{there} is yours, so add this line: {project.FABFILE.strip()}")


def _approve(key: HostKey, fingerprint: str | None) -> None:
    """Raise HostError (3) for another key than the one expected; RefusedError (14) for no word."""
    shown = f"{key.family.upper()} {key.fingerprint}"
    if key.fingerprint == fingerprint or (key.jump and key.place):
        tell(f"the host key of {key.where} is {shown}, as expected")
        return
    if fingerprint and not key.jump:
        raise errors.HostError(
            f"the host key of {key.where} is {shown}, and not {fingerprint}: nothing was written",
            remedy=(
                "ask whoever runs the host for its fingerprint; someone may be between you and it."
            ),
        )
    compare = f"ssh-keygen -lf /etc/ssh/ssh_host_{key.family}_key.pub"
    if not is_terminal(sys.stdin):
        raise errors.RefusedError(
            f"the host key of {key.where} is {shown}, which nobody has"
            " confirmed; nothing was written",
            remedy=(
                f"compare it, logged in there or in the hoster's panel: {compare}\n"
                f"  Only if they are equal, give --fingerprint={key.fingerprint}"
            ),
        )
    known = f"  known already, by {key.place}\n" if key.place else ""
    tell(
        f"\nThe host key of {key.where} is {shown}\n{known}"
        f"Compare it with what the host says, logged in there or in the hoster's panel:\n"
        f"  {compare}"
    )
    answer = typed("Type yes if they are equal: ")
    while answer not in ("yes", "no", None):
        answer = typed("Type yes or no: ")
    if answer != "yes":
        raise errors.RefusedError(
            f"the host key of {key.where} is not confirmed; nothing was written",
            remedy=("compare it first; whoever runs the host can tell you its fingerprint."),
        )


def _tell_secrets(settings: Settings) -> None:
    there = [f"~/.ssh/{name}" for name in _KEYS if Path(f"~/.ssh/{name}").expanduser().exists()]
    key = (there or [f"~/.ssh/{_KEYS[0]}"])[0]
    if settings.ssh_key_file:
        key = shlex.quote(str(settings.ssh_key_file))
    tell(
        "\nSecrets for CI, which no profile holds; with GitHub (the second asks for it):\n"
        f"  gh secret set SSH_PRIVATE_KEY < {key}\n"
        "  gh secret set DB_PASSWORD\n"
        f"with GitLab: glab variable set --raw SSH_PRIVATE_KEY < {key}"
        " and, with --masked, DB_PASSWORD\n"
        "For work by hand: DB_PASSWORD='…' in .env. Or leave the password to the host's ~/.pgpass."
    )
