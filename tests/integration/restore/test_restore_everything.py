"""What comes back, on every supported major version: all of it; or the plan says what would not."""

import json
import re
import subprocess
import time

import pytest

from sandbox.postgres import identifier, literal
from sandbox.sshd import available, openssh
from tests.integration.databases import (
    archived,
    drop,
    dumped,
    is_refused,
    make_database,
    restore,
    restored,
)
from tests.integration.everything import create_everything, fail_a_deploy, plain_dump
from tests.project import OWNER, PASSWORD

__all__ = ["make_database"]  # fixtures
MAJORS = (14, 15, 16, 17, 18)
SAFE_REFRESH = 17  # from here on, the session's search_path does not reach into a refresh


def restored_by_hand(project):
    """What pg_restore makes of the archive in an empty database."""
    pg, archive = project.pg, project.archives()[0]
    drop(pg, "by_hand")
    pg.superuser(f"CREATE DATABASE by_hand OWNER {OWNER}")
    try:
        command = [pg.bin_dir / "pg_restore", "--exit-on-error", "--file=-", archive]
        script = subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout
        if pg.major < SAFE_REFRESH:
            refresh = "REFRESH MATERIALIZED VIEW public.by_search_path;"
            assert refresh in script
            script = script.replace(refresh, "RESET search_path;" + refresh)
        pg.superuser(script, "by_hand")
        return plain_dump(pg, "by_hand")
    finally:
        drop(pg, "by_hand")


@pytest.mark.parametrize("major", MAJORS)
def test_a_database_with_everything_in_it_comes_back_byte_for_byte(make_database, major):
    project = make_database(major)
    create_everything(project.pg, "everything", OWNER)
    archived(project)
    before = dumped(project)
    fail_a_deploy(project.pg, "everything", OWNER)
    assert dumped(project) != before

    restored(project)

    assert dumped(project) == before
    # None has the OID that the archive knows.
    plan = restore(project, "--file=latest", "--plan", "--json")
    assert json.loads(plan.stdout)["disappears"] == []


@pytest.mark.parametrize("major", MAJORS)
def test_what_pg_dump_does_not_round_trip_is_what_a_restore_into_an_empty_database_makes_of_it(
    make_database, major
):
    """Without what a superuser installed in `public`, the deploy may drop even that."""
    project = make_database(major)
    create_everything(project.pg, "everything", OWNER, foreign_extension=False, inheritance=True)
    archived(project)
    before = dumped(project)
    fail_a_deploy(project.pg, "everything", OWNER, drop_public=True)

    restored(project)

    assert dumped(project) == restored_by_hand(project) != before


@pytest.mark.parametrize("major", [14, 15, 18])
def test_a_schema_public_that_belongs_to_the_owner_does_so_afterwards(make_database, major):
    project = make_database(major)
    pg = project.pg
    pg.superuser(f"ALTER SCHEMA public OWNER TO {OWNER}", "everything")
    pg.run_as(OWNER, "CREATE TABLE public.t AS SELECT 1 AS n;", "everything")
    archived(project)
    before, schema = dumped(project), described_public(pg)
    deploy = "DROP TABLE public.t; REVOKE ALL ON SCHEMA public FROM PUBLIC;"
    pg.run_as(OWNER, deploy, "everything")

    restored(project)
    assert dumped(project) == before

    deploy = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE public.u (n int);"
    pg.run_as(OWNER, deploy, "everything")
    archive = project.archives()[0].name
    done = restore(project, f"--file={archive}", "--yes")
    assert done.returncode == 0, done.stderr
    assert described_public(pg) == schema
    # With public, 14 has forgotten what initdb gave, and tells the same grants otherwise.
    assert dumped(project) == before or major == 14


def described_public(pg):
    return pg.superuser(
        "SELECT n.nspowner::regrole, obj_description(n.oid), array(SELECT acl::text"
        " FROM unnest(n.nspacl) AS acl ORDER BY 1) FROM pg_namespace n WHERE nspname = 'public'",
        "everything",
    )


ODD_NAMES = ["a blank", "--help", """Übung 'ß' "x" \\ $HOME %s""", "host=x port=1"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_role_and_a_database_with_odd_names_are_restored(make_database, name):
    project = make_database(None, f"{name} db", DB_USER=f"{name} role")
    pg, database, role = project.pg, f"{name} db", f"{name} role"
    pg.superuser(f"CREATE ROLE {identifier(role)} LOGIN PASSWORD {literal(PASSWORD)}")
    try:
        pg.superuser(f"ALTER DATABASE {identifier(database)} OWNER TO {identifier(role)}")
        sql = 'CREATE SCHEMA "its own"; CREATE TABLE "its own"."odd \n one" AS SELECT 1 AS n;'
        pg.run_as(role, sql + "SELECT lo_from_bytea(0, 'large')", database)
        archived(project)
        before = dumped(project)
        pg.run_as(role, 'DROP SCHEMA "its own" CASCADE; CREATE TABLE half_done ()', database)

        restored(project)

        assert dumped(project) == before
    finally:
        drop(pg, database)
        pg.superuser(f"DROP ROLE {identifier(role)}")


def test_a_superuser_restores_what_only_a_superuser_could(make_database):
    project = make_database(None, DB_USER="boss")
    pg = project.pg
    pg.superuser(f"CREATE ROLE boss SUPERUSER LOGIN PASSWORD {literal(PASSWORD)}")
    try:
        pg.superuser("ALTER DATABASE everything OWNER TO boss")
        sql = (
            "CREATE EXTENSION pageinspect; CREATE TABLE plain AS SELECT 1 AS n;"
            "CREATE FUNCTION raw(int) RETURNS int LEAKPROOF LANGUAGE internal AS 'int4abs';"
            "CREATE FUNCTION notice() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
            "CREATE EVENT TRIGGER at_end ON ddl_command_end EXECUTE FUNCTION notice();"
            "CREATE PUBLICATION everything FOR ALL TABLES;"
        )
        pg.run_as("boss", sql, "everything")
        archived(project)
        before = dumped(project)
        sql = "DROP EXTENSION pageinspect; DROP FUNCTION raw, notice CASCADE; DROP TABLE plain"
        pg.run_as("boss", sql, "everything")

        restored(project, "--mode=transaction")

        assert dumped(project) == before
    finally:
        drop(pg, "everything")
        pg.superuser("DROP ROLE boss")


@pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")
def test_the_plan_of_500_tables_takes_three_requests_and_a_few_seconds(
    ground, start_server, make_database, make_project
):
    with openssh(ground, extra_config="LogLevel VERBOSE") as ssh:
        pg = make_database().pg
        project = make_project(pg, ssh, DB_NAME="everything")
        pg.run_as(
            OWNER,
            "SELECT format('CREATE TABLE t%s (id int PRIMARY KEY)', n)"
            " FROM generate_series(1, 500) n \\gexec",
            "everything",
        )
        archived(project)
        pg.run_as(OWNER, "INSERT INTO t7 VALUES (1); DROP TABLE t8", "everything")
        log = ssh.home.parents[1] / "sshd.log"
        before, began = log.read_text().count("Starting session: "), time.monotonic()

        done = restore(project, "--file=latest", "--plan")

        assert done.returncode == 0, done.stderr
        assert "1 row in 1 table" in done.stdout
        assert log.read_text().count("Starting session: ") - before <= 3
        assert time.monotonic() - began < 15


def test_more_tables_than_one_transaction_may_lock_stop_the_deploy_with_the_remedy(make_database):
    project = make_database()
    create = "SELECT format('CREATE TABLE t%s (id serial PRIMARY KEY, t text UNIQUE)', n)"
    sql = f"{create} FROM generate_series(1, 430) n \\gexec"
    project.pg.run_as(OWNER, f"BEGIN;{sql}\nCOMMIT;", "everything")
    told = r"would need about \d+ locks, .* raise max_locks_per_transaction to (128|192)$"
    remedy = re.compile(told, re.MULTILINE)
    gate = project.predeploy(BACKUP_REHEARSAL="require")
    assert gate.returncode == 14
    assert remedy.search(gate.stderr)
    assert project.predeploy(BACKUP_REHEARSAL="warn").returncode == 0

    done = is_refused(project, "one transaction would need about")

    assert remedy.search(done.stdout)


# A table of these needs many locks when it is dropped, and few when it comes back.
BUSY_TABLES = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
SELECT format('CREATE TABLE t%s (id serial PRIMARY KEY, t text UNIQUE, p int REFERENCES t%s)',
        n, greatest(n - 1, 1)),
    format('CREATE VIEW v%s AS SELECT * FROM t%s', n, n),
    format('CREATE RULE r AS ON DELETE TO t%s DO INSTEAD NOTHING', n)
FROM generate_series(1, 190) n \\gexec
SELECT format('CREATE TRIGGER a%s BEFORE INSERT ON t%s FOR EACH ROW EXECUTE FUNCTION touch()', m, n)
FROM generate_series(1, 190) n, generate_series(1, 8) m \\gexec
"""


@pytest.mark.parametrize("major", [14, 18])
def test_what_is_told_to_fit_into_one_transaction_does(make_database, major):
    """As many tables and triggers as the server is told to have room for, and the table is full."""
    project = make_database(major)
    project.pg.run_as(OWNER, BUSY_TABLES, "everything")
    assert project.predeploy(BACKUP_REHEARSAL="require").returncode == 0
    before = dumped(project)
    project.pg.run_as(OWNER, "CREATE TABLE since AS SELECT * FROM t1", "everything")
    restored(project, "--mode=transaction")
    assert dumped(project) == before
