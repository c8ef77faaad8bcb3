"""Whatever dies in the middle of a restore, the database is one or the other."""

import os
import random
import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.integration.faulty import (
    DATABASE,
    UNCHANGED,
    archives,
    assert_nothing_of_it_is_left,
    assert_the_next_one_restores,
    assert_unchanged,
    at_the_commit,
    in_a_statement,
    killed,
    known,
    our_sessions,
    renew,
    restoring,
    session,
    shop,
    with_stub,
)
from tests.processes import sessions, wait_for
from tests.project import OWNER

__all__ = ["known", "shop"]  # fixtures


@contextmanager
def in_the_wipe(shop):
    with session(shop, OWNER, "SELECT FROM orders"):
        yield shop, "wait_event_type = 'Lock'"


@contextmanager
def in_the_rows(shop):
    """The stub is a program that has gone quiet, with half of the rows on their way."""
    script = '"$real" "$@" | sed "/^50\t/q"; exec sleep 60'
    yield with_stub(shop, "data.list", script), "query LIKE 'COPY public.orders%'"


@contextmanager
def in_the_commit(shop):
    """Of the restore: what looked around before it has committed as well."""
    unseen = "PERFORM set_config('client_connection_check_interval', '0', false);"
    waiting = at_the_commit(shop, f"{unseen} PERFORM pg_sleep(1.5);")
    yield waiting, "query = 'COMMIT;' AND wait_event = 'PgSleep'"


@contextmanager
def in_the_analysis(shop):
    shop.pg.superuser(f"ALTER DATABASE {DATABASE} SET test.analyze_seconds = '60'")
    yield shop, "query = 'ANALYZE;' AND wait_event = 'PgSleep'"
    shop.pg.superuser(f"ALTER DATABASE {DATABASE} RESET test.analyze_seconds")


def kill_remote(number, *names):
    def kill(shop, _run):
        killed = 0
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                of_ours = (
                    f"HOME={shop.project.ssh.home}\0".encode() in (process / "environ").read_bytes()
                )
                program = (process / "cmdline").read_bytes().split(b"\0")[0].rpartition(b"/")[2]
                if of_ours and program in names:
                    os.kill(int(process.name), number)
                    killed += 1
        assert killed

    return kill


def kill_shell(number):
    def kill(shop, _run):
        words = (shop.project.backup_dir / "lock").read_text().partition(", process ")[2]
        os.kill(int(words.partition(",")[0]), number)

    return kill


def kill_backend(shop, _run):
    for pid in our_sessions(shop):
        shop.pg.superuser(f"SELECT pg_terminate_backend({pid})")


def cut_the_connection(shop, _run):
    for pid in sessions(shop.project):
        os.kill(pid, signal.SIGKILL)


def kill_client(number):
    return lambda _shop, run: run.send_signal(number)


PSQL = kill_remote(signal.SIGKILL, b"psql")
PG_RESTORE = kill_remote(signal.SIGKILL, b"pg_restore", b"sleep")
KILL, TERM, INT = signal.SIGKILL, signal.SIGTERM, signal.SIGINT
KILLED_SHELL = kill_shell(KILL)
ROUNDS = 8
DEATHS = {
    "wipe: psql": (in_the_wipe, PSQL, 15),
    "wipe: connection": (in_the_wipe, cut_the_connection, 3),
    "wipe: client, INT": (in_the_wipe, kill_client(INT), 130),
    "wipe: client, KILL": (in_the_wipe, kill_client(KILL), -KILL),
    "statement: psql": (in_a_statement, PSQL, 15),
    "statement: backend": (in_a_statement, kill_backend, 15),
    "statement: connection": (in_a_statement, cut_the_connection, 3),
    "statement: shell, TERM": (in_a_statement, kill_shell(TERM), 130),
    "statement: shell, KILL": (in_a_statement, KILLED_SHELL, 1),
    "statement: client, INT": (in_a_statement, kill_client(INT), 130),
    "statement: client, TERM": (in_a_statement, kill_client(TERM), 130),
    "rows: psql": (in_the_rows, PSQL, 15),
    "rows: pg_restore": (in_the_rows, PG_RESTORE, 15),
    "rows: shell, KILL": (in_the_rows, KILLED_SHELL, 1),
    "rows: client, KILL": (in_the_rows, kill_client(KILL), -KILL),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="ends processes of the sandbox's user")
@pytest.mark.parametrize(("moment", "kill", "code"), DEATHS.values(), ids=DEATHS.keys())
def test_whatever_dies_before_the_commit_the_database_is_as_it_was(shop, moment, kill, code):
    before = archives(shop)
    assert_unchanged(shop, before, killed(shop, moment, kill), code)


AFTERWARDS = {
    "commit: psql": (in_the_commit, PSQL, 0),
    "commit: connection": (in_the_commit, cut_the_connection, 3),
    "commit: client, INT": (in_the_commit, kill_client(INT), 130),
    "analysis: psql": (in_the_analysis, PSQL, 0),
    "analysis: connection": (in_the_analysis, cut_the_connection, 0),
    "analysis: shell, KILL": (in_the_analysis, KILLED_SHELL, 0),
    "analysis: client, INT": (in_the_analysis, kill_client(INT), 130),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="ends processes of the sandbox's user")
@pytest.mark.parametrize(("moment", "kill", "code"), AFTERWARDS.values(), ids=AFTERWARDS.keys())
def test_what_is_committed_is_told_as_restored_or_as_unknown(shop, moment, kill, code):
    """A client that has lost its host cannot know; whoever can, says so."""
    before = archives(shop)
    done = killed(shop, moment, kill)

    assert done.returncode == code, done.stderr
    assert UNCHANGED not in done.stderr
    if code == 0:
        assert "Restored faults to" in done.stdout
    if code == 130:
        assert "after the end of the restore; the database is restored to" in done.stderr
    assert_nothing_of_it_is_left(shop)
    shop.pg.superuser("DROP FUNCTION IF EXISTS public.late CASCADE", DATABASE)
    assert shop.now() == shop.archived
    assert shop.project.status()["result"] == "success"
    assert {name: archives(shop)[name] for name in before} == before
    assert_the_next_one_restores(shop)


def test_whoever_dies_at_whatever_moment_the_database_is_one_or_the_other(shop):
    """And what fab and the status say of it is so."""
    chance = random.Random(3)  # noqa: S311 - repeatable, not secret
    deaths = [PSQL, PG_RESTORE, kill_backend, cut_the_connection, kill_shell(TERM), KILLED_SHELL]
    deaths += [kill_client(INT), kill_client(TERM), kill_client(KILL)]
    for _ in range(ROUNDS):
        renew(shop.pg)
        assert_one_or_the_other(shop, chance.choice(deaths), chance.uniform(0.05, 0.6))


def assert_one_or_the_other(shop, kill, seconds):
    lock = shop.project.backup_dir / "lock"
    written = lock.stat().st_mtime_ns
    run = shop.project.start(*restoring("--no-safety"))
    wait_for(lambda: run.poll() is not None or lock.stat().st_mtime_ns != written)
    time.sleep(seconds)
    with suppress(AssertionError, OSError):  # it may have come to its end already
        kill(shop, run)
    _, errors = run.communicate(timeout=120)
    assert "Traceback" not in errors
    assert_nothing_of_it_is_left(shop)
    now, status = shop.now(), shop.project.status()
    if run.returncode == 0 or status["result"] == "success":
        assert now == shop.archived, errors
    elif status["code"] == "15" or UNCHANGED in errors:
        assert now == shop.ruined, errors
    else:
        assert now in (shop.archived, shop.ruined), errors
    if now == shop.archived:
        assert run.returncode != 15, errors
