"""What others own and an archive needs is named where it has gone, or is closed to the role."""

import os

import pytest

from sandbox.postgres import identifier
from tests.integration.extensions import by, gated, restored
from tests.integration.strangers.test_stays import OTHER, dumped, make_stay, planned
from tests.project import OWNER

__all__ = ["make_stay"]  # a fixture

SUPERUSER = "postgres"
THEIRS = """
CREATE TYPE mood AS ENUM ('good', 'it''s bad');
CREATE DOMAIN number AS int; CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION checks(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE FUNCTION "Doubles"(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1';
CREATE FUNCTION adds(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE FUNCTION shown() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE VIEW seen AS SELECT 1 AS n, 2 AS m; GRANT SELECT ON seen TO PUBLIC;
CREATE TABLE referred (n int PRIMARY KEY); GRANT SELECT, REFERENCES ON referred TO PUBLIC;
CREATE SCHEMA "their Lib"; GRANT ALL ON SCHEMA "their Lib" TO PUBLIC; SET search_path = "their Lib";
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE SCHEMA shared; GRANT ALL ON SCHEMA shared TO PUBLIC;
"""
OURS = """
CREATE TABLE a (m mood DEFAULT 'it''s bad', n number[], i int CHECK (checks(i)),
    g int GENERATED ALWAYS AS ("Doubles"(i)) STORED,
    d int DEFAULT "their Lib".f(), s int DEFAULT shown(), r int REFERENCES referred);
INSERT INTO a (i) VALUES (1);
CREATE TRIGGER fires BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION fires();
CREATE FUNCTION of_pair(pair) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE AGGREGATE sums(int) (sfunc = adds, stype = int);
CREATE VIEW v AS SELECT n FROM seen;
CREATE TABLE shared.b (n int);
GRANT SELECT ON a TO {ghost}; CREATE POLICY p ON a TO "{ghost} x" USING (true);
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "{ghost} y";
"""
# How each is closed, what is told, and how it is opened again.
CLOSED = {
    "USAGE ON TYPE public.mood": "the type public.mood",
    "USAGE ON TYPE public.number": "the type public.number",
    "USAGE ON TYPE public.pair": "the type public.pair",
    "EXECUTE ON FUNCTION public.checks(integer)": "the function public.checks(integer)",
    'EXECUTE ON FUNCTION public."Doubles"(integer)': 'the function public."Doubles"(integer)',
    "EXECUTE ON FUNCTION public.adds(integer,integer)": "the function public.adds(integer,integer)",
    "EXECUTE ON FUNCTION public.fires()": "the function public.fires()",
    "REFERENCES ON TABLE public.referred": "the table public.referred",
    'USAGE ON SCHEMA "their Lib"': 'the schema "their Lib"',
}
MAJORS = [None, *(pytest.param(n, marks=pytest.mark.thorough) for n in (14, 15, 16, 18))]


@pytest.fixture
def make_needy(make_stay):
    """A database of ours that needs what another role has; and a role that only we name."""
    made = []

    def make(major):
        ghost = f"ghost_{os.urandom(3).hex()}"
        project = make_stay(major).with_profile(BACKUP_EXCLUDE_TABLES="public.referred")
        made.append((project, ghost))
        roles = [ghost, f"{ghost} x", f"{ghost} y"]
        database = identifier(project.profile["DB_NAME"])
        by(SUPERUSER, project, "".join(f"CREATE ROLE {identifier(each)};" for each in roles))
        by(SUPERUSER, project, f"GRANT CREATE ON DATABASE {database} TO {OTHER}")
        by(SUPERUSER, project, f"SET ROLE {OTHER}; {THEIRS}")
        by(OWNER, project, OURS.replace("{ghost}", ghost))
        return project, roles

    yield make
    for project, ghost in made:
        for role in (ghost, f"{ghost} x", f"{ghost} y"):
            if role in project.pg.superuser("SELECT rolname FROM pg_roles").splitlines():
                by(SUPERUSER, project, f"DROP OWNED BY {identifier(role)} CASCADE")
                by(SUPERUSER, project, f"DROP ROLE {identifier(role)}")


def is_refused(project, told):
    lines = planned(project)["obstacles"]["transaction"]
    assert [each for each in told if not any(line.startswith(each) for line in lines)] == [], lines
    assert len(lines) == len(told), lines
    changed = dumped(project)
    flags = ("--file=latest", "--yes", "--no-safety", "--mode=transaction")
    assert project.fab("-H", "demo", "restore", *flags).returncode == 14
    assert dumped(project) == changed


@pytest.mark.parametrize("major", MAJORS)
def test_what_was_closed_since_the_archive_was_taken_is_named(make_needy, major):
    project, _ = make_needy(major)
    gated(project)
    before = dumped(project)
    assert planned(project)["obstacles"]["transaction"] == []
    closed = "".join(f"REVOKE {right} FROM PUBLIC;" for right in CLOSED)
    closed += (
        "REVOKE ALL ON SCHEMA shared FROM PUBLIC; REVOKE EXECUTE ON FUNCTION shown FROM PUBLIC"
    )
    by(SUPERUSER, project, f"SET ROLE {OTHER}; {closed}")
    by(SUPERUSER, project, "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC")
    by(OWNER, project, "DROP TABLE a CASCADE")

    told = [
        f"the archive needs {what} of the role {OTHER}, and {OWNER} may not use it:"
        f" GRANT {right} TO {OWNER}"
        for right, what in CLOSED.items()
    ]
    told.append(
        f"the archive needs the language plpgsql of the role postgres, and {OWNER} may not use it:"
    )
    told.append(f"{OWNER} may not use the schema shared, in which something of ours is: GRANT")
    told.append(f"the role {OWNER} may not create in the schema shared: GRANT CREATE")
    is_refused(project, told)

    mended = "".join(f"GRANT {right} TO PUBLIC;" for right in CLOSED)
    mended += "GRANT ALL ON SCHEMA shared TO PUBLIC; GRANT EXECUTE ON FUNCTION shown TO PUBLIC"
    by(SUPERUSER, project, f"SET ROLE {OTHER}; {mended}")
    by(SUPERUSER, project, "GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC")
    restored(project, "--no-safety")
    assert dumped(project) == before


@pytest.mark.parametrize("major", MAJORS)
def test_what_is_not_there_any_more_is_named(make_needy, major):
    project, roles = make_needy(major)
    gated(project)
    before = dumped(project)
    by(OWNER, project, "DROP TABLE a CASCADE; DROP VIEW v")
    default = identifier(roles[2])
    by(OWNER, project, f"ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM {default}")
    by(SUPERUSER, project, "".join(f"DROP ROLE {identifier(each)};" for each in roles))
    change = "ALTER TYPE mood RENAME VALUE 'it''s bad' TO 'bad'; ALTER VIEW seen RENAME n TO other"
    by(SUPERUSER, project, f"SET ROLE {OTHER}; {change}")

    names = [roles[0], *(f'"{each}"' for each in roles[1:])]
    told = [
        f"the archive needs the role {each}, which is not there: CREATE ROLE {each}"
        for each in names
    ]
    told.append("the archive needs the label public.mood 'it''s bad', which is not there")
    told.append("the archive needs the column public.seen.n, which is not there")
    is_refused(project, told)

    by(SUPERUSER, project, "".join(f"CREATE ROLE {identifier(each)};" for each in roles))
    change = "ALTER TYPE mood RENAME VALUE 'bad' TO 'it''s bad'; ALTER VIEW seen RENAME other TO n"
    by(SUPERUSER, project, f"SET ROLE {OTHER}; {change}")
    restored(project, "--no-safety")
    assert dumped(project) == before


def test_a_gate_names_what_the_role_may_not_use_already(make_needy):
    project, _ = make_needy(None)
    by(SUPERUSER, project, f"SET ROLE {OTHER}; REVOKE USAGE ON TYPE mood FROM PUBLIC")

    done = project.predeploy()

    assert done.returncode == 14, done.stderr
    assert "the archive needs the type public.mood" in done.stderr


def test_what_comes_back_with_an_extension_of_ours_is_no_need(make_stay):
    project = make_stay()
    by(OWNER, project, "CREATE EXTENSION citext; CREATE TABLE c (t citext CHECK (t = 'x'))")
    by(OWNER, project, "INSERT INTO c VALUES ('x')")
    gated(project)
    before = dumped(project)
    by(OWNER, project, "DROP EXTENSION citext CASCADE")

    restored(project, "--no-safety")

    assert dumped(project) == before
