"""What init writes into a project, and what it says of the secrets, which it does not write."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ...config import project
from ...config.loading import load
from ...remote import host_keys
from .._show.report import tell
from .approval import approve

if TYPE_CHECKING:
    from typing import Any

    from ...config.settings import Settings

_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")


def written(caller: Any, profile: str, values: dict[str, str], fingerprint: str | None) -> Settings:
    """Everything is asked and checked before anything is written."""
    here = Path.cwd()
    if name := project.project_name(here):
        values = {**values, "BACKUP_PROJECT": name}
    draft = project.profile_text(profile, values)
    settings = load(profile, values, draft=draft)
    lines = host_keys(settings, caller, lambda key: approve(key, fingerprint))
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


def _provide_fabfile(here: Path) -> None:
    there = project.fabfile(here)
    if there is None:
        project.write(here / "fabfile.py", project.FABFILE)
        tell("wrote fabfile.py: it makes these commands yours")
        return
    text = there.read_text(encoding="utf-8", errors="replace")
    if "fabric_predeploy" not in text:
        lines = project.lines_for(text).replace("\n", "\n  ")
        tell(f"{there} is yours, so add these lines at its end:\n\n  {lines}\n")
        tell("The commands are then db.predeploy, db.doctor and so on.")


def tell_secrets(settings: Settings) -> None:
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
