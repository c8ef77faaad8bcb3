"""Interrupted, killed, cut off: nothing of ours stays, and the next run goes as if it were not."""

import os
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest

from tests.processes import remote_processes, wait_for

pytestmark = pytest.mark.usefixtures("real_fab")


def locked_table(project):
    """A session that holds a table, so that pg_dump waits for it."""
    return locked(project.pg, "merchants")


@contextmanager
def locked(pg, what):
    command = [pg.bin_dir / "psql", "--no-psqlrc", "--quiet", "-h", pg.data_dir.parent]
    command += ["-p", str(pg.port), "-U", "postgres", "shop"]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    psql = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=clean, text=True
    )
    psql.stdin.write(f"BEGIN; LOCK TABLE {what}; \\echo locked\n")
    psql.stdin.flush()
    assert psql.stdout.readline() == "locked\n"
    try:
        yield
    finally:
        psql.communicate("ROLLBACK;\n", timeout=10)


def dumping(project):
    return list(project.backup_dir.glob("*.partial")) and remote_processes(project)


def assert_as_if_it_had_not_been(project, before):
    wait_for(lambda: not remote_processes(project))
    assert {path: path.read_bytes() for path in project.archives()} == before
    assert project.predeploy("v9").returncode == 0
    assert project.leftovers() == []


@pytest.fixture
def busy(project):
    """A run that waits for a lock in the middle of its dump, after an earlier good one."""
    assert project.predeploy("v1").returncode == 0
    before = {path: path.read_bytes() for path in project.archives()}
    with locked_table(project):
        run = project.start(
            *("-H", "demo", "predeploy", "--version=v2", "--lock-timeout=60"), BACKUP_RECONNECT="0"
        )
        wait_for(lambda: dumping(project))
        yield project, run, before
        if run.poll() is None:
            run.kill()
    run.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_exit_130_and_the_host_has_cleaned_up_by_then(busy, number):
    project, run, before = busy

    run.send_signal(number)
    _, errors = run.communicate(timeout=20)

    assert run.returncode == 130
    assert "Traceback" not in errors
    assert project.leftovers() == []
    assert project.status()["result"] == "failure"
    assert "interrupted" in project.status()["reason"]
    assert remote_processes(project) == []
    release(project)
    assert_as_if_it_had_not_been(project, before)


def release(project):
    """End the session that holds the lock, so that the next run does not wait for it."""
    project.pg.superuser(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE mode = 'AccessExclusiveLock'"
    )


def test_a_program_that_takes_no_notice_of_its_end_is_ended_all_the_same(project):
    stubs = project.ssh.home / f"stubs-{os.getpid()}"
    stubs.mkdir()
    for program in ("pg_dump", "pg_restore", "psql"):
        (stubs / program).symlink_to(project.pg.bin_dir / program)
    (stubs / "pg_restore").unlink()
    (stubs / "pg_restore").write_text("#!/bin/sh\ntrap '' TERM\nexec sleep 25\n")
    (stubs / "pg_restore").chmod(0o755)
    slow = project.with_profile(DB_BIN_DIR=str(stubs))
    run = slow.start("-H", "demo", "predeploy", "--version=v1")
    wait_for(lambda: any(b"sleep 25" in command for command in remote_processes(project)))

    begun = time.monotonic()
    run.send_signal(signal.SIGTERM)
    _, errors = run.communicate(timeout=20)

    assert run.returncode == 130
    assert "Traceback" not in errors
    assert time.monotonic() - begun < 15
    wait_for(lambda: not remote_processes(project))
