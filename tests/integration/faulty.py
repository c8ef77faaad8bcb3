"""A shop whose restores are made to fail, and what must hold then."""

import os
import shlex
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace

import pytest

from sandbox.postgres import Postgres
from tests.integration.everything import plain_dump
from tests.processes import remote_processes, wait_for
from tests.project import OWNER, Project

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
    settings = {"DB_NAME": DATABASE, "BACKUP_DIR": str(backup_dir), "BACKUP_RECONNECT": "0"}
    made = make_project(pg, ssh, **settings)
    project = Project(made.directory, pg, ssh, made.secrets, backup_dir, made.profile)
    if known.texts is None:
        known.texts = create_shop(project)
    renew(pg)
    return Shop(project, *known.texts)


def renew(pg):
    pg.superuser(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    pg.superuser(f"CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE faults_ruined")


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


def our_sessions(shop, condition="true"):
    answer = shop.pg.superuser(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'fabric-predeploy'"  # noqa: S608
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
    if code in (15, 130):
        assert UNCHANGED in done.stderr
    for command in ("status", "logs"):
        if (command, code) != ("logs", 1):  # a shell that was killed writes no log
            assert UNCHANGED in shop.project.fab("-H", "demo", command).stdout
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
AT_THE_COMMIT = """
CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {} RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON public.customers DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.late();
UPDATE public.customers SET id = id;
"""


def at_the_commit(shop, statement):
    """The last that the script does is to have this run by the COMMIT itself."""
    script = f'{THROUGH} "/^GRANT /r $injected"'
    return with_stub(shop, "grants.list", script, AT_THE_COMMIT.format(statement))


@contextmanager
def session(shop, role, sql, database=DATABASE):
    """A session of somebody else's that is idle in a transaction."""
    command = [shop.pg.bin_dir / "psql", "--no-psqlrc", "--quiet", "-h", shop.pg.data_dir.parent]
    command += ["-p", str(shop.pg.port), "-U", role, database]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    clean["PGAPPNAME"] = f"reader of {role}"
    psql = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean,
        text=True,
    )
    psql.stdin.write(f"BEGIN; {sql};\n\\echo there\n")
    psql.stdin.flush()
    while psql.stdout.readline() not in ("there\n", ""):
        pass
    try:
        yield psql
    finally:
        with suppress(BrokenPipeError):
            psql.stdin.write("ROLLBACK;\n")
        psql.communicate(timeout=10)


@contextmanager
def in_a_statement(shop):
    script = f'{THROUGH} "/^-- Data for Name: orders/r $injected"'
    yield with_stub(shop, "data.list", script, "SELECT pg_sleep(60);\n"), "wait_event = 'PgSleep'"


def killed(shop, moment, kill, *flags):
    """Run a restore as far as to that moment, and return what it came to after the kill."""
    with moment(shop) as (prepared, condition):
        run = prepared.project.start(*restoring("--no-safety", *flags))
        wait_for(lambda: run.poll() is not None or our_sessions(shop, condition))
        assert run.poll() is None, run.communicate()
        kill(prepared, run)
        output, errors = run.communicate(timeout=120)
    return subprocess.CompletedProcess((), run.returncode, output, errors)
