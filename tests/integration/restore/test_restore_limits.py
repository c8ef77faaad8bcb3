"""A server that goes down, and more tables than it has locks for."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from sandbox.postgres import create_owner, postgres
from sandbox.wheels import embedded
from sandbox.workspace import unprivileged
from tests.integration.everything import plain_dump
from tests.integration.faulty import (
    CONTENTS,
    DATABASE,
    RUIN,
    Shop,
    archives,
    assert_unchanged,
    in_a_statement,
    killed,
    known,
    shop,
)
from tests.processes import wait_for
from tests.project import OWNER, PASSWORD

__all__ = ["known", "shop"]  # fixtures


@pytest.fixture
def small_shop(make_project, ground, ssh) -> Iterator[Shop]:
    """On a server of its own, which a test may crash and whose lock table is soon full."""
    settings = {"fsync": "off", "max_locks_per_transaction": "10", "max_connections": "10"}
    with postgres(embedded(), ground, settings=settings) as pg:
        create_owner(pg, role=OWNER, password=PASSWORD, database=DATABASE)
        yield Shop(make_project(pg, ssh, DB_NAME=DATABASE), "", "")


def crash(pg):
    """A backend that dies by a signal takes the whole server down, which then recovers."""
    pid = pg.superuser(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'fabric-predeploy'"
    )
    os.kill(int(pid), signal.SIGKILL)


def restart(pg):
    pg_control(pg, "restart", "--log", str(pg.data_dir.parent / "again.log"))


def pg_control(pg, *arguments):
    command = [pg.bin_dir / "pg_ctl", "--pgdata", pg.data_dir, "--mode=immediate", *arguments]
    subprocess.run(
        command, check=True, cwd=pg.data_dir, stdout=subprocess.DEVNULL, **unprivileged()
    )


def is_up(pg):
    command = [pg.bin_dir / "pg_isready", "--quiet", f"--host={pg.host}", f"--port={pg.port}"]
    return subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("goes_down", [crash, restart])
def test_a_server_that_goes_down_in_the_middle_comes_back_as_it_was(small_shop, goes_down):
    pg, project = small_shop.pg, small_shop.project
    pg.run_as(OWNER, CONTENTS, DATABASE)
    archived = plain_dump(pg, DATABASE)
    assert project.predeploy().returncode == 0
    pg.run_as(OWNER, RUIN, DATABASE)
    shop = Shop(project, archived, plain_dump(pg, DATABASE))
    before = archives(shop)

    def down(_shop, _run):
        goes_down(pg)

    try:
        done = killed(shop, in_a_statement, down)
        wait_for(lambda: is_up(pg))
        assert_unchanged(shop, before, done, 15)
    finally:
        if goes_down is restart:
            pg_control(pg, "stop")


LATER = {
    "one more": "CREATE TABLE added (id int)",
    "most are gone": "DO $$ BEGIN FOR n IN 2..{} LOOP EXECUTE 'DROP TABLE many_' || n;"
    " IF n % 20 = 0 THEN COMMIT; END IF; END LOOP; END $$",
}


@pytest.mark.parametrize("later", LATER.values(), ids=LATER.keys())
@pytest.mark.parametrize("tables", [27, 124])
def test_too_many_tables_for_the_locks_of_the_server_are_refused_before_and_never_halfway(
    small_shop, tables, later
):
    pg, project = small_shop.pg, small_shop.project
    create_tables(pg, tables)
    archived = plain_dump(pg, DATABASE)
    assert project.predeploy().returncode == 0
    pg.run_as(OWNER, later.format(tables), DATABASE)
    shop = Shop(project, archived, plain_dump(pg, DATABASE))
    assert_all_or_refused(shop, shop.restore("--no-safety"))


@pytest.mark.parametrize("tables", [5000])
def test_thousands_of_tables_are_restored_or_refused_before(shop, tables):
    create_tables(shop.pg, tables)
    archived = plain_dump(shop.pg, DATABASE)
    assert shop.project.predeploy(f"v{tables}").returncode == 0
    shop.pg.run_as(OWNER, "CREATE TABLE added_later (id int)", DATABASE)
    shop = Shop(shop.project, archived, plain_dump(shop.pg, DATABASE))
    assert_all_or_refused(shop, shop.restore("--no-safety"))
    for archive in shop.project.backup_dir.glob(f"*-v{tables}-*"):
        archive.unlink()


def create_tables(pg, tables):
    """In transactions of twenty, as these need locks too."""
    pg.run_as(
        OWNER,
        "DO $$ BEGIN FOR n IN 1.." + str(tables) + " LOOP"
        " EXECUTE format('CREATE TABLE many_%s (id int PRIMARY KEY, t text)', n);"
        " IF n % 20 = 0 THEN COMMIT; END IF; END LOOP; END $$;",
        DATABASE,
    )


def assert_all_or_refused(shop, done):
    if done.returncode == 0:
        assert shop.now() == shop.archived
    else:
        assert done.returncode == 14, done.stderr
        assert "max_locks_per_transaction" in done.stderr
        assert "nothing was touched" in done.stderr
        assert shop.now() == shop.ruined
