"""A place for a test restore that lacks an extension of the database is no place, and says why."""

import os
from dataclasses import replace

import pytest

from tests.integration.drills import grade, nothing_stays
from tests.integration.extensions import by
from tests.project import OWNER, READABLE

NAMES = ("dash-ext", "Capital Ext", 'quo"ted')
SUPERUSERS = "".join("CREATE EXTENSION " + '"' + n.replace('"', '""') + '";' for n in NAMES)
LACKING = 'lack these extensions of the database: Capital Ext, dash-ext, quo"ted'
RESTORED = "--proof=restored"


@pytest.fixture
def lacking(make_extended, start_server):
    """Make a project whose programs on the host are those of a server without the extensions."""

    def make(**settings):
        plain = start_server(15)
        project = make_extended(15, DB_BIN_DIR=str(plain.bin_dir), **settings)
        by("postgres", project, SUPERUSERS)
        by(OWNER, project, "CREATE TABLE kept (n int)")
        return project

    return make


@pytest.mark.parametrize("proof", [None, "restored"])
def test_the_programs_of_the_host_lack_extensions(lacking, proof):
    project = lacking(BACKUP_PROOF=proof, BACKUP_DRILL=None if proof is None else "cluster")

    done = project.predeploy(PATH="/usr/bin:/bin")

    if proof is None:
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(READABLE)
        assert LACKING in done.stdout + done.stderr
        assert grade(project) == "read"
    else:
        assert done.returncode == 10
        assert LACKING in done.stderr
        assert project.archives() == []
    nothing_stays(project)


def test_the_role_may_not_create_the_extensions_in_a_new_database(lacking):
    project = lacking(BACKUP_DRILL="database")
    project.pg.superuser(f"ALTER ROLE {OWNER} CREATEDB")
    try:
        done = project.fab("-H", "demo", "predeploy", "--version=v1", RESTORED)
        assert done.returncode == 10
        assert 'may not create these extensions in a new database: "Capital Ext"' in done.stderr
        done = project.fab("-H", "demo", "predeploy", "--version=v1", "--proof=auto")
        assert done.returncode == 0, done.stderr
        assert "may not create these extensions" in done.stdout
        assert grade(project) == "read"
    finally:
        project.pg.superuser(f"ALTER ROLE {OWNER} NOCREATEDB")


def test_the_machine_that_runs_fab_lacks_extensions(lacking, start_server, ground):
    project = lacking(BACKUP_DRILL="runner")
    cache = ground / f"lacking-{os.getpid()}"
    cache.mkdir(mode=0o755)
    here = {"XDG_CACHE_HOME": str(cache)}
    here["PATH"] = f"{start_server(15).bin_dir}:{os.environ['PATH']}"
    project = replace(project, secrets={**project.secrets, **here})

    done = project.fab("-H", "demo", "predeploy", "--version=v1", RESTORED)
    assert done.returncode == 10, done.stderr
    assert LACKING in done.stderr

    done = project.fab("-H", "demo", "predeploy", "--version=v2", "--proof=auto")
    assert done.returncode == 0, done.stderr
    assert LACKING in done.stdout + done.stderr
    assert grade(project) == "read"
