"""What the tests of a test restore share."""

import os
import time

import pytest

from tests.processes import at_home, remote_processes, wait_for

EQUAL = "--proof=equal"
# Runs the real one, and then does to the restored database what its first line says.
WRAPPER = """#!/bin/sh
set -e
"{real}/pg_restore" "$@"
case "$*" in *--dbname*/tables.list*) {then} ;; esac
"""
SQL = """exec "{real}/psql" -X -q -v ON_ERROR_STOP=1 -c "{sql}" """


@pytest.fixture
def tampered(project):
    """Make a project whose pg_restore runs that shell code once it has restored the tables."""

    def make(then, **settings):
        stubs = project.ssh.home / f"drill-{os.getpid()}-{time.monotonic_ns()}"
        stubs.mkdir()
        real = project.pg.bin_dir
        for program in ("pg_dump", "psql", "initdb", "postgres"):
            (stubs / program).symlink_to(real / program)
        (stubs / "pg_restore").write_text(WRAPPER.format(real=real, then=then.format(real=real)))
        (stubs / "pg_restore").chmod(0o755)
        return project.with_profile(DB_BIN_DIR=str(stubs), **settings)

    return make


def statement(sql):
    return SQL.replace("{sql}", sql)


def nothing_stays(project):
    wait_for(lambda: not remote_processes(project))
    assert project.leftovers() == []
    assert [each for each in databases(project) if "_restore_" in each] == []


def databases(project):
    return project.pg.superuser("SELECT datname FROM pg_database ORDER BY 1").split()


def manifest(project):
    text = project.archives()[-1].with_suffix(".manifest").read_text(encoding="utf-8")
    return [line.split("=", 1) for line in text.splitlines()]


def grade(project):
    return dict(manifest(project))["proof"]


@pytest.fixture
def drill_db(project):
    project.pg.superuser('CREATE DATABASE "Probe 1" OWNER shop')
    yield project.with_profile(BACKUP_DRILL="database", BACKUP_DRILL_DB="Probe 1")
    project.pg.superuser('DROP DATABASE "Probe 1" WITH (FORCE)')


def holds(project):
    sql = "SELECT count(*) FROM pg_class WHERE relnamespace >= 2200 AND relkind <> 't'"
    return project.pg.superuser(
        f"{sql} AND relnamespace::regnamespace::text <> 'information_schema'", "Probe 1"
    )


def on_host(project):
    """The processes of the sandbox's user."""
    return at_home(f"{project.ssh.home}\0")
