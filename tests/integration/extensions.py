"""Extensions that are made up for a test, in a copy of an installation of PostgreSQL."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.wheels import downloaded
from tests.integration.everything import plain_dump

MAJORS = (14, 15, 16, 17, 18)
SAMPLE = [
    pytest.param(major, marks=() if major in (15, 18) else pytest.mark.thorough) for major in MAJORS
]
ONE = [pytest.param(major, marks=() if major == 15 else pytest.mark.thorough) for major in MAJORS]
A_TABLE = "CREATE TABLE a (i int); INSERT INTO a VALUES (1);"

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
TRUSTED_NAMES = tuple(f"{name} of the role" for name in ODD_NAMES)


@dataclass(frozen=True)
class Extension:
    name: str
    sql: str
    version: str = "1.0"
    trusted: bool = False
    updates: tuple[tuple[str, str], ...] = ()  # "1.0--1.1" and its statements
    relocatable: bool = False


# One table refers to the other, one of them has a condition, and a number of its own for each row.
CONFIGURED_SQL = """
CREATE TABLE settings (id serial PRIMARY KEY, name text NOT NULL, built_in boolean DEFAULT false);
CREATE TABLE parts (setting int REFERENCES settings ON DELETE CASCADE, note text);
INSERT INTO settings (id, name, built_in) VALUES (-1, 'a', true), (-2, 'b', true);
SELECT pg_catalog.pg_extension_config_dump('settings', 'WHERE NOT built_in');
SELECT pg_catalog.pg_extension_config_dump('parts', '');
SELECT pg_catalog.pg_extension_config_dump('settings_id_seq', '');
"""
CONFIGURED = Extension("configured", CONFIGURED_SQL)
OPEN_SQL = CONFIGURED_SQL + "GRANT SELECT, INSERT ON settings, parts TO PUBLIC;"
OPEN_SQL += "GRANT ALL ON SEQUENCE settings_id_seq TO PUBLIC;"
TRUSTED = Extension("trusted configured", CONFIGURED_SQL, trusted=True)
OPEN = Extension("open configured", OPEN_SQL, trusted=True)
UPDATED = Extension(
    "updated",
    "CREATE FUNCTION old() RETURNS int LANGUAGE sql AS 'SELECT 1';",
    version="1.1",
    trusted=True,
    updates=(("1.0", "CREATE FUNCTION older() RETURNS int LANGUAGE sql AS 'SELECT 1';"),),
)


def named(names: Iterable[str], *, trusted: bool = False) -> list[Extension]:
    """One function each, whose name is that of no other."""
    kind = "trusted" if trusted else "untrusted"
    make = "CREATE FUNCTION {name}() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    return [
        Extension(name, make.format(name=f"{kind}_{number}"), trusted=trusted)
        for number, name in enumerate(names)
    ]


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


def by(role, project, sql):
    project.pg.run_as(role, sql, project.profile["DB_NAME"])


def dumped(project):
    return plain_dump(project.pg, project.profile["DB_NAME"])


def gated(project, *flags):
    done = project.fab("-H", "demo", "predeploy", "--version=v1", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def restored(project, *flags):
    done = project.fab("-H", "demo", "restore", "--file=latest", "--yes", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
