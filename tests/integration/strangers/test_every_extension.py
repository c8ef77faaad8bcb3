"""Each extension that is to be had: a database with it comes back, or is refused by name."""

from collections.abc import Iterator
from itertools import count

import pytest

from sandbox.postgres import create_owner, identifier, postgres
from sandbox.wheels import downloaded, stock
from sandbox.workspace import SandboxError
from tests.integration.extensions import MAJORS, by, dumped
from tests.project import DATABASE, OWNER, PASSWORD

# Of the machine, with whatever else is installed there, and of the wheels.
INSTALLED = ["stock", *MAJORS]
# What predeploy asks for, where the role may not read the rows that are in each archive.
READABLE = """
SELECT format('GRANT USAGE ON SCHEMA %I TO {OWNER}', n.nspname),
    format('GRANT SELECT ON %I.%I TO {OWNER}', n.nspname, c.relname)
FROM pg_extension e, unnest(extconfig) AS k(oid)
    JOIN pg_class c ON c.oid = k.oid JOIN pg_namespace n ON n.oid = c.relnamespace
\\gexec
""".replace("{OWNER}", OWNER)
_numbers = count()


@pytest.fixture(scope="module", params=INSTALLED)
def installed(request, ground) -> Iterator:
    bin_dir = stock() if request.param == "stock" else downloaded(request.param)
    if bin_dir is None:
        pytest.skip("there is no server of the machine's own")
    with postgres(bin_dir, ground, settings={"fsync": "off"}) as pg:
        create_owner(pg, role=OWNER, password=PASSWORD, database=DATABASE)
        yield pg


def available(pg):
    names = "SELECT name FROM pg_available_extensions WHERE name <> 'plpgsql' ORDER BY name"
    return pg.superuser(names).splitlines()


def made(pg, project, role, name):
    """Those that need what is not here do not load: a library, a setting, another extension."""
    try:
        by(role, project, f"CREATE EXTENSION {identifier(name)} CASCADE;")
        by("postgres", project, READABLE)
    except SandboxError:
        return False
    return True


def trial(make_project, ssh, pg, role, name):
    """What is wrong, or nothing."""
    database = f"with_{next(_numbers)}"
    pg.superuser(f"CREATE DATABASE {database} OWNER {OWNER}")
    project = make_project(pg, ssh, DB_NAME=database)
    try:
        if not made(pg, project, role, name):
            return None
        by(OWNER, project, "CREATE TABLE a (i int); INSERT INTO a VALUES (1);")
        gate = project.fab("-H", "demo", "predeploy", "--version=v1", "--proof=equal")
        if gate.returncode != 0:
            return f"predeploy is {gate.returncode}: {gate.stderr.splitlines()[-2:]}"
        before = dumped(project)
        by(OWNER, project, "DROP TABLE a; CREATE SCHEMA new; CREATE TABLE new.b (i int);")
        done = project.fab("-H", "demo", "restore", "--file=latest", "--yes")
        if done.returncode == 14 and "fab restore could not go back" in gate.stderr:
            return None
        if done.returncode != 0:
            return f"restore is {done.returncode}: {done.stderr.splitlines()[-2:]}"
        return None if dumped(project) == before else "it is not what it was"
    finally:
        pg.superuser(f"DROP DATABASE {database} WITH (FORCE)")


@pytest.mark.thorough
@pytest.mark.parametrize("role", ["postgres", OWNER])
def test_a_database_with_any_extension_comes_back_or_is_refused_by_name(
    installed, make_project, ssh, role
):
    wrong = {
        name: found
        for name in available(installed)
        if (found := trial(make_project, ssh, installed, role, name))
    }
    assert wrong == {}
