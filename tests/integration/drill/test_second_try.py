"""Functions that name things without their schemas: their rows go in under the role's own path."""

import re

import pytest

from sandbox.postgres import create_owner, identifier
from tests.integration.drills import EQUAL, grade, manifest, nothing_stays
from tests.integration.everything import plain_dump
from tests.project import PASSWORD

ROLE = "plain"
SET_UP = (
    "CREATE SCHEMA app; CREATE TABLE app.codes (code text PRIMARY KEY);"
    "INSERT INTO app.codes SELECT 'c' || i FROM generate_series(1, 20) AS i;"
)
# Each fails under an empty search path, in another part of the archive or in another way.
KINDS = {
    "a check that looks into a table": """
        CREATE FUNCTION known(text) RETURNS boolean LANGUAGE sql STABLE
            AS $$ SELECT EXISTS (SELECT FROM zcodes WHERE code = $1) $$;
        CREATE TABLE zcodes (code text PRIMARY KEY); INSERT INTO zcodes VALUES ('a');
        CREATE TABLE checked (code text CHECK (known(code))); INSERT INTO checked VALUES ('a');""",
    "a check whose function swallows the error": """
        CREATE FUNCTION longer(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
            RETURN least_length() <= length($1);
            EXCEPTION WHEN undefined_function THEN RETURN false; END $$;
        CREATE FUNCTION least_length() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2';
        CREATE TABLE named (name text CHECK (longer(name))); INSERT INTO named VALUES ('Eve');""",
    "a generated column": """
        CREATE FUNCTION shout(text) RETURNS text LANGUAGE plpgsql IMMUTABLE
            AS $$ BEGIN RETURN mark(upper($1)); END $$;
        CREATE FUNCTION mark(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT $1 || '!' $$;
        CREATE TABLE made
            (id int PRIMARY KEY, t text, s text GENERATED ALWAYS AS (shout(t)) STORED);
        INSERT INTO made VALUES (1, 'a');""",
    "an index on an expression": """
        CREATE FUNCTION folded(text) RETURNS text LANGUAGE plpgsql IMMUTABLE
            AS $$ BEGIN RETURN twice(lower($1)); END $$;
        CREATE FUNCTION twice(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1 || $1';
        CREATE TABLE sought (id int PRIMARY KEY, t text); INSERT INTO sought VALUES (1, 'A');
        CREATE UNIQUE INDEX ON sought (folded(t)) WHERE folded(t) <> 'b';""",
    "a domain over a domain, in an array": """
        CREATE FUNCTION is_code(text) RETURNS boolean LANGUAGE plpgsql STABLE
            AS $$ BEGIN RETURN $1 IN (SELECT code FROM all_codes); END $$;
        CREATE DOMAIN code AS text CHECK (is_code(value));
        CREATE DOMAIN short AS code CHECK (length(value) < 3);
        CREATE TABLE zz (code text); INSERT INTO zz VALUES ('a'), ('b');
        CREATE VIEW all_codes AS SELECT code FROM zz;
        CREATE TABLE coded (codes short[]); INSERT INTO coded VALUES ('{a,b}');""",
    "an operator of ours in another schema": """
        CREATE FUNCTION app.near(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE
            AS 'SELECT abs($1 - $2) < limit_of()';
        CREATE FUNCTION app.limit_of() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 5';
        CREATE OPERATOR app.<~> (LEFTARG = int, RIGHTARG = int, FUNCTION = app.near);
        CREATE TABLE app.pairs (a int, b int, CHECK (a OPERATOR(app.<~>) b));
        INSERT INTO app.pairs VALUES (1, 2);""",
    "a check that leads to another checked table": """
        CREATE FUNCTION has_b(int) RETURNS boolean LANGUAGE sql STABLE
            AS 'SELECT EXISTS (SELECT FROM b_rows WHERE id = $1)';
        CREATE FUNCTION has_c(int) RETURNS boolean LANGUAGE sql STABLE
            AS 'SELECT EXISTS (SELECT FROM c_rows WHERE id = $1)';
        CREATE TABLE c_rows (id int) PARTITION BY LIST (id);
        CREATE TABLE z_part PARTITION OF c_rows FOR VALUES IN (1);
        INSERT INTO c_rows VALUES (1);
        CREATE TABLE b_rows (id int CHECK (has_c(id))); INSERT INTO b_rows VALUES (1);
        CREATE TABLE a_rows (id int CHECK (has_b(id))); INSERT INTO a_rows VALUES (1);""",
}
# From this version on PostgreSQL itself lets no index call what is unqualified.
INDEXES_ARE_QUALIFIED = 17


def kinds_of(major):
    return [each for each in KINDS if "index" not in each or major < INDEXES_ARE_QUALIFIED]


@pytest.fixture
def unqualified(start_server, make_project, ssh):
    """Make a project of a role of its own, with these kinds in its database."""
    made = []

    def make(major, kinds, path='app, "$user", public', **settings):
        pg = start_server(major)
        database = f"unqualified{len(made)}"
        create_owner(pg, role=ROLE, password=PASSWORD, database=database)
        made.append((pg, database))
        pg.superuser(f"GRANT CREATE ON SCHEMA public TO {ROLE}", database)
        pg.run_as(ROLE, SET_UP, database)
        pg.superuser(f"ALTER ROLE {ROLE} IN DATABASE {database} SET search_path = {path}")
        for kind in kinds:
            pg.run_as(ROLE, f"SET check_function_bodies = off; {KINDS[kind]}", database)
        settings = {"DB_NAME": database, "DB_USER": ROLE, **settings}
        return make_project(pg, ssh, **settings)

    yield make
    for pg, database in made:
        for name in pg.superuser("SELECT datname FROM pg_database").splitlines():
            if name == database or name.startswith(f"{database}_"):
                pg.superuser(f"DROP DATABASE {identifier(name)} WITH (FORCE)")
        pg.superuser(f"DROP ROLE {ROLE}")


def restored(project, *flags):
    return project.fab("-H", "demo", "restore", "--file=latest", "--yes", "--no-safety", *flags)


def comes_back(project, *flags):
    pg, database = project.pg, project.profile["DB_NAME"]
    before = plain_dump(pg, database)
    pg.run_as(ROLE, "CREATE TABLE public.new (i int); TRUNCATE app.codes", database)

    done = restored(project, *flags)

    assert done.returncode == 0, done.stdout + done.stderr
    assert plain_dump(pg, database) == before
    return done


@pytest.mark.parametrize("major", [14, 18])
def test_rows_go_in_under_the_path_of_the_role_and_the_result_says_so(unqualified, major):
    project = unqualified(major, kinds_of(major), BACKUP_DRILL="cluster")

    done = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 0, done.stderr
    assert "trying once more, under the search path" in done.stderr
    assert grade(project) == "equal"
    assert dict(manifest(project))["search_path"] == 'app, "$user", public'
    nothing_stays(project)
    done = comes_back(project)
    assert 'under the search path app, "$user", public' in done.stdout


def test_a_swap_tries_once_more_in_the_new_database(unqualified):
    project = unqualified(18, kinds_of(18))
    project.pg.superuser(f"ALTER ROLE {ROLE} CREATEDB")
    assert project.predeploy().returncode == 0

    done = comes_back(project, "--mode=swap")

    assert "trying once more, under the search path" in done.stderr
    assert 'under the search path app, "$user", public' in done.stdout


def test_a_test_restore_in_a_database_beside_the_live_one_tries_once_more(unqualified):
    project = unqualified(18, kinds_of(18), BACKUP_DRILL="database")
    project.pg.superuser(f"ALTER ROLE {ROLE} CREATEDB")

    done = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 0, done.stderr
    assert "trying once more, under the search path" in done.stderr
    assert grade(project) == "equal"
    nothing_stays(project)


@pytest.mark.parametrize("forged", ["public'); DROP TABLE app.codes; --", "app, ${HOME}", "app \\"])
def test_a_path_that_is_no_list_of_names_is_not_used(unqualified, forged):
    kind = "a check that looks into a table"
    project = unqualified(None, [kind])
    assert project.predeploy().returncode == 0
    (path,) = project.backup_dir.glob("*.manifest")
    text = path.read_text(encoding="utf-8")
    line = re.search(r"(?m)^search_path=.*$", text)[0]
    path.write_text(text.replace(line, f"search_path={forged}"), encoding="utf-8")

    done = restored(project)

    assert done.returncode == 15
    assert "trying once more" not in done.stderr
    assert "the database is as it was" in done.stderr
