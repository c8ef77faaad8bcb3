"""What init writes into a project: a profile, and what makes it of use."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from . import version
from .errors import ConfigurationError
from .settings import SPECS

FABFILE: Final = "from fabric_predeploy.tasks import namespace\n"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.,:/@%+~-]+")
_PARTS: Final = {
    "The host. Not set: 22, your own user, or what ssh_config says": (
        "SSH_HOST",
        "SSH_PORT",
        "SSH_USER",
    ),
    "Who it is: the key that was confirmed. Another one is refused": ("SSH_KNOWN_HOSTS",),
    "The database, as seen from the host": ("DB_NAME", "DB_USER", "DB_HOST", "DB_PORT"),
    "The first part of an archive's name, and how many are kept": ("BACKUP_PROJECT", "MAX_BACKUPS"),
}
# What stands there, commented, where nothing is given: these, and the defaults of the table.
_IN_PLACE: Final = {"SSH_PORT": "22", "SSH_USER": ""}


def profile_text(name: str, values: Mapping[str, str]) -> str:
    """Return a short profile: docs/settings.md and the shipped example tell the rest."""
    lines = [
        f"# The profile {name!r}:   fab -H {name} predeploy",
        "# Committed, so it holds no secrets: key and password belong in CI or in .env.",
        "# All settings: docs/settings.md of fabric-predeploy. A commented line shows the default.",
    ]
    presets = {spec.variable: spec.default for spec in SPECS.values() if spec.default is not None}
    defaults = _IN_PLACE | presets
    for title, variables in _PARTS.items():
        settings = [
            f"{variable}={quoted(values[variable])}"
            if variable in values
            else f"#{variable}={defaults[variable]}"
            for variable in variables
            if variable in values or variable in defaults
        ]
        if settings:
            lines += ["", f"# {title}.", *settings]
    return "\n".join([*lines, ""])


def quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def project_name(directory: Path) -> str:
    """The directory's name, as far as it can be the first part of an archive's; or nothing."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", directory.name).strip("._+-")[:50]


def profile_path(directory: Path, name: str) -> Path:
    return directory / "config" / f"{name}.env"


def write(path: Path, text: str) -> None:
    """All of it, or nothing."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(exist_ok=True)
        try:
            partial.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
            os.replace(partial, path)  # noqa: PTH105 - the same as Path.replace
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}", remedy="run it where you may write."
        ) from None


def ignore_dotenv(directory: Path) -> bool:
    """Keep secrets out of git, where there is one; tell whether that was not so before."""
    if version.ignores(directory, ".env") is not False:
        return False
    path = directory / ".gitignore"
    # What is there stays to the byte.
    text = path.read_bytes().decode(errors="surrogateescape") if path.exists() else ""
    write(path, f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}.env\n")
    return True


def lines_for(fabfile: str) -> str:
    """Return the lines that give a fabfile our commands as `db.`, and leave it its own tasks.

    fab takes a collection `ns`, or else `namespace`, and where there is neither, the tasks.
    """
    found = re.search(r"(?m)^(?:ns|namespace)\b(?=\s*[:=])", fabfile)
    collection = found[0] if found else "ns"
    lines = ["from fabric_predeploy.tasks import namespace as db"]
    if not found:
        lines = ["import sys", "from invoke.collection import Collection", *lines]
        lines.append("ns = Collection.from_module(sys.modules[__name__])")
    return "\n".join([*lines, f'{collection}.add_collection(db, name="db")'])


def fabfile(directory: Path) -> Path | None:
    """The one that fab would find from there, if any."""
    for place in (directory, *directory.parents):
        for path in (place / "fabfile.py", place / "fabfile" / "__init__.py"):
            if path.exists():
                return path
    return None
