"""Nothing is sent to a shell that is not ours: whatever the account's startup files do."""

import os
import re
import stat
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which

import pytest

from sandbox.sshd import available, openssh
from tests.processes import wait_for
from tests.project import PASSWORD

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not available(), reason="needs root, and OpenSSH's sshd"
)
RC = {
    "bash": ".bashrc",
    "zsh": ".zshenv",
    "fish": ".config/fish/config.fish",
    "tcsh": ".tcshrc",
    "csh": ".cshrc",
}
# Stands between sshd and the account's shell, and keeps all that the session is sent.
RECORDER = """#!/usr/bin/python3
import os, subprocess, sys, threading
shell = subprocess.Popen(["{shell}", *sys.argv[1:]], stdin=subprocess.PIPE, bufsize=0)
def pass_on():
    with open("{record}", "ab", buffering=0) as record:
        while data := os.read(0, 65536):
            record.write(data)
            try:
                shell.stdin.write(data)
            except BrokenPipeError:
                return
    shell.stdin.close()
threading.Thread(target=pass_on, daemon=True).start()
code = shell.wait()
os._exit(code if code >= 0 else 128 - code)
"""
# In the words of each shell; a host of that kind never runs our script.
TAKES_OVER = {
    "bash": [
        "exec bash --norc",
        "exec sh",
        "exec dash",
        "exec zsh",
        "exec fish --no-config",
        "exec tcsh -f",
        "exec cat",
        "exec tmux",
        "exec busybox sh",
        "cat >/dev/null; exec sh",
        "read -r line; echo got $line; exec sh",
        "exit 0",
        "exit 3",
        "exec true",
        "exec sleep 600",
        "kill -STOP $$",
        "while :; do echo noise; done",
        "while :; do printf noise; done",
        "yes >&2",
        'echo "$BASH_EXECUTION_STRING"; exec bash --norc',
        'printf "%b\\n" "$BASH_EXECUTION_STRING"; exec bash --norc',
        "set -xv; exec bash --norc -xv",
    ],
    "zsh": ["exec zsh -f", "exec bash --norc", "exec cat", "exit 0", "yes", "cat >/dev/null"],
    "fish": ["exec fish --no-config", "exec cat", "exit 0", "cat >/dev/null", "yes"],
    "tcsh": ["exec tcsh -f", "exec cat", "exit 0", "cat >/dev/null", "yes"],
    "csh": ["exec sh", "exec cat", "exit 1"],
}
IN_EACH_RUN = {
    ("bash", "exec bash --norc"),
    ("bash", "exec cat"),
    ("bash", "exit 0"),
    ("bash", "while :; do echo noise; done"),
    ("bash", 'printf "%b\\n" "$BASH_EXECUTION_STRING"; exec bash --norc'),
    ("zsh", "exec zsh -f"),
    ("fish", "exec fish --no-config"),
    ("tcsh", "cat >/dev/null"),
}
CASES = [
    pytest.param(
        shell,
        rc,
        id=f"{shell}: {rc}",
        marks=[] if (shell, rc) in IN_EACH_RUN else [pytest.mark.thorough],
    )
    for shell, several in TAKES_OVER.items()
    for rc in several
]


@pytest.fixture(scope="module")
def hosts(ground):
    """One for each shell, which is behind the recorder."""
    made = {}

    @contextmanager
    def started(shell):
        recorder = ground / f"recorder-{shell}"
        record = ground / f"record-{shell}"
        record.touch()
        record.chmod(0o666)
        recorder.write_text(RECORDER.format(shell=which(shell), record=record))
        recorder.chmod(0o755)
        with openssh(ground, login_shell=str(recorder)) as ssh:
            yield ssh, record

    def host(shell):
        if shell not in made:
            context = started(shell)
            made[shell] = (context, *context.__enter__())
        return made[shell][1:]

    yield host
    for context, *_ in made.values():
        context.__exit__(None, None, None)


@pytest.fixture
def there(hosts, make_project, pg):
    """A project for a host with that shell, and what is in its startup file."""

    def make(shell, rc, **settings):
        if which(shell) is None:
            pytest.skip(f"{shell} is not installed here")
        ssh, record = hosts(shell)
        os.truncate(record, 0)
        for name in RC.values():
            (ssh.home / name).unlink(missing_ok=True)
        file = ssh.home / RC[shell]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{rc}\n")
        return make_project(pg, ssh, **settings), record

    return make


@pytest.mark.parametrize(("shell", "rc"), CASES)
def test_a_shell_that_is_not_ours_is_10_in_time_and_is_sent_nothing(there, shell, rc):
    project, record = there(shell, rc, SSH_SHELL_TIMEOUT="2")
    run = project.predeploy()
    assert run.returncode == 10, run.stderr
    assert "the host's shell did not begin our script" in run.stderr
    assert "startup files" in run.stderr
    assert "No secret was sent" in run.stderr
    assert record.read_bytes() == b""
    assert not project.backup_dir.exists()


@pytest.mark.parametrize("shell", sorted({*RC} | {"dash"}))
def test_what_a_good_host_is_sent_begins_with_the_secrets_after_its_fence(there, shell):
    RC.setdefault("dash", ".profile")
    project, record = there(shell, "")
    assert project.predeploy().returncode == 0
    sent = record.read_bytes()
    assert sent.startswith(f"DB_PASSWORD={PASSWORD}\n\n".encode())
    assert sent.count(PASSWORD.encode()) == 1
    assert sent.rstrip().endswith(b"end prune")


def test_a_run_without_a_password_sends_an_empty_block(there):
    project, record = there("bash", "")
    project.fab("-H", "demo", "history", DB_PASSWORD=None)
    assert record.read_bytes().startswith(b"\n")
    assert b"DB_PASSWORD=" not in record.read_bytes()


@pytest.mark.parametrize(
    "job",
    [
        "sleep 300 &",
        "(while :; do sleep 0.05; echo noise; done) &",
        "(while :; do sleep 0.05; echo noise >&2; done) &",
    ],
    ids=["silent", "noisy on stdout", "noisy on stderr"],
)
def test_a_process_that_an_rc_file_has_left_behind_does_not_hold_up_a_run(there, job):
    """It keeps stdout open for five minutes, or for ever: longer than this test may take."""
    project, _ = there("bash", f"{job} echo $! >>~/jobs")
    jobs = project.ssh.home / "jobs"
    run = project.predeploy()
    assert run.returncode == 0, run.stderr
    pids = [int(pid) for pid in jobs.read_text().split()]
    jobs.unlink()
    alive = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    for pid in alive:
        os.kill(pid, 9)
    assert alive or "noise" in job  # that one ends with whoever reads its noise
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in alive))


# A host that answers as ours would, and then does what no run of ours does.
LYING = """#!/bin/sh
fence=$(printf '%s' "$*" | grep -o "fence=[0-9a-f]*" | head -n 1)
printf '\\n%s door\\n%s begin lock\\n' "${fence#fence=}" "${fence#fence=}"
FLOOD
"""
FLOODS = {
    "lines": "yes a=b | head -c 16777216",
    "empty lines": "yes '' | head -c 16777216",
    "one endless line": "head -c 16777216 /dev/zero | tr '\\0' x",
    "NUL bytes": "head -c 16777216 /dev/zero",
    "lines on stderr": "yes a=b | head -c 16777216 >&2",
    "one endless line on stderr": "head -c 16777216 /dev/zero | tr '\\0' x >&2",
    "without end": "yes a=b",
    "on stderr without end": "yes a=b >&2",
    "events": 'yes "${fence#fence=} progress bytes 1"',
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_over_soon_with_a_clear_error_and_takes_little_memory(
    ground, make_project, pg, real_fab, name
):
    shell = ground / f"lying-{len(name)}"
    shell.write_text(LYING.replace("FLOOD", FLOODS[name]))
    shell.chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
    with openssh(ground, login_shell=str(shell)) as ssh:
        project = make_project(pg, ssh)
        run = project.start("-H", "demo", "predeploy", "--version=v1", "--quiet")
        peak = peak_kilobytes(run)
        _, errors = run.communicate(timeout=60)
    assert run.returncode == 1, errors[-2000:]
    assert "the host said" in errors
    assert len(errors) < 20_000_000
    assert "Traceback" not in errors
    assert 0 < peak() < 150_000


def peak_kilobytes(run):
    """Of the most memory that a process has taken, once it has ended."""
    seen = [0]

    def look():
        status = Path(f"/proc/{run.pid}/status")
        with suppress(OSError):
            while found := re.search(r"VmHWM:\s+(\d+)", status.read_text()):
                seen.append(int(found[1]))
                time.sleep(0.01)

    looking = threading.Thread(target=look)
    looking.start()

    def peak():
        looking.join()
        return seen[-1]

    return peak


@pytest.mark.parametrize(
    ("rc", "why"),
    [
        ("exit 0", "exit code 0, as where one of its startup files calls `exit`"),
        ("exit 3", "it ended with exit code 3"),
        ('echo "$HOME/.bashrc: line 1: x: unbound" >&2; exit 1', "its startup file .*/.bashrc"),
    ],
)
def test_why_a_startup_file_ended_the_session_is_said(there, rc, why):
    project, _ = there("bash", rc)
    run = project.predeploy()
    assert run.returncode == 10
    assert re.search(why, run.stderr), run.stderr
    assert "exit code -1" not in run.stderr
    assert "No secret was sent" in run.stderr


def test_an_account_for_files_alone_is_told_as_one_without_a_shell(make_project, pg, ground):
    with openssh(ground, extra_config="ForceCommand internal-sftp") as ssh:
        run = make_project(pg, ssh).predeploy()
    assert run.returncode == 10
    assert "account has no shell or a forced command" in run.stderr
    assert "exit code -1" not in run.stderr
