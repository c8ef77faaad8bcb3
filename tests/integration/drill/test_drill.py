"""The proof by a test restore: it holds for all that a database can hold, and sees what differs."""

import os
import re

import pytest

from sandbox.postgres import create_owner, literal
from sandbox.shop import fill
from tests.integration.ci.test_progress import HURRIED
from tests.integration.drills import (
    EQUAL,
    drill_db,
    grade,
    manifest,
    nothing_stays,
    statement,
    tampered,
)
from tests.integration.everything import PUBLIC_BELONGS_TO_THE_OWNER, create_everything
from tests.project import OWNER, PASSWORD, ROWS

__all__ = ["drill_db", "tampered"]  # fixtures
GROWN = re.compile(r"restoring to compare: \d[^,]* (of about|so far)")


@pytest.mark.parametrize("major", [14, 17, 18])
def test_everything_that_a_database_can_hold_comes_back_equal_in_a_server_of_its_own(
    start_server, make_project, ssh, major
):
    pg = start_server(major)
    database = f"everything{major}"
    create_owner(pg, role="keeper", password=PASSWORD, database=database)
    create_everything(pg, database, "keeper", inheritance=True)
    elsewhere = pg.data_dir.parent / "elsewhere"
    elsewhere.mkdir()
    os.chown(elsewhere, pg.data_dir.stat().st_uid, -1)
    pg.superuser(f"CREATE TABLESPACE elsewhere LOCATION '{elsewhere}'")
    pg.superuser("ALTER TABLE shop.orders SET TABLESPACE elsewhere", database)
    settings = {"DB_NAME": database, "DB_USER": "keeper", "BACKUP_DRILL": "cluster"}
    project = make_project(pg, ssh, **settings)

    done = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 0, done.stderr
    assert grade(project) == "equal"
    nothing_stays(project)


@pytest.mark.parametrize("major", [14, 17])
def test_it_comes_back_equal_in_a_new_database_where_the_role_may_create_one(
    start_server, make_project, ssh, major
):
    pg = start_server(major)
    database = f"more{major}"
    create_owner(pg, role="creator", password=PASSWORD, database=database)
    pg.superuser("ALTER ROLE creator CREATEDB")
    if major >= PUBLIC_BELONGS_TO_THE_OWNER:
        create_everything(pg, database, "creator", foreign_extension=False)
    else:  # a new database's schema public is a superuser's, which no owner can make what it was
        fill(pg, database=database, owner="creator", rows=ROWS)
    settings = {"DB_NAME": database, "DB_USER": "creator", "BACKUP_DRILL": "database"}
    project = make_project(pg, ssh, **settings)

    done = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 0, done.stderr
    assert grade(project) == "equal"
    nothing_stays(project)


@pytest.mark.parametrize(
    "line",
    [
        "-- a comment",
        "\\restrict x",
        "REFRESH MATERIALIZED VIEW x;",
        "ALTER PUBLICATION x OWNER TO y;",
        "",
    ],
)
def test_a_line_is_missed_that_looks_like_one_of_a_script_alone(project, tampered, line):
    comment = "COMMENT ON TABLE offers IS"
    project.pg.run_as("shop", f"{comment} {literal(f'a{chr(10)}{line}{chr(10)}b')}", "shop")
    without = rf"{comment} E'a\\nb'"  # as it stands in double quotes of a shell
    changed = tampered(statement(without), BACKUP_DRILL="cluster")

    done = changed.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 13
    assert "schema" in done.stderr
    project.pg.run_as("shop", f"{comment} NULL", "shop")


def test_what_only_a_superuser_may_make_is_refused_with_a_way_out(pg, make_project, ssh):
    pg.superuser("CREATE DATABASE owned_by_a_superuser")
    pg.superuser(
        "CREATE TABLE t (n int); CREATE ROLE app; GRANT app TO postgres; CREATE SCHEMA s;"
        "CREATE TABLE s.of_another (n int); ALTER TABLE s.of_another OWNER TO app;",
        "owned_by_a_superuser",
    )
    settings = {"DB_NAME": "owned_by_a_superuser", "DB_USER": "postgres"}
    pg.superuser(f"ALTER ROLE postgres PASSWORD {literal(PASSWORD)}")
    project = make_project(pg, ssh, **settings, BACKUP_DRILL="cluster")
    try:
        done = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)
        assert done.returncode == 0, done.stderr

        operators = "AS OPERATOR 1 <, FUNCTION 1 btint4cmp(int4, int4)"
        sql = f"CREATE OPERATOR CLASS oc FOR TYPE int4 USING btree {operators}"
        pg.superuser(sql, "owned_by_a_superuser")
        done = project.fab("-H", "demo", "predeploy", "--version=v2", EQUAL)

        assert done.returncode == 13
        assert "superuser" in done.stderr
        assert "BACKUP_DRILL=database" in done.stderr
        elsewhere = project.with_profile(BACKUP_DRILL="database")
        assert elsewhere.fab("-H", "demo", "predeploy", "--version=v2", EQUAL).returncode == 0
    finally:
        pg.superuser("DROP DATABASE owned_by_a_superuser WITH (FORCE); DROP ROLE app")


def test_an_archive_that_comes_back_otherwise_keeps_its_grade(project, tampered):
    assert project.predeploy(BACKUP_CONTENT="hash").returncode == 0
    changed = tampered(statement("UPDATE customers SET full_name = 'Eve'"))

    done = changed.fab("-H", "demo", "verify", EQUAL)

    assert done.returncode == 13
    assert grade(changed) == "read"
    nothing_stays(changed)
    counted = changed.fab("-H", "demo", "verify", "--proof=restored")
    assert counted.returncode == 0, counted.stderr
    assert grade(changed) == "restored"


def test_rows_that_are_missing_are_seen_by_their_number_alone(project, tampered):
    assert project.predeploy().returncode == 0
    changed = tampered(statement("DELETE FROM price_alerts"))

    done = changed.fab("-H", "demo", "verify", "--proof=restored")

    assert done.returncode == 13
    assert grade(changed) == "read"


def test_hashes_that_were_not_taken_cannot_be_compared_which_is_14(project):
    assert project.predeploy().returncode == 0

    done = project.fab("-H", "demo", "verify", EQUAL)

    assert done.returncode == 14
    assert "BACKUP_CONTENT=hash" in done.stderr
    assert grade(project) == "read"
    nothing_stays(project)


def test_a_sequence_that_goes_on_during_the_dump_is_no_difference(project, tampered):
    moving = tampered(":")
    stubs = moving.ssh.home / moving.profile["DB_BIN_DIR"]
    (stubs / "pg_dump").unlink()
    sql = "SELECT nextval('order_numbers') FROM generate_series(1, 5)"
    (stubs / "pg_dump").write_text(
        f"#!/bin/sh\nset -e\nreal={moving.pg.bin_dir}\n"
        'next() { case "$*" in *--snapshot*) "$real/psql" -X -q -o /dev/null -c "'
        + sql
        + '" ;; esac; }\n'
        'next "$@"\n"$real/pg_dump" "$@"\nnext "$@"\n'
    )
    (stubs / "pg_dump").chmod(0o755)

    done = moving.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 0, done.stderr
    lines = [value for key, value in manifest(moving) if key == "content"]
    assert any(".." in line and line.endswith(" public.order_numbers") for line in lines)


@pytest.mark.parametrize("place", ["cluster", "database"])
def test_how_much_of_the_database_is_there_again_is_told_meanwhile(drill_db, tampered, place):
    gate = drill_db.ssh.home / f"go-{drill_db.backup_dir.name}"
    named = {"BACKUP_DRILL": place, "BACKUP_DRILL_DB": "Probe 1"}
    waiting = tampered(f"while [ ! -e {gate} ]; do sleep 0.1; done", **named)
    (waiting.directory / "fabfile.py").write_text(HURRIED)

    run = waiting.start("-H", "demo", "predeploy", "--version=v1", EQUAL)
    told = next((line for line in run.stderr if GROWN.search(line)), None)
    gate.touch()
    _, errors = run.communicate(timeout=120)

    assert told is not None, errors
    assert run.returncode == 0, errors


def test_the_hashes_of_one_content_are_the_same_in_every_major_version(
    start_server, make_project, ssh
):
    """So that a server of another version, as one that was upgraded, can prove an archive."""
    told = []
    for major in (14, 18):
        pg = start_server(major)
        pg.superuser(f"CREATE DATABASE values{major} OWNER shop")
        pg.run_as("shop", VALUES, f"values{major}")
        project = make_project(pg, ssh, DB_NAME=f"values{major}", BACKUP_CONTENT="hash")
        assert project.predeploy().returncode == 0
        told.append([value for key, value in manifest(project) if key == "content"])
    assert told[0] == told[1]
    assert len(told[0]) == 4


# Each type that is hashed as it is, and some that are written out first.
VALUES = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN small AS integer;
CREATE SEQUENCE numbers;
CREATE TABLE hashed AS SELECT true AS a, 'c'::"char" AS b, 'n'::name AS c, 2::int2 AS d, 4 AS e,
    8::int8 AS f, 9::oid AS g, 1.5::float4 AS h, 'NaN'::float8 AS i, 1.50::numeric AS j,
    't'::text AS k,
    'v'::varchar AS l, 'p'::char(5) AS m, '\\x00ff'::bytea AS n, '2025-03-14'::date AS o,
    '12:00'::time AS p, '12:00+02'::timetz AS q, '2025-03-14 12:00'::timestamp AS r,
    '2025-03-14 12:00+02'::timestamptz AS s, '00000000-0000-0000-0000-000000000001'::uuid AS t,
    '{"a": [1, null]}'::jsonb AS u, '10.0.0.1'::inet AS v, '10.0.0.0/8'::cidr AS w,
    '08:00:2b:01:02:03'::macaddr AS x, '08:00:2b:01:02:03:04:05'::macaddr8 AS y, '1/2'::pg_lsn AS z;
INSERT INTO hashed (a) VALUES (NULL), (NULL);
CREATE TABLE written AS SELECT 'glad'::mood AS a, ROW(1, 'x')::pair AS b, 7::small AS c,
    '{{1,2},{3,NULL}}'::integer[] AS d, '[1,2)'::int4range AS e, '1 mon'::interval AS f,
    '{"b": 1}'::json AS g, '<a/>'::xml AS h, '(1,2)'::point AS i, B'101' AS j,
    12.5::numeric::money AS k, 'a b'::tsvector AS l, '{glad,sad}'::mood[] AS m,
    'pg_class'::regclass AS n;
"""


def test_the_script_on_the_host_makes_no_test_restore_and_says_so(project):
    done = project.fab("-H", "demo", "install", BACKUP_PROOF="equal")

    assert done.returncode == 2
    assert "makes no test restore" in done.stderr
    assert not (project.ssh.home / "remote-backup.sh").exists()


def test_an_empty_database_may_hold_extensions_that_a_superuser_has_made(pg, make_project, ssh):
    name, place = f"with_ext_{os.urandom(3).hex()}", f"place_{os.urandom(3).hex()}"
    for database in (name, place):
        pg.superuser(f"CREATE DATABASE {database} OWNER {OWNER}")
        pg.superuser("CREATE EXTENSION citext; CREATE EXTENSION hstore", database)
    pg.superuser(f"GRANT ALL ON SCHEMA public TO {OWNER}", name)
    pg.run_as(OWNER, "CREATE TABLE a (h hstore); INSERT INTO a VALUES ('a=>1')", name)
    project = make_project(pg, ssh, DB_NAME=name, BACKUP_DRILL="database", BACKUP_DRILL_DB=place)

    done = project.fab("-H", "demo", "predeploy", "--version=v1", "--proof=equal")

    assert done.returncode == 0, done.stdout + done.stderr
    for database in (name, place):
        pg.superuser(f"DROP DATABASE {database} WITH (FORCE)")
