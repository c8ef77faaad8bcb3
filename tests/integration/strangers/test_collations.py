"""A host whose system was replaced below the database: its collations are of another version."""

import pytest

from tests.project import OWNER

DATABASE = "sorted"


@pytest.fixture(scope="module")
def aged(start_server):
    """A database whose collation is on record with a version that no system has."""
    pg = start_server(17)  # whose builtin collations have a version: so no locale is needed here
    pg.superuser(
        f"CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE template0 LOCALE_PROVIDER builtin"
        " BUILTIN_LOCALE 'C.UTF-8';"
    )
    pg.run_as(OWNER, "CREATE TABLE words AS SELECT 'a'::text AS word;", DATABASE)
    pg.superuser("UPDATE pg_database SET datcollversion = '1.2' WHERE datname = 'sorted';")
    return pg


@pytest.fixture
def project(make_project, aged, ssh):
    return make_project(aged, ssh, DB_NAME=DATABASE)


def told_once(done):
    text = " ".join((done.stdout + done.stderr).split())
    assert "collation version mismatch" not in text
    assert "WARNING: WARNING" not in text
    assert text.count("REFRESH COLLATION VERSION") == 1, text
    assert text.count("1.2 is now ") == 1


def test_a_collation_of_another_version_is_told_once_a_run_with_what_to_do(project):
    gate = project.predeploy()
    assert gate.returncode == 0, gate.stderr
    told_once(gate)
    told_once(project.fab("-H", "demo", "doctor", "--version=v1"))
    project.pg.run_as(OWNER, "DROP TABLE words;", DATABASE)
    back = project.fab("-H", "demo", "restore", "--file=latest", "--yes")
    assert back.returncode == 0, back.stderr
    told_once(back)
    assert project.pg.run_as(OWNER, "SELECT word FROM words;", DATABASE).strip() == "a"


def test_a_failure_behind_it_is_told_in_its_own_words(project):
    sql = "CREATE TABLE theirs (); REVOKE ALL ON theirs FROM PUBLIC;"
    project.pg.superuser(sql, DATABASE)
    done = project.predeploy()
    project.pg.superuser("DROP TABLE theirs;", DATABASE)
    assert done.returncode == 10
    assert "may not read: public.theirs" in " ".join(done.stderr.split())
    told_once(done)
