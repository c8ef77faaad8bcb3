"""Databases to be restored, in servers of all versions."""

from collections.abc import Callable, Iterator

import pytest

from sandbox.postgres import identifier
from tests.integration.everything import plain_dump
from tests.project import OWNER, Project


@pytest.fixture
def make_database(start_server, make_project, ssh) -> Iterator[Callable[..., Project]]:
    """A project with an empty database of its own on the server of that version."""
    made = []

    def make(major: int | None = None, database: str = "everything", **settings) -> Project:
        pg = start_server(major)
        drop(pg, database)
        pg.superuser(f"CREATE DATABASE {identifier(database)} OWNER {OWNER}")
        made.append((pg, database))
        return make_project(pg, ssh, DB_NAME=database, **settings)

    yield make
    for pg, database in made:
        drop(pg, database)


def drop(pg, database):
    pg.superuser(f"DROP DATABASE IF EXISTS {identifier(database)} WITH (FORCE)")


def dumped(project):
    name = project.profile["DB_NAME"].replace("\\", "\\\\").replace("'", "\\'")
    return plain_dump(project.pg, f"dbname='{name}'")


def restore(project, *flags, **changes):
    return project.fab("-H", "demo", "restore", *flags, **changes)


def archived(project):
    done = project.predeploy()
    assert done.returncode == 0, done.stderr
    assert "Proven readable" in done.stdout, done.stderr


def restored(project, *flags):
    done = restore(project, "--file=latest", "--yes", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def is_refused(project, *told, flags=("--file=latest", "--yes")):
    """By the plan, by name, and before anything is touched."""
    before, files = dumped(project), sorted(path.name for path in project.archives())
    done = restore(project, *flags)
    assert done.returncode == 14, done.stdout + done.stderr
    assert "nothing was touched" in done.stderr
    for words in told:
        assert words in done.stdout
        assert "This role cannot do it" in done.stdout
    assert dumped(project) == before
    assert sorted(path.name for path in project.archives()) == files
    return done
