"""What comes back, on every supported major version: all of it; or the plan says what would not."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from sandbox.postgres import create_owner, identifier
from tests.integration.conftest import OWNER, PASSWORD, Project
from tests.integration.everything import create_everything, fail_a_deploy, plain_dump

MAJORS = (14, 15, 16, 17, 18)
SAFE_REFRESH = 17  # from here on, the session's search_path does not reach into a refresh


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


def database_of(project):
    return project.profile["DB_NAME"]


def dumped(project):
    return plain_dump(project.pg, database_of(project))


def restore(project, *flags, **changes):
    return project.fab("-H", "demo", "restore", *flags, **changes)


def archived(project):
    done = project.predeploy()
    assert done.returncode == 0, done.stderr
    assert "You can roll back to" in done.stdout, done.stderr


def restored(project):
    done = restore(project, "--file=latest", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def restored_by_hand(project):
    """What pg_restore makes of the archive in an empty database."""
    pg, archive = project.pg, project.archives()[0]
    drop(pg, "by_hand")
    pg.superuser(f"CREATE DATABASE by_hand OWNER {OWNER}")
    try:
        command = [pg.bin_dir / "pg_restore", "--exit-on-error", "--file=-", archive]
        script = subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout
        if pg.major < SAFE_REFRESH:
            refresh = "REFRESH MATERIALIZED VIEW public.by_search_path;"
            assert refresh in script
            script = script.replace(refresh, "RESET search_path;" + refresh)
        pg.superuser(script, "by_hand")
        return plain_dump(pg, "by_hand")
    finally:
        drop(pg, "by_hand")


@pytest.mark.parametrize("major", MAJORS)
def test_a_database_with_everything_in_it_comes_back_byte_for_byte(make_database, major):
    project = make_database(major)
    create_everything(project.pg, "everything", OWNER)
    archived(project)
    before = dumped(project)
    fail_a_deploy(project.pg, "everything", OWNER)
    assert dumped(project) != before

    restored(project)

    assert dumped(project) == before


@pytest.mark.parametrize("major", MAJORS)
def test_what_pg_dump_does_not_round_trip_is_what_a_restore_into_an_empty_database_makes_of_it(
    make_database, major
):
    """Without what a superuser installed in `public`, the deploy may drop even that."""
    project = make_database(major)
    create_everything(project.pg, "everything", OWNER, foreign_extension=False, inheritance=True)
    archived(project)
    before = dumped(project)
    fail_a_deploy(project.pg, "everything", OWNER, drop_public=True)

    restored(project)

    assert dumped(project) == restored_by_hand(project) != before


@pytest.mark.parametrize("major", MAJORS)
def test_a_schema_public_that_belongs_to_the_owner_does_so_afterwards(make_database, major):
    project = make_database(major)
    pg = project.pg
    pg.superuser(f"ALTER SCHEMA public OWNER TO {OWNER}", "everything")
    pg.run_as(OWNER, "CREATE TABLE public.t AS SELECT 1 AS n;", "everything")
    archived(project)
    before, schema = dumped(project), described_public(pg)
    deploy = "DROP TABLE public.t; REVOKE ALL ON SCHEMA public FROM PUBLIC;"
    pg.run_as(OWNER, deploy, "everything")

    restored(project)
    assert dumped(project) == before

    deploy = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE public.u (n int);"
    pg.run_as(OWNER, deploy, "everything")
    archive = project.archives()[0].name
    done = restore(project, f"--file={archive}", "--yes")
    assert done.returncode == 0, done.stderr
    assert described_public(pg) == schema
    # With public, 14 has forgotten what it was given by initdb, and tells the same grants otherwise.
    assert dumped(project) == before or major == 14


def described_public(pg):
    return pg.superuser(
        "SELECT n.nspowner::regrole, obj_description(n.oid), array(SELECT acl::text"
        " FROM unnest(n.nspacl) AS acl ORDER BY 1) FROM pg_namespace n WHERE nspname = 'public'",
        "everything",
    )
