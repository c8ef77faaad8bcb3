"""Whatever dies during a test restore, nothing of it stays."""

import os
import re
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests.integration.drills import (
    EQUAL,
    databases,
    drill_db,
    holds,
    nothing_stays,
    on_host,
    tampered,
)
from tests.integration.gate.test_interrupts import assert_as_if_it_had_not_been, locked
from tests.processes import command_line, remote_processes, sessions, wait_for

__all__ = ["drill_db", "tampered"]  # fixtures


@pytest.fixture
def stuck(tampered):
    """A run in the middle of its test restore, after an earlier good one."""
    project = tampered("exec sleep 300", BACKUP_RECONNECT="0")
    assert project.predeploy("v1").returncode == 0
    before = {path: path.read_bytes() for path in project.archives()}

    def start():
        run = project.start("-H", "demo", "predeploy", "--version=v2", EQUAL)
        wait_for(lambda: sleeping(project), seconds=60)
        return run

    return project, start, before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_client_that_stops_or_dies_leaves_no_server(stuck, number):
    project, start, before = stuck
    run = start()

    run.send_signal(number)
    run.communicate(timeout=120)

    assert_as_if_it_had_not_been(project, before)


@pytest.mark.skipif(os.geteuid() != 0, reason="kills processes of the sandbox's user")
def test_when_its_shell_is_killed_the_server_is_ended_for_it(stuck):
    project, start, before = stuck
    run = start()

    shells = [pid for pid in on_host(project) if parent(pid) in sessions(project)]
    for pid in shells:
        os.kill(pid, signal.SIGKILL)
    run.communicate(timeout=120)

    assert shells
    wait_for(lambda: not remote_processes(project))
    assert_as_if_it_had_not_been(project, before)


@pytest.mark.skipif(os.geteuid() != 0, reason="kills processes of the sandbox's user")
def test_a_server_that_outlives_all_that_could_end_it_is_ended_by_the_next_run(stuck):
    project, start, before = stuck
    run = start()

    kill_all(project, but=b"/postgres\0-D\0")
    run.communicate(timeout=120)
    assert len(on_host(project)) == 1

    assert project.fab("-H", "demo", "rotate").returncode == 0
    assert on_host(project) == []
    assert_as_if_it_had_not_been(project, before)


@pytest.mark.skipif(os.geteuid() != 0, reason="kills processes of the sandbox's user")
def test_what_a_host_that_went_down_has_left_is_gone_after_the_next_run(stuck):
    project, start, before = stuck
    run = start()

    kill_all(project)
    run.communicate(timeout=120)
    assert (project.backup_dir / "run.partial" / "cluster").is_dir()

    assert project.fab("-H", "demo", "rotate").returncode == 0
    assert_as_if_it_had_not_been(project, before)


@pytest.mark.skipif(os.geteuid() != 0, reason="kills processes of the sandbox's user")
def test_a_server_that_is_killed_fails_its_test_restore_and_nothing_stays(stuck):
    project, start, before = stuck
    run = start()

    servers = [pid for pid in on_host(project) if b"/postgres\0-D\0" in command_line(pid)]
    for number, wanted in ((signal.SIGKILL, servers), (signal.SIGTERM, sleeping(project))):
        for pid in wanted:
            os.kill(pid, number)
    _, errors = run.communicate(timeout=120)

    assert len(servers) == 1
    assert run.returncode == 13, errors
    assert_as_if_it_had_not_been(project, before)


@pytest.mark.skipif(os.geteuid() != 0, reason="kills processes of the sandbox's user")
def test_a_new_database_that_a_killed_run_has_left_is_dropped_by_the_next(project, tampered):
    project.pg.superuser("ALTER ROLE shop CREATEDB")
    try:
        stuck = tampered("exec sleep 300", BACKUP_DRILL="database")
        run = stuck.start("-H", "demo", "predeploy", "--version=v1", EQUAL)
        wait_for(lambda: sleeping(stuck), seconds=60)
        kill_all(stuck)
        run.communicate(timeout=120)
        assert [each for each in databases(stuck) if "_restore_" in each]

        assert stuck.predeploy("v2").returncode == 0
    finally:
        project.pg.superuser("ALTER ROLE shop NOCREATEDB")
    nothing_stays(stuck)


def sleeping(project):
    return [pid for pid in on_host(project) if command_line(pid).startswith(b"sleep\x00300")]


def parent(pid):
    """Of one that may have ended meanwhile."""
    with suppress(OSError):
        return int(re.search(r"PPid:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
    return None


def kill_all(project, but=b"\n\0"):
    """At once: none is to see another's end."""
    doomed = [pid for pid in on_host(project) if but not in command_line(pid)]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in doomed:
            with suppress(ProcessLookupError):  # a nap may have ended by itself
                os.kill(pid, number)


def test_a_named_database_that_a_killed_run_has_left_full_is_emptied_by_the_next(
    drill_db, tampered
):
    place = {"BACKUP_DRILL": "database", "BACKUP_DRILL_DB": "Probe 1"}
    stuck = tampered("exec sleep 300", **place)
    run = stuck.start("-H", "demo", "predeploy", "--version=v1", EQUAL)
    wait_for(lambda: any(b"sleep 300" in each for each in remote_processes(stuck)))
    kill_all(stuck)
    run.communicate(timeout=120)
    assert holds(stuck) != "0"

    bin_dir = str(stuck.pg.bin_dir)
    done = stuck.with_profile(DB_BIN_DIR=bin_dir, **place).fab(
        "-H", "demo", "predeploy", "--version=v2", EQUAL
    )

    assert done.returncode == 0, done.stderr
    assert holds(stuck) == "0"


@pytest.mark.skipif(os.geteuid() != 0, reason="kills processes of the sandbox's user")
def test_a_database_whose_psql_is_killed_while_it_is_made_does_not_come_after_all(project):
    """Its session goes on to make it; and what is not there yet cannot be dropped."""
    pg = project.pg
    pg.superuser("ALTER ROLE shop CREATEDB")
    making = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE%'"
    try:
        with locked(pg, "pg_database IN EXCLUSIVE MODE"):
            there = project.with_profile(BACKUP_DRILL="database")
            run = there.start("-H", "demo", "predeploy", "--version=v1", EQUAL)
            wait_for(lambda: pg.superuser(making) == "1", 30)
            for pid in on_host(project):
                if b"/psql\0" in command_line(pid):
                    os.kill(pid, signal.SIGKILL)
            wait_for(lambda: pg.superuser(making) == "0", 30)
        _, errors = run.communicate(timeout=60)
    finally:
        pg.superuser("ALTER ROLE shop NOCREATEDB")

    assert run.returncode == 13, errors
    nothing_stays(project)
    assert not (project.backup_dir / "restore.database").exists()
