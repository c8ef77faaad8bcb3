"""Extensions that are made up for a test, in a copy of an installation of PostgreSQL."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.wheels import downloaded

# Letters, blanks and quotes that a name of an extension can hold, as a file can have that name.
ODD_NAMES = (
    "dash-ext",
    "Capital Ext",
    'quo"ted',
    "it's",
    "select",
    "größer",
    "two\nlines",
    "plpgsql x",
    r"back\slash",
    "EXTENSION - x",
)


@dataclass(frozen=True)
class Extension:
    name: str
    sql: str
    version: str = "1.0"
    trusted: bool = False
    updates: tuple[tuple[str, str], ...] = ()  # "1.0--1.1" and its statements
    relocatable: bool = False


def with_extensions(major: int, home: Path, extensions: Iterable[Extension]) -> Path:
    """Return the bin directory of a copy of the installation that has these extensions, too."""
    source = downloaded(major).parent
    shutil.copytree(source, home, copy_function=_linked, symlinks=True)
    for extension in extensions:
        write(home / "share" / "extension", extension)
    return home / "bin"


def write(directory: Path, extension: Extension) -> None:
    control = (
        f"default_version = '{extension.version}'\n"
        f"comment = 'made up'\n"
        f"relocatable = {str(extension.relocatable).lower()}\n"
        f"trusted = {str(extension.trusted).lower()}\n"
    )
    (directory / f"{extension.name}.control").write_text(control, encoding="utf-8")
    scripts = [(extension.version, extension.sql), *extension.updates]
    for versions, sql in scripts:
        path = directory / f"{extension.name}--{versions}.sql"
        path.write_text(sql, encoding="utf-8")
    for path in directory.glob("*"):
        path.chmod(0o644)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
