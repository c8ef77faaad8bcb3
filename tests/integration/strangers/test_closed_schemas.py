"""A role can own what is in a schema without being let create there: it comes back all the same."""

import pytest

from tests.integration.drills import grade
from tests.integration.extensions import by, dumped, gated, restored
from tests.project import OWNER

DATABASE = "closed"
MEMBER = "lodger"
THINGS = (
    "CREATE TABLE {0}.t (id serial PRIMARY KEY); INSERT INTO {0}.t DEFAULT VALUES;"
    "CREATE INDEX ON {0}.t ((id + 1));"
    "CREATE TYPE {0}.e AS ENUM ('a');"
    "CREATE FUNCTION {0}.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "CREATE MATERIALIZED VIEW {0}.m AS SELECT 1 AS n;"
)
GIVEN = "ALTER TABLE {0}.t OWNER TO {1}; ALTER TYPE {0}.e OWNER TO {1};"
GIVEN += "ALTER MATERIALIZED VIEW {0}.m OWNER TO {1};"
# Each is run by a superuser, in the name of the owner where it says so.
KINDS = {
    "the owner has given the right away": "REVOKE CREATE ON SCHEMA away FROM " + OWNER,
    "the owner has no right at all": "REVOKE ALL ON SCHEMA none FROM " + OWNER,
    "things were given to a member that may not create": "RESET ROLE;"
    + GIVEN.format("lodged", MEMBER),
    "the schema of a member": f"RESET ROLE; ALTER SCHEMA theirs OWNER TO {MEMBER};"
    f"REVOKE ALL ON SCHEMA theirs FROM {MEMBER}; GRANT USAGE ON SCHEMA theirs TO PUBLIC;",
    "the schema public": "RESET ROLE; ALTER SCHEMA public OWNER TO "
    f"{OWNER}; REVOKE ALL ON SCHEMA public FROM PUBLIC; {GIVEN.format('public', MEMBER)}"
    f"GRANT USAGE ON SCHEMA public TO {MEMBER};",
}
SCHEMAS = ("away", "none", "lodged", "theirs", "public")
DAMAGE = (
    "DROP SCHEMA away CASCADE; DROP SCHEMA lodged CASCADE; GRANT CREATE ON SCHEMA theirs TO PUBLIC;"
    "GRANT ALL ON SCHEMA none TO PUBLIC; DROP TABLE public.t;"
)


@pytest.fixture
def make_closed(start_server, make_project, ssh):
    made = []

    def make(major, **settings):
        pg = start_server(major)
        drop(pg)
        made.append(pg)
        if MEMBER not in pg.superuser("SELECT rolname FROM pg_roles").split():
            pg.superuser(f"CREATE ROLE {MEMBER}")
        pg.superuser(f"GRANT {MEMBER} TO {OWNER}; CREATE DATABASE {DATABASE} OWNER {OWNER}")
        pg.superuser(f"GRANT ALL ON SCHEMA public TO {OWNER}", DATABASE)
        for schema, closed in zip(SCHEMAS, KINDS.values(), strict=True):
            new = f"CREATE SCHEMA IF NOT EXISTS {schema};{THINGS.format(schema)}"
            if schema == "none":  # a dump locks tables, which nobody finds there
                new = "CREATE SCHEMA none; CREATE TYPE none.e AS ENUM ('a');"
            sql = f"SET client_min_messages = error; SET ROLE {OWNER}; {new} {closed}"
            pg.superuser(sql, DATABASE)
        settings = {"DB_NAME": DATABASE, "BACKUP_REHEARSAL": "require", **settings}
        return make_project(pg, ssh, **settings)

    yield make
    for pg in made:
        pg.superuser(f"ALTER ROLE {OWNER} NOCREATEDB; REVOKE {MEMBER} FROM {OWNER}")
        drop(pg)
        pg.superuser(f"DROP ROLE {MEMBER}")


def drop(pg):
    there = pg.superuser("SELECT datname FROM pg_database").splitlines()
    for name in there:
        if name.startswith(DATABASE):
            pg.superuser(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("major", [14, 18])
def test_what_is_in_a_closed_schema_comes_back_both_ways(make_closed, major):
    project = make_closed(major)
    gated(project)
    before = dumped(project)
    for way in ("transaction", "swap"):
        if way == "swap" and major >= 15:  # up to 14, a new database has a superuser's public
            project.pg.superuser(f"ALTER ROLE {OWNER} CREATEDB")
        elif way == "swap":
            continue
        project.pg.superuser(f"SET client_min_messages = error; {DAMAGE}", DATABASE)
        restored(project, f"--mode={way}", "--no-safety")
        assert dumped(project) == before


@pytest.mark.parametrize("drill", ["cluster", "database"])
def test_a_test_restore_of_a_closed_schema_is_equal(make_closed, drill):
    project = make_closed(18 if drill == "database" else None, BACKUP_DRILL=drill)
    project.pg.superuser(f"ALTER ROLE {OWNER} CREATEDB")
    gated(project, "--proof=equal")
    assert grade(project) == "equal"


def test_nothing_is_lent_to_others_or_left_behind(make_closed):
    project = make_closed(None)
    gated(project)
    rights = (
        "SELECT n.nspname, r.rolname, p FROM pg_namespace n CROSS JOIN pg_roles r"
        " CROSS JOIN (VALUES ('CREATE'), ('USAGE')) AS v(p)"
        " WHERE n.nspname !~ '^pg_' AND has_schema_privilege(r.oid, n.oid, p) ORDER BY 1, 2, 3"
    )
    before = project.pg.superuser(rights, DATABASE)
    by("postgres", project, "DROP TABLE public.t")
    restored(project, "--mode=transaction", "--no-safety")
    assert project.pg.superuser(rights, DATABASE) == before
