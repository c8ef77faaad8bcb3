"""What others own stays as it is: what has become of it since the archive is told, or refused."""

import json
import os

import pytest

from sandbox.postgres import identifier
from tests.integration.everything import plain_dump
from tests.integration.extensions import by, gated, restored
from tests.project import OWNER

SUPERUSER = "postgres"
OTHER = "neighbour"


@pytest.fixture
def make_stay(start_server, make_project, ssh):
    made = []

    def make(major=None):
        pg = start_server(major)
        database = f"stays_{os.urandom(4).hex()}"
        if OTHER not in pg.superuser("SELECT rolname FROM pg_roles").split():
            pg.superuser(f"CREATE ROLE {OTHER}")
        pg.superuser(f"CREATE DATABASE {database} OWNER {OWNER}")
        made.append((pg, database))
        pg.superuser(f"GRANT ALL ON SCHEMA public TO {OWNER}, {OTHER}", database)
        return make_project(pg, ssh, DB_NAME=database, BACKUP_REHEARSAL="require")

    yield make
    for pg, database in made:
        pg.superuser(f"DROP DATABASE {identifier(database)} WITH (FORCE)")
    for pg in {pg.port: pg for pg, _ in made}.values():
        pg.superuser(f"DROP ROLE {OTHER}")


def dumped(project):
    return plain_dump(project.pg, project.profile["DB_NAME"])


def planned(project):
    done = project.fab("-H", "demo", "restore", "--file=latest", "--plan", "--json")
    return json.loads(done.stdout)


def is_refused_until_mended(project, before, told, mend, by_whom):
    assert told in planned(project)["obstacles"]["transaction"]
    flags = ("--file=latest", "--yes", "--no-safety", "--mode=transaction")
    changed = dumped(project)
    assert project.fab("-H", "demo", "restore", *flags).returncode == 14
    assert dumped(project) == changed

    by(by_whom, project, mend)
    restored(project, "--no-safety")

    assert dumped(project) == before


@pytest.mark.parametrize(
    ("role", "what"),
    [(SUPERUSER, "CREATE EXTENSION hstore SCHEMA lib"), (OTHER, "CREATE VIEW lib.v AS SELECT 1")],
)
def test_a_schema_of_ours_that_was_renamed_around_others_is_named(make_stay, role, what):
    project = make_stay()
    by(OWNER, project, f"CREATE SCHEMA lib; GRANT ALL ON SCHEMA lib TO {OTHER}")
    by(OWNER, project, "CREATE TABLE lib.t (n int)")
    by(SUPERUSER, project, f"SET ROLE {role}; {what}")
    gated(project)
    before = dumped(project)
    by(OWNER, project, "ALTER SCHEMA lib RENAME TO library")

    told = (
        "the schema library stays, as others have something in it, and was the schema lib in the"
        " archive: ALTER SCHEMA library RENAME TO lib"
    )
    assert len(planned(project)["obstacles"]["transaction"]) == 1
    mend = "ALTER SCHEMA library RENAME TO lib"
    is_refused_until_mended(project, before, told, mend, OWNER)


@pytest.mark.parametrize("major", [14, 18])
def test_an_extension_of_others_that_was_moved_is_named(make_stay, major):
    project = make_stay(major)
    by(SUPERUSER, project, 'CREATE SCHEMA "Lib x"; CREATE EXTENSION hstore SCHEMA "Lib x"')
    by(SUPERUSER, project, f'GRANT USAGE ON SCHEMA "Lib x" TO {OWNER}')
    by(OWNER, project, 'CREATE TABLE t (h "Lib x".hstore)')
    gated(project)
    before = dumped(project)
    by(SUPERUSER, project, "ALTER EXTENSION hstore SET SCHEMA public")

    told = (
        'the extension hstore stays in the schema public, and was in "Lib x" when the archive was'
        ' taken: let its owner ALTER EXTENSION hstore SET SCHEMA "Lib x"'
    )
    mend = 'ALTER EXTENSION hstore SET SCHEMA "Lib x"'
    is_refused_until_mended(project, before, told, mend, SUPERUSER)


@pytest.mark.parametrize("major", [14, 18])
def test_what_others_have_renamed_or_moved_is_named(make_stay, major):
    project = make_stay(major)
    new = "CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN kept AS int;"
    new += "CREATE FUNCTION f(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';"
    new += 'CREATE VIEW "Odd v" AS SELECT 1 AS n; CREATE SCHEMA aside; CREATE SEQUENCE aside.q;'
    new += f"GRANT ALL ON SCHEMA aside TO {OWNER}; GRANT SELECT ON SEQUENCE aside.q TO {OWNER};"
    new += "CREATE PROCEDURE p(INOUT n int) LANGUAGE sql AS 'SELECT 1';"
    new += "CREATE AGGREGATE a(*) (sfunc = int8inc, stype = bigint, initcond = '0')"
    database = identifier(project.profile["DB_NAME"])
    by(SUPERUSER, project, f"GRANT CREATE ON DATABASE {database} TO {OTHER}")
    by(SUPERUSER, project, f"SET ROLE {OTHER}; {new}")
    by(
        OWNER,
        project,
        "CREATE TABLE t (m mood, k kept CHECK (f(k) = 1)); INSERT INTO t VALUES ('a')",
    )
    gated(project)
    before = dumped(project)
    assert planned(project)["obstacles"]["transaction"] == []
    change = "ALTER TYPE mood RENAME TO humour; ALTER FUNCTION f SET SCHEMA aside;"
    change += 'ALTER VIEW "Odd v" RENAME TO even; ALTER SCHEMA aside RENAME TO beside'
    by(SUPERUSER, project, f"SET ROLE {OTHER}; {change}")

    told = planned(project)["obstacles"]["transaction"]

    words = f"of the role {OTHER} has another name in the archive, "
    for now, then in (
        ("type public.humour", "type public.mood"),
        ("function beside.f(integer)", "function public.f(integer)"),
        ("view public.even", "view public.Odd v"),
        ("schema beside", "schema aside"),
    ):
        assert [line for line in told if line.startswith(f"{now} {words}{then}")], told
    assert not [line for line in told if "kept" in line]
    mend = "ALTER SCHEMA beside RENAME TO aside; ALTER FUNCTION aside.f SET SCHEMA public;"
    mend += 'ALTER TYPE humour RENAME TO mood; ALTER VIEW even RENAME TO "Odd v"'
    is_refused_until_mended(project, before, told[0], mend, SUPERUSER)


def test_an_extension_of_others_that_was_updated_is_told(make_stay):
    project = make_stay()
    by(SUPERUSER, project, "CREATE EXTENSION hstore VERSION '1.4'")
    by(OWNER, project, "CREATE TABLE t (h hstore)")
    gated(project)
    by(SUPERUSER, project, "ALTER EXTENSION hstore UPDATE TO '1.5'")

    told = planned(project)

    assert told["other_versions"] == [
        "the extension hstore belongs to another role and stays: it is 1.5 now, and was 1.4 when"
        " the archive was taken"
    ]
    restored(project, "--no-safety")


def test_grants_on_what_others_own_are_told_with_what_makes_up_for_them(make_stay):
    project = make_stay()
    given = f"GRANT SELECT ON v TO {OWNER} WITH GRANT OPTION"
    by(SUPERUSER, project, f"SET ROLE {OTHER}; CREATE VIEW v AS SELECT 1 AS n; {given}")
    by(OWNER, project, "CREATE TABLE t (n int); GRANT SELECT ON v TO pg_monitor")
    gated(project)
    before = dumped(project)
    assert planned(project)["not_brought_back"] == []
    by(OWNER, project, "REVOKE SELECT ON v FROM pg_monitor; GRANT SELECT (n) ON v TO PUBLIC")

    told = planned(project)["not_brought_back"]

    what = "on what another role owns: GRANT SELECT"
    assert told == [
        f"a grant that has been made since, {what} (n) ON TABLE public.v TO PUBLIC",
        f"a grant that has been taken away since, {what} ON TABLE public.v TO pg_monitor",
    ]
    said = restored(project, "--no-safety")
    assert "some of what others own is not brought back" in said
    by(OWNER, project, "GRANT SELECT ON v TO pg_monitor; REVOKE SELECT (n) ON v FROM PUBLIC")
    assert dumped(project) == before


def test_a_sequence_of_others_comes_back_where_the_role_may_set_it_and_is_told_elsewhere(make_stay):
    project = make_stay()
    new = f"CREATE SEQUENCE open; CREATE SEQUENCE closed; GRANT ALL ON SEQUENCE open TO {OWNER};"
    new += f"GRANT SELECT, USAGE ON SEQUENCE closed TO {OWNER}"
    by(SUPERUSER, project, f"SET ROLE {OTHER}; {new}")
    by(
        OWNER,
        project,
        "CREATE TABLE t (n int DEFAULT nextval('open')); INSERT INTO t DEFAULT VALUES",
    )

    told = gated(project)

    assert (
        f"would not bring back the value of the sequence public.closed, of the role {OTHER}:"
        f" GRANT UPDATE ON SEQUENCE public.closed TO {OWNER}" in told
    )
    assert "public.open" not in told
    before = dumped(project)
    by(OWNER, project, "INSERT INTO t DEFAULT VALUES")
    restored(project, "--no-safety")
    assert dumped(project) == before
