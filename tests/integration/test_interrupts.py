"""Interrupted, killed, cut off: nothing of ours stays, and the next run goes as if it were not."""

import os
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from sandbox.sshd import descendants


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


def wait_for(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


def dumping(project):
    return list(project.backup_dir.glob("*.partial")) and remote_processes(project)


def remote_processes(project):
    """What runs in the home of the sandbox's user: all of it is there because of us."""
    home = f"HOME={project.ssh.home}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if home in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" "))
    return [command for command in found if command]  # an empty one has ended already


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


def test_a_client_that_is_killed_leaves_nothing_on_the_host(busy):
    project, run, before = busy

    run.kill()
    run.wait()
    wait_for(lambda: not remote_processes(project))

    assert project.status()["result"] == "failure"
    release(project)
    assert_as_if_it_had_not_been(project, before)


def sessions(project):
    """The sshd processes of logins at the sandbox's own server: another may have the same user."""
    login = f"sshd: {project.ssh.user}@notty".encode()
    ours = descendants(project.ssh.pid)
    return [pid for pid in ours if login in command_line(pid)]


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:  # it has ended since it was listed
        return b""


@pytest.mark.skipif(os.geteuid() != 0, reason="finds the session's sshd among root's processes")
def test_a_connection_that_is_cut_is_exit_3_and_leaves_nothing_on_the_host(busy):
    project, run, before = busy

    for pid in sessions(project):
        os.kill(pid, signal.SIGKILL)
    _, errors = run.communicate(timeout=20)

    assert run.returncode == 3
    assert "connection was lost" in errors
    release(project)
    assert_as_if_it_had_not_been(project, before)


def test_a_lock_that_is_held_for_too_long_is_exit_12(project):
    with locked_table(project):
        done = project.fab("-H", "demo", "predeploy", "--version=v1", "--lock-timeout=1")

    assert done.returncode == 12
    assert "merchants" in done.stderr
    holder = r"- pid \d+, role postgres, .*holds AccessExclusiveLock on public.merchants"
    assert re.search(holder, done.stderr)
    assert project.archives() == []


def test_a_second_run_is_exit_11_and_says_who_is_at_work_since_when(busy):
    project, run, _ = busy

    done = project.predeploy("v3")

    assert done.returncode == 11
    assert "since 20" in done.stderr
    assert "predeploy for " in done.stderr
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=20)
    release(project)


def test_a_second_run_may_wait_for_the_first(busy):
    project, run, _ = busy
    second = project.start("-H", "demo", "predeploy", "--version=v3", "--lock-wait=30")
    time.sleep(1)

    release(project)

    run.communicate(timeout=30)
    second.communicate(timeout=30)
    assert (run.returncode, second.returncode) == (0, 0)
    assert len(project.archives()) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_host_does_not_answer_is_exit_130_at_once(project, number):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        run = project.with_profile(SSH_PORT=str(port)).start(
            "-H", "demo", "predeploy", "--version=v1"
        )
        connection, _ = silent.accept()
        run.send_signal(number)
        _, errors = run.communicate(timeout=10)
        connection.close()

    assert run.returncode == 130
    assert "Traceback" not in errors


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
