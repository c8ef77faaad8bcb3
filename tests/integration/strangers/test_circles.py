"""Definitions that need themselves: the gate names those that no archive can bring back."""

import pytest

from sandbox.postgres import identifier
from tests.integration.everything import plain_dump
from tests.integration.extensions import by, dumped, restored
from tests.project import OWNER

DATABASE = "circles"
CIRCLES = {
    "a view that reads itself": (
        "CREATE VIEW v AS SELECT 1 AS n; CREATE OR REPLACE VIEW v AS SELECT n FROM v",
        "view public.v reads itself",
    ),
    "a view that reads no column of itself": (
        "CREATE VIEW v AS SELECT 1 AS n; CREATE OR REPLACE VIEW v AS SELECT 1 AS n FROM v",
        "view public.v reads itself",
    ),
    "a function that calls itself": (
        "CREATE FUNCTION f(n int) RETURNS int LANGUAGE sql AS 'SELECT 1';"
        "CREATE OR REPLACE FUNCTION f(n int) RETURNS int LANGUAGE sql RETURN f(n - 1)",
        "function public.f(integer) needs itself",
    ),
    "a default of an argument": (
        "CREATE FUNCTION f(n int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT n';"
        "CREATE OR REPLACE FUNCTION f(n int DEFAULT f(2)) RETURNS int LANGUAGE sql AS 'SELECT n'",
        "function public.f(integer) needs itself",
    ),
    "two functions, one an aggregate": (
        "CREATE FUNCTION f(s int, n int) RETURNS int LANGUAGE sql AS 'SELECT n';"
        "CREATE AGGREGATE a(int) (sfunc = f, stype = int);"
        "CREATE OR REPLACE FUNCTION f(s int, n int) RETURNS int LANGUAGE sql RETURN (SELECT a(n))",
        "function public.f(integer,integer), function public.a(integer) need each other",
    ),
    "an operator": (
        "CREATE FUNCTION f(a int, b text) RETURNS bool LANGUAGE sql AS 'SELECT true';"
        "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = text, FUNCTION = f);"
        "CREATE OR REPLACE FUNCTION f(a int, b text) RETURNS bool LANGUAGE sql RETURN a === b",
        "function public.f(integer,text), operator public.===(integer,text) need each other",
    ),
    "a materialized view": (
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';"
        "CREATE MATERIALIZED VIEW m AS SELECT f() AS n;"
        "CREATE OR REPLACE FUNCTION f() RETURNS bigint LANGUAGE sql"
        " RETURN (SELECT count(*) FROM m)",
        "function public.f(), materialized view public.m need each other",
    ),
    "the default of a domain": (
        "CREATE DOMAIN d AS int; CREATE FUNCTION f() RETURNS d LANGUAGE sql AS 'SELECT 1::int';"
        "ALTER DOMAIN d SET DEFAULT f()",
        "type public.d, function public.f() need each other",
    ),
    "a generated column": (
        "CREATE TABLE t (n int);"
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';"
        "ALTER TABLE t ADD m int GENERATED ALWAYS AS (f() + n) STORED;"
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE"
        " RETURN (SELECT count(*)::int FROM t)",
        "function public.f(), table public.t need each other",
    ),
}
# pg_dump takes these apart: it makes a view without its query, or a default or a check later.
NO_CIRCLES = """
CREATE TABLE t (id serial, n int DEFAULT 1 CHECK (n > 0), g int GENERATED ALWAYS AS (7) STORED);
CREATE FUNCTION of_row(t) RETURNS int LANGUAGE sql IMMUTABLE RETURN 1;
CREATE FUNCTION rows(a t DEFAULT NULL) RETURNS SETOF t LANGUAGE sql
    BEGIN ATOMIC SELECT * FROM t; END;
CREATE VIEW v AS SELECT id, n, g FROM rows();
CREATE OR REPLACE FUNCTION rows(a t DEFAULT NULL) RETURNS SETOF t LANGUAGE sql
    BEGIN ATOMIC SELECT id, n, g FROM v; END;
ALTER TABLE t ALTER n SET DEFAULT of_row(NULL::t), ADD CHECK (of_row(t) > 0);
CREATE VIEW left_one AS SELECT 1 AS n;
CREATE VIEW right_one AS SELECT n FROM left_one;
CREATE OR REPLACE VIEW left_one AS SELECT n FROM right_one;
CREATE FUNCTION next() RETURNS bigint LANGUAGE sql RETURN nextval('t_id_seq');
CREATE FUNCTION again(n int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT again(n - 1)';
CREATE DOMAIN d AS int DEFAULT 5 CHECK (value > 0);
CREATE TYPE span AS RANGE (subtype = d);
CREATE FUNCTION ends(span DEFAULT span(1, 2)) RETURNS span LANGUAGE sql RETURN $1;
INSERT INTO t DEFAULT VALUES;
"""


@pytest.fixture
def make_circle(start_server, make_project, ssh):
    made = []

    def make(major, sql):
        pg = start_server(major)
        drop(pg)
        pg.superuser(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        made.append(pg)
        pg.superuser(f"GRANT ALL ON SCHEMA public TO {OWNER}", DATABASE)
        pg.run_as(OWNER, f"SET check_function_bodies = off; {sql}", DATABASE)
        return make_project(pg, ssh, DB_NAME=DATABASE, BACKUP_REHEARSAL="require")

    yield make
    for pg in made:
        drop(pg)


def drop(pg):
    pg.superuser(f"DROP DATABASE IF EXISTS {identifier(DATABASE)} WITH (FORCE)")


SOME = ("a view that reads itself", "a function that calls itself", "a materialized view")
CASES = [
    pytest.param(major, kind, marks=() if major == 14 and kind in SOME else pytest.mark.thorough)
    for major in (14, 18)
    for kind in CIRCLES
]


@pytest.mark.parametrize(("major", "kind"), CASES)
def test_what_no_archive_can_bring_back_fails_the_gate_by_name(make_circle, major, kind):
    sql, told = CIRCLES[kind]
    project = make_circle(major, sql)

    done = project.predeploy()

    assert done.returncode == 14, done.stdout + done.stderr
    assert told in done.stderr
    assert project.archives() == []


@pytest.mark.parametrize("major", [14, 18])
def test_what_pg_dump_takes_apart_is_no_circle(make_circle, major):
    project = make_circle(major, NO_CIRCLES)
    done = project.predeploy()
    assert done.returncode == 0, done.stdout + done.stderr
    before = dumped(project)
    by(OWNER, project, "DROP TABLE t CASCADE; DROP VIEW left_one CASCADE;")

    restored(project)

    assert plain_dump(project.pg, DATABASE) == before
