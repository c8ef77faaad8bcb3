"""`restore --undo` undoes the last restore, or says why it cannot: never an older one."""

import signal

import pytest

from tests.integration.everything import plain_dump
from tests.integration.restore.test_restore import locked, restore, ruin, shop
from tests.processes import wait_for
from tests.project import OWNER

__all__ = ["shop"]  # a fixture


@pytest.fixture
def restored(shop):
    """After a restore that has kept the state before."""
    ruin(shop)
    done = restore(shop, "--file=v1.0.0", "--yes")
    assert done.returncode == 0, done.stderr
    assert "undo     fab -H demo restore --undo" in done.stdout
    return shop


def kept(shop):
    return sorted(path.name for path in shop.archives() if "-pre-restore-" in path.name)


def assert_refused(shop, why):
    """With the states that are kept, and without a change."""
    before = plain_dump(shop.pg, "corner")
    for flags in (("--plan",), ("--yes",), ("--table=orders",)):
        done = restore(shop, "--undo", *flags)
        assert done.returncode == 14, done.stdout
        assert why in done.stderr
        assert "nothing was touched" in done.stderr
        assert all(name in done.stderr for name in kept(shop))
    assert plain_dump(shop.pg, "corner") == before


def test_after_a_restore_that_kept_nothing_there_is_no_undo_and_its_result_says_so(restored):
    done = restore(restored, "--file=v1.0.0", "--no-safety", "--yes")
    assert done.returncode == 0, done.stderr
    assert "undo     not possible: with --no-safety the state before was not kept" in done.stdout

    assert_refused(restored, "kept nothing, as --no-safety was given")


@pytest.mark.usefixtures("real_fab")
@pytest.mark.parametrize("flags", [(), ("--no-safety",)])
def test_an_interrupted_restore_changed_nothing_and_leaves_nothing_to_undo(restored, flags):
    """Without --no-safety, pg_dump waits for the table: the state before is not kept yet."""
    with locked(restored, "orders"):
        run = restored.start("-H", "demo", "restore", "--file=v1.0.0", "--yes", *flags)
        wait_for(lambda: waits_for_a_lock(restored))
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=30)

    assert run.returncode == 130
    told = "interrupted at the client, by Ctrl-C or another signal; the database is as it was"
    assert told in errors
    assert told in restored.fab("-H", "demo", "status").stdout
    assert told in restored.fab("-H", "demo", "logs").stdout
    assert_refused(restored, "changed nothing, so there is nothing to undo")


def waits_for_a_lock(shop):
    """Not the plan, which waits for a second, too."""
    if shop.status()["result"] == "success":
        return False
    asked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'orders'::regclass"
    return shop.pg.superuser(asked, "corner").strip() != "0"


def test_a_restore_into_another_database_is_none_of_this_one(restored):
    before = plain_dump(restored.pg, "corner")
    restored.pg.superuser("DROP DATABASE IF EXISTS staging WITH (FORCE)")
    restored.pg.superuser(f"CREATE DATABASE staging OWNER {OWNER}")
    done = restore(restored, "--file=v1.0.0", "--to=staging", "--no-safety", "--yes")
    assert done.returncode == 0, done.stderr

    assert restore(restored, "--undo", "--to=staging", "--plan").returncode == 14
    done = restore(restored, "--undo", "--yes")
    assert done.returncode == 0, done.stderr
    assert plain_dump(restored.pg, "corner") != before


def test_without_any_restore_there_is_nothing_to_undo(shop):
    assert_refused(shop, "no restore of corner on 127.0.0.1 is on record")
