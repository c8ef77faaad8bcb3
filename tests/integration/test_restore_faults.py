"""Faults at every stage of a restore: it says so, and leaves the database exactly as it was."""

import os
import random
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.postgres import Postgres
from tests.integration.conftest import OWNER, Project
from tests.integration.everything import plain_dump
from tests.integration.test_interrupts import remote_processes, sessions, wait_for

DATABASE = "faults"
UNCHANGED = "the database is as it was"
_numbers = count()

CONTENTS = """
CREATE TABLE customers (id int PRIMARY KEY);
INSERT INTO customers VALUES (1);
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, what text);
INSERT INTO orders SELECT n, 1, 'order ' || n FROM generate_series(1, 200) n;
CREATE SEQUENCE numbers;
CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM orders;
SELECT lo_from_bytea(4711, 'a picture');
CREATE FUNCTION steady(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    IF current_query() LIKE 'ANALYZE%' THEN
        PERFORM pg_sleep(current_setting('test.analyze_seconds', true)::numeric);
    END IF;
    RETURN n;
END
$$;
CREATE INDEX steadily ON orders (steady(id));
CREATE SCHEMA extra;
GRANT SELECT ON orders TO PUBLIC;
"""
RUIN = """
DROP TABLE customers CASCADE;
INSERT INTO orders VALUES (201, 1, 'since');
ALTER TABLE orders ADD COLUMN half_done int;
CREATE TABLE added AS SELECT 1 AS n;
SELECT lo_put(4711, 0, 'overwritten');
"""


@dataclass(frozen=True)
class Shop:
    """A project, and what its database holds: as in its archive, and after a deploy that failed."""

    project: Project
    archived: str
    ruined: str

    @property
    def pg(self) -> Postgres:
        return self.project.pg

    def restore(self, *flags, **changes):
        return self.project.fab(*restoring(*flags), **changes)

    def now(self):
        return plain_dump(self.pg, DATABASE)


def restoring(*flags):
    return ("-H", "demo", "restore", "--file=latest", "--mode=transaction", "--yes", *flags)


def create_shop(project):
    """The ruined database is a template: a fresh one of it takes a moment."""
    pg = project.pg
    for database in (DATABASE, "faults_ruined"):
        pg.superuser(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
    pg.superuser(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    pg.run_as(OWNER, CONTENTS, DATABASE)
    archived = plain_dump(pg, DATABASE)
    assert project.predeploy().returncode == 0
    pg.run_as(OWNER, RUIN, DATABASE)
    ruined = plain_dump(pg, DATABASE)
    pg.superuser(f"ALTER DATABASE {DATABASE} RENAME TO faults_ruined")
    return archived, ruined


@pytest.fixture(scope="module")
def known():
    return SimpleNamespace(texts=None, directory=f"faults-{os.getpid()}")


@pytest.fixture
def shop(make_project, pg, ssh, known) -> Shop:
    backup_dir = ssh.home / known.directory
    made = make_project(pg, ssh, DB_NAME=DATABASE, BACKUP_DIR=str(backup_dir))
    project = Project(made.directory, pg, ssh, made.secrets, backup_dir, made.profile)
    if known.texts is None:
        known.texts = create_shop(project)
    pg.superuser(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    pg.superuser(f"CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE faults_ruined")
    return Shop(project, *known.texts)


def with_stub(shop, part, script, injected="", program="pg_restore"):
    """The shop on a host whose program, for this part of the script, does what this one says."""
    project, real = shop.project, shop.pg.bin_dir
    stubs = project.ssh.home / f"stubs-{os.getpid()}-{next(_numbers)}"
    stubs.mkdir()
    for each in {"pg_dump", "pg_restore", "psql"} - {program}:
        (stubs / each).symlink_to(real / each)
    (stubs / "injected.sql").write_text(injected)
    (stubs / program).write_text(
        "#!/bin/sh\n"
        f"real={shlex.quote(str(real / program))} injected={shlex.quote(str(stubs))}/injected.sql\n"
        f'case "$*" in *{part}*) ;; *) exec "$real" "$@" ;; esac\n{script}\n'
    )
    (stubs / program).chmod(0o755)
    stubbed = project.with_profile(DB_BIN_DIR=str(stubs))
    return Shop(stubbed, shop.archived, shop.ruined)


def at_the_end(sql):
    return r"""exec "$real" "$@" | sed "/^.unrestrict/r $injected" """, sql


def our_sessions(shop, condition="true"):
    answer = shop.pg.superuser(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'fabric-predeploy'"
        f" AND datname = '{DATABASE}' AND {condition}"
    )
    return [int(line) for line in answer.splitlines()]


def archives(shop):
    return {path.name: path.read_bytes() for path in shop.project.archives()}


def assert_nothing_of_it_is_left(shop):
    wait_for(lambda: not our_sessions(shop), 8)
    wait_for(lambda: not remote_processes(shop.project))


def assert_unchanged(shop, before, done, code):
    """The one invariant: whatever went wrong, it is as if it had not been, and is told so."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert_nothing_of_it_is_left(shop)
    assert shop.now() == shop.ruined
    assert shop.project.status()["result"] == "failure"
    if code == 15:
        assert UNCHANGED in done.stderr
    kept = archives(shop)
    assert {name: kept[name] for name in before} == before
    assert_the_next_one_restores(shop)


def assert_the_next_one_restores(shop):
    healthy = Shop(
        shop.project.with_profile(DB_BIN_DIR=str(shop.pg.bin_dir)), shop.archived, shop.ruined
    )
    again = healthy.restore("--no-safety")
    assert again.returncode == 0, again.stderr
    assert shop.now() == shop.archived
    assert shop.project.leftovers() == []


THROUGH = 'exec "$real" "$@" | sed'
SCRIPTS = {
    "a row of the wrong type": ("main", f"{THROUGH} 's/^50\\t/fifty\\t/'"),
    "a row without its parent": ("main", f"{THROUGH} 's/^50\\t1/50\\t2/'"),
    "a row that is missing": ("main", f"{THROUGH} '/^50\\t/d'"),
    "rows cut off, exit 0": ("main", f"{THROUGH} '/^50\\t/q'"),
    "indexes cut off, exit 0": ("main", f"{THROUGH} '/^-- Name: steadily/q'"),
    "all of it, exit 1": ("main", '"$real" "$@"; exit 1'),
    "nothing, exit 1": ("main", "exit 1"),
    "nothing, exit 0": ("main", "exit 0"),
    "half of it, killed": ("main", '"$real" "$@" | head -n 90; kill -KILL $$'),
    "schemas, exit 1": ("schemas", "exit 1"),
    "an error in the large objects": ("blobs", f"{THROUGH} 's/lowrite(0/lowrite(9/'"),
    "large objects cut off, exit 1": ("blobs", '"$real" "$@" | head -n 25; exit 1'),
    "grants, exit 1": ("grants", "exit 1"),
}


@pytest.mark.parametrize(("part", "script"), SCRIPTS.values(), ids=SCRIPTS.keys())
def test_a_script_that_is_not_whole_restores_nothing(shop, part, script):
    before = archives(shop)
    stubbed = with_stub(shop, f"{part}.list", script)
    assert_unchanged(shop, before, stubbed.restore(), 15)
