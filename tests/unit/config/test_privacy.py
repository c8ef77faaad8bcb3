"""What another program of the same user, or root, can read of a process that knows secrets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="as Linux shows processes")

SECRET = "pr1vate-w0rd\nof two lines"
TOLD = {"DB_PASSWORD": SECRET, "SSH_PRIVATE_KEY": "the key", "MY_DB_PASSWORD": "stays"}

# Each prints what it finds; the first of all is what the kernel shows of it.
KEEPING = """
import os, subprocess, sys
from pathlib import Path
from fabric_predeploy.config import privacy
from fabric_predeploy.config.settings import SECRET_VARIABLES
privacy.keep(SECRET_VARIABLES)
privacy.keep(SECRET_VARIABLES)
{then}
"""
SHOW = 'sys.stdout.buffer.write(Path("/proc/self/environ").read_bytes())'


def told_by(then: str, **environment: str) -> bytes:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
    done = subprocess.run(
        [sys.executable, "-c", KEEPING.replace("{then}", then)],
        env={**kept, **TOLD, **environment},
        capture_output=True,
        check=True,
    )
    return done.stdout


# Root may look at its own; others not even at themselves.
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="nobody but root may read it any more")


@as_root
def test_what_the_kernel_shows_of_the_environment_holds_no_secret() -> None:
    shown = told_by(SHOW).split(b"\0")
    assert b"MY_DB_PASSWORD=stays" in shown
    assert b"DB_PASSWORD=" in shown
    assert not [line for line in shown if b"w0rd" in line or b"the key" in line]


@as_root
def test_without_it_the_kernel_would_show_them() -> None:
    with subprocess.Popen(["sleep", "60"], env=TOLD) as other:
        assert SECRET.encode() in Path(f"/proc/{other.pid}/environ").read_bytes()
        other.kill()


def test_a_task_of_the_same_process_still_finds_them() -> None:
    assert told_by('sys.stdout.write(os.environ["DB_PASSWORD"])') == SECRET.encode()


def test_so_do_the_programs_that_a_team_starts() -> None:
    then = 'subprocess.run(["sh", "-c", \'printf %s "$DB_PASSWORD"\'])'
    assert told_by(then) == SECRET.encode()


def test_nobody_but_root_may_look_and_no_core_is_dumped() -> None:
    then = "import ctypes; print(ctypes.CDLL(None).prctl(3))"
    assert told_by(then) == b"0\n"
    owner = 'print(Path("/proc/self/environ").stat().st_uid)'
    assert told_by(owner) == b"0\n"


def test_variables_that_are_not_there_or_empty_are_no_obstacle() -> None:
    then = 'print(repr(os.environ["DB_PASSWORD"]), os.environ.get("SSH_KEY_PASSPHRASE"))'
    assert told_by(then, DB_PASSWORD="") == b"'' None\n"


@as_root
def test_one_that_the_team_has_taken_away_is_wiped_too() -> None:
    then = f'del os.environ["DB_PASSWORD"]; privacy.keep(SECRET_VARIABLES); {SHOW}'
    assert SECRET.encode() not in told_by(then)
