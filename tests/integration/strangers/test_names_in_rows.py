"""Rows and definitions that name an index, or what else an archive makes after the rows."""

import os

import pytest

from sandbox.postgres import create_owner
from tests.integration.round_trip import round_trip
from tests.project import PASSWORD

MAJORS = [None, *(pytest.param(n, marks=pytest.mark.thorough) for n in (14, 15, 16, 18))]
GROUND = """
SET search_path = app;
CREATE TABLE t (n int PRIMARY KEY, m int); INSERT INTO t VALUES (1, 2);
CREATE INDEX t_n ON t (n);
CREATE MATERIALIZED VIEW late AS SELECT n, m FROM t GROUP BY n; CREATE INDEX late_n ON late (n);
"""
# Of each type that is written as a name, in a column, an array, a domain and a composite; a trigger
# and a key that must come after the rows; numbers that name nothing.
ROWS = """
CREATE TYPE holder AS (r regclass); CREATE DOMAIN index_name AS regclass;
CREATE FUNCTION counts(int) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE TEXT SEARCH CONFIGURATION words (COPY = english);
CREATE TABLE a (k int PRIMARY KEY, r regclass, h holder, d index_name, l regclass[], p regprocedure,
    f regproc, y regtype, c regconfig, s regnamespace, w regrole, t int REFERENCES t);
INSERT INTO a VALUES
    (1, 't_n', ROW('t_pkey'), 'late_n', '{late,t_n}', 'counts(int)', 'counts', 'late', 'words',
        'app', current_user::regrole, 1),
    (2, 'a_pkey', NULL, '-', '{}', 0, 'now', 'int', 'english', 'pg_catalog', NULL, NULL),
    (3, 4711, ROW(NULL), 'pg_class', NULL, 'lower(text)', 0, 0, NULL, NULL, 4711, NULL);
CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
CREATE TRIGGER fires BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION fires();
"""
# Whose rows are read by a check of a table that comes first.
READ_BY_A_CHECK = """
CREATE TABLE kinds (k regclass PRIMARY KEY); INSERT INTO kinds VALUES ('app.kinds');
CREATE FUNCTION known(text) RETURNS bool LANGUAGE plpgsql AS
    $$ BEGIN RETURN EXISTS (SELECT FROM app.kinds WHERE k = $1::regclass); END $$;
CREATE TABLE checked (k text CHECK (known(k))); INSERT INTO checked VALUES ('app.kinds');
"""
IMPOSSIBLE = {
    "CREATE TABLE a (r regclass DEFAULT 't_n')": "column r of table app.a",
    "CREATE TABLE a (n int, r oid GENERATED ALWAYS AS ('t_n'::regclass::oid) STORED)": (
        "column r of table app.a"
    ),
    "CREATE DOMAIN d AS regclass DEFAULT 't_pkey'": "the type app.d",
    "CREATE TABLE a (n oid) PARTITION BY LIST ((n = 't_n'::regclass::oid))": "the table app.a",
    "CREATE TABLE a (r regclass DEFAULT 'late')": "column r of table app.a",
}


@pytest.mark.parametrize("major", MAJORS)
def test_rows_that_name_an_index_come_back(start_server, make_project, ssh, major):
    with round_trip(start_server(major), ssh, make_project) as trip:
        trip.fill(GROUND + ROWS)

        trip.holds()


def test_a_test_restore_brings_back_rows_that_name_an_index(pg, make_project, ssh):
    with round_trip(pg, ssh, make_project, BACKUP_DRILL="cluster") as trip:
        trip.fill(GROUND + ROWS + READ_BY_A_CHECK)

        done = trip.predeploy("--proof=equal")

        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("major", MAJORS)
def test_rows_that_name_a_table_come_before_a_check_that_reads_them(
    start_server, make_project, ssh, major
):
    with round_trip(start_server(major), ssh, make_project) as trip:
        trip.fill(GROUND + READ_BY_A_CHECK)

        trip.holds()


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize("definition", IMPOSSIBLE)
def test_a_definition_that_needs_an_index_before_there_is_one_is_named(
    start_server, make_project, ssh, major, definition
):
    pg, name = start_server(major), f"needs_index{os.urandom(3).hex()}"
    create_owner(pg, role=name, password=PASSWORD, database=name)
    pg.run_as(name, f"CREATE SCHEMA app; {GROUND} {definition}", name)
    project = make_project(pg, ssh, DB_NAME=name, DB_USER=name)

    done = project.predeploy(BACKUP_REHEARSAL="require")

    assert done.returncode == 14, done.stderr
    assert f"{IMPOSSIBLE[definition]} names " in done.stderr
    assert "write the name as a text, as in (" in done.stderr

    # As the message says.
    mended = "SET search_path = app; DROP TABLE IF EXISTS a; DROP DOMAIN IF EXISTS d;"
    mended += "CREATE TABLE a (n int, r regclass DEFAULT ('app.t_n'::text)::regclass)"
    pg.run_as(name, mended, name)
    assert project.predeploy(BACKUP_REHEARSAL="require").returncode == 0
