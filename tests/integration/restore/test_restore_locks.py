"""Who is in the way of a restore, and who waits for it."""

import time

import pytest

from tests.integration.faulty import (
    DATABASE,
    RUIN,
    archives,
    assert_unchanged,
    known,
    our_sessions,
    restoring,
    session,
    shop,
)
from tests.processes import wait_for
from tests.project import OWNER

__all__ = ["known", "shop"]  # fixtures


def test_who_holds_a_lock_is_named_and_is_not_waited_for_longer_than_allowed(shop):
    before = archives(shop)
    with session(shop, OWNER, "SELECT FROM orders"), session(shop, "postgres", "TABLE sums"):
        begun = time.monotonic()
        done = shop.restore("--lock-timeout=1")
        assert time.monotonic() - begun < 25  # by default it waits for 30
        (pid,) = our_pids(shop, OWNER)
        (other,) = our_pids(shop, "postgres")
    assert f"pid {pid}, role shop, reader of shop, idle in transaction, in a" in done.stderr
    assert "AccessShareLock on public.orders" in done.stderr.rpartition("(exit 15)")[2]
    assert f"pid {other}, role postgres" in done.stderr.rpartition("(exit 15)")[2]
    assert_unchanged(shop, before, done, 15)


def our_pids(shop, role):
    answer = shop.pg.superuser(
        "SELECT pid FROM pg_stat_activity"  # noqa: S608
        f" WHERE application_name = 'reader of {role}' AND datname = '{DATABASE}'"
    )
    return answer.splitlines()


@pytest.mark.parametrize("held", ["TABLE sums", "SELECT last_value FROM numbers"])
def test_who_holds_a_lock_on_what_is_not_a_table_is_named_too(shop, held):
    before = archives(shop)
    with session(shop, OWNER, held):
        done = shop.restore("--lock-timeout=1")
        (pid,) = our_pids(shop, OWNER)
    assert f"pid {pid}, role shop" in done.stderr.rpartition("(exit 15)")[2]
    assert_unchanged(shop, before, done, 15)


def test_a_reader_behind_a_restore_that_waits_does_not_wait_longer_than_it(shop):
    with session(shop, OWNER, "SELECT FROM orders"):
        run = shop.project.start(*restoring("--no-safety", "--lock-timeout=2"))
        wait_for(lambda: our_sessions(shop, "wait_event_type = 'Lock'"))
        begun = time.monotonic()
        shop.pg.superuser("SELECT count(*) FROM orders", DATABASE)
        assert time.monotonic() - begun < 3
        run.communicate(timeout=20)
    assert run.returncode == 15


def test_sessions_of_the_same_role_are_ended_on_demand_and_those_of_others_named(shop):
    before = archives(shop)
    with session(shop, "postgres", "SELECT FROM orders"):
        done = shop.restore("--terminate", "--lock-timeout=1")
        (other,) = our_pids(shop, "postgres")
    assert f"pid {other}, role postgres" in done.stderr.rpartition("(exit 15)")[2]
    assert_unchanged(shop, before, done, 15)
    shop.pg.run_as(OWNER, RUIN, DATABASE)

    with (
        session(shop, OWNER, "SELECT FROM orders"),
        session(shop, OWNER, "SELECT", "shop") as elsewhere,
    ):
        (pid,) = our_pids(shop, OWNER)
        done = shop.restore("--terminate", "--no-safety")
        elsewhere.stdin.write("\\echo still there\n")
        elsewhere.stdin.flush()
        assert elsewhere.stdout.readline() == "still there\n"
    assert done.returncode == 0, done.stderr
    assert f"ended the sessions: pid {pid} of shop" in done.stderr
    assert shop.now() == shop.archived
