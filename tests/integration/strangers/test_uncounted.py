"""A table that cannot be counted, or hashed, stops no dump and no restore: it is named instead."""

import os
from html import unescape

import pytest

from sandbox.postgres import create_owner
from tests.project import PASSWORD

# The planner unfolds the index's function into the query, and cannot find what its body names.
UNFOLDED = """
CREATE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT lower($1)';
CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL);
CREATE INDEX ON people (fold(name));
CREATE INDEX ON people (id) WHERE fold(name) > 'a';
INSERT INTO people SELECT n, E'Zo\\n\\t\\\\.' || n FROM generate_series(1, 30) n;
CREATE FUNCTION lowered(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT lower($1)';
CREATE OR REPLACE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT lowered($1)';
"""
# The planner runs it, as its arguments are constants; it fails in whatever query counts.
RUN = """
CREATE FUNCTION refuse(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    IF current_query() LIKE '%count(%' THEN RAISE 'not to be counted'; END IF;
    RETURN 1;
END $$;
CREATE TABLE "odd
 :name \\! ""x" (a text, b smallint DEFAULT 3);
CREATE INDEX ON "odd
 :name \\! ""x" ((refuse(1) + b));
INSERT INTO "odd
 :name \\! ""x" VALUES ('x'), (E'two\\nlines');
CREATE TABLE without_columns ();
CREATE INDEX ON without_columns ((refuse(2)));
INSERT INTO without_columns DEFAULT VALUES;
"""
ODD = r'rows=2 public."odd  :name \! ""x"'


def database(start_server, make_project, ssh, major, sql, **settings):
    pg, name = start_server(major), f"uncounted{os.urandom(3).hex()}"
    create_owner(pg, role=name, password=PASSWORD, database=name)
    pg.run_as(name, sql + "CREATE TABLE plain AS SELECT 1 AS n;", name)
    return make_project(pg, ssh, DB_NAME=name, DB_USER=name, **settings)


def kept(project, key):
    lines = project.archives()[-1].with_suffix(".manifest").read_text().splitlines()
    return [line for line in lines if line.startswith(key)]


@pytest.mark.parametrize(
    "major", [None, *(pytest.param(n, marks=pytest.mark.thorough) for n in (14, 15, 16, 17, 18))]
)
def test_a_table_that_the_planner_cannot_plan_for_is_counted_all_the_same(
    start_server, make_project, ssh, major
):
    project = database(start_server, make_project, ssh, major, UNFOLDED + RUN)

    done = project.predeploy()

    assert done.returncode == 0, done.stderr
    expected = {"rows=30 public.people", "rows=1 public.plain", "rows=1 public.without_columns"}
    assert set(kept(project, "rows=")) == {*expected, ODD}
    assert "could not be" not in done.stderr


@pytest.mark.parametrize(
    "major", [None, *(pytest.param(n, marks=pytest.mark.thorough) for n in (14, 18))]
)
def test_a_table_that_cannot_be_hashed_is_named_and_compared_by_its_rows_alone(
    start_server, make_project, ssh, major
):
    project = database(start_server, make_project, ssh, major, RUN, BACKUP_DRILL="cluster")

    done = project.predeploy(BACKUP_PROOF="equal")

    assert done.returncode == 0, done.stderr
    assert "the contents of public.without_columns could not be hashed" in done.stderr
    assert "content=rows:unknown public.without_columns" in kept(project, "content=")
    assert ODD in kept(project, "rows=")


@pytest.fixture
def blind(start_server, make_project, ssh):
    """A project whose psql cannot copy a table either."""
    project = database(start_server, make_project, ssh, None, RUN)
    stubs = project.ssh.home / f"blind-{os.urandom(4).hex()}"
    stubs.mkdir()
    for program in ("pg_dump", "pg_restore"):
        (stubs / program).symlink_to(project.pg.bin_dir / program)
    spoilt = f"""sed -u 's/COPY %I/COPX %I/' | "{project.pg.bin_dir}/psql" "$@" """
    (stubs / "psql").write_text(f"#!/bin/sh\n{spoilt}\n")
    (stubs / "psql").chmod(0o755)
    return project.with_profile(DB_BIN_DIR=str(stubs))


def test_a_table_that_cannot_be_counted_at_all_is_told_in_log_manifest_plan_and_restore(blind):
    summary = blind.directory / "summary.md"
    done = blind.predeploy(GITHUB_STEP_SUMMARY=str(summary))

    assert done.returncode == 0, done.stderr
    assert "the rows of public.without_columns could not be counted" in done.stderr
    assert "rows=unknown public.without_columns" in kept(blind, "rows=")
    assert "rows=1 public.plain" in kept(blind, "rows=")
    assert "public.without_columns could not be counted" in unescape(summary.read_text())

    # They can be counted now, though not when the archive was taken.
    blind.pg.run_as(
        blind.profile["DB_USER"],
        "CREATE OR REPLACE FUNCTION refuse(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
        blind.profile["DB_NAME"],
    )
    able = blind.with_profile(DB_BIN_DIR=str(blind.pg.bin_dir))
    plan = able.fab("-H", "demo", "restore", "--file=latest", "--plan")
    assert "not counted: " in plan.stdout
    assert "public.without_columns" in plan.stdout
    restored = able.fab("-H", "demo", "restore", "--file=latest", "--yes", "--mode=transaction")
    assert restored.returncode == 0, restored.stderr
    assert "but for these, which were not counted: " in restored.stdout


def test_a_table_that_differs_is_still_found_beside_one_that_cannot_be_counted(blind):
    assert blind.predeploy().returncode == 0
    manifest = blind.archives()[-1].with_suffix(".manifest")
    text = manifest.read_text().replace("rows=1 public.plain", "rows=2 public.plain")
    manifest.write_text(text)

    done = blind.fab("-H", "demo", "restore", "--file=latest", "--yes", "--mode=transaction")

    assert done.returncode == 15
    assert "rows=2 public.plain" in done.stderr
