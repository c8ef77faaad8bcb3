"""What is shown while a run takes long: on a terminal, in a log of CI, and to who wants quiet."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.terminal import Terminal
from tests.project import READABLE

SLOW = """#!/bin/sh
for argument; do
    case $argument in --file=*) file=${{argument#--file=}} ;; esac
done
case $* in *--snapshot=*)
    head -c 123456 /dev/zero >"$file"
    while [ ! -e {go} ]; do sleep 0.1; done
    ;;
esac
exec {real} "$@"
"""
HURRIED = """from fabric_predeploy.tasks import namespace
from fabric_predeploy.tasks._show import progress
progress.PLAIN_SECONDS = 0.2
"""
COLOUR = re.compile(rb"\x1b\[[0-9;]*3\dm")
PLAIN = re.compile(r"^\d\d:\d\d:\d\d dumping: (.+)$", re.MULTILINE)


class Slow:
    """A project whose dump has written 123456 bytes and then waits for `go`."""

    def __init__(self, project):
        stubs = project.ssh.home / f"slow-{project.backup_dir.name}"
        stubs.mkdir()
        for program in ("pg_restore", "psql"):
            (stubs / program).symlink_to(project.pg.bin_dir / program)
        self.gate = stubs / "go"
        (stubs / "pg_dump").write_text(
            SLOW.format(go=self.gate, real=project.pg.bin_dir / "pg_dump")
        )
        (stubs / "pg_dump").chmod(0o755)
        self.project = project.with_profile(DB_BIN_DIR=str(stubs))
        (project.directory / "fabfile.py").write_text(HURRIED)

    def go(self):
        self.gate.touch()

    def on_a_terminal(self, *flags, **changes):
        return Terminal(self.project, "-H", "demo", "predeploy", "--version=v2", *flags, **changes)

    def in_ci(self, *flags, **changes):
        return self.project.start("-H", "demo", "predeploy", "--version=v2", *flags, **changes)


@pytest.fixture
def slow(project):
    made = Slow(project)
    yield made
    made.go()


def assert_clean(terminal):
    """As if there had never been a live line, and ready for whoever types next."""
    assert not terminal.shows("dumping:")
    assert not terminal.screen.cursor.hidden
    assert terminal.screen.cursor.x == 0


def test_a_long_dump_on_a_terminal_has_a_live_line_below_the_log_and_leaves_the_log(slow):
    terminal = slow.on_a_terminal()
    terminal.until(lambda: terminal.shows("dumping: 123.5 kB so far, 0:0"))
    *_, last_of_log, live = [line for line in terminal.lines if line]
    assert re.match(r"\d\d:\d\d:\d\d dumping into ", last_of_log)
    assert live.startswith("dumping: 123.5 kB so far, 0:0")
    assert not terminal.screen.cursor.hidden

    slow.go()

    assert terminal.finish() == 0
    assert_clean(terminal)
    text = "\n".join(terminal.lines)
    for line in ("predeploy, asked for by", "dumped in", "published", "predeploy: done"):
        assert re.search(rf"^\d\d:\d\d:\d\d .*{line}", text, re.MULTILINE)
    assert re.search("^Proven readable", text, re.MULTILINE)


def test_the_last_dump_tells_what_to_expect_of_the_next(slow):
    slow.go()
    assert slow.project.predeploy("v1").returncode == 0
    (manifest,) = slow.project.backup_dir.glob("*.manifest")
    told = re.sub("(?m)^bytes=.*", "bytes=9000000", manifest.read_text())
    manifest.write_text(re.sub("(?m)^dump_seconds=.*", "dump_seconds=7200", told))
    slow.gate.unlink()
    terminal = slow.on_a_terminal()
    expected = re.compile(
        r"dumping: 123\.5 kB of about (\d\.\d) MB, 0:\d\d of about (\d+:\d\d:\d\d)"
    )
    terminal.until(lambda: expected.search("\n".join(terminal.lines)))
    slow.go()
    assert terminal.finish() == 0
    assert_clean(terminal)


def test_without_a_terminal_a_long_dump_speaks_up_now_and_then(slow):
    run = slow.in_ci()
    shown = ""
    while not PLAIN.search(shown):
        line = run.stderr.readline()
        assert line, shown
        shown += line
    slow.go()
    output, errors = run.communicate(timeout=60)
    shown += errors
    assert run.returncode == 0
    assert "\x1b" not in shown + output
    assert re.match(r"(123\.5 kB so far, )?0:\d\d$", PLAIN.search(shown)[1])
    assert [line for line in shown.splitlines() if not re.match(r"\d\d:\d\d:\d\d ", line)] == []


@pytest.mark.parametrize("where", ["a dumb terminal", "a terminal, and the result goes elsewhere"])
def test_on_a_terminal_that_is_not_fit_for_it_there_are_plain_lines(slow, tmp_path, where):
    elsewhere = None
    if "elsewhere" in where:
        elsewhere = os.open(tmp_path / "result", os.O_WRONLY | os.O_CREAT)
        terminal = slow.on_a_terminal(stdout=elsewhere)
        os.close(elsewhere)
    else:
        terminal = slow.on_a_terminal(TERM="dumb")
    terminal.until(lambda: any(PLAIN.match(line) for line in terminal.lines))
    slow.go()
    assert terminal.finish() == 0
    assert b"\x1b" not in terminal.written
    assert elsewhere is None or (tmp_path / "result").read_text().startswith("Proven readable")


@pytest.mark.parametrize(("no_color", "coloured"), [(None, True), ("1", False)])
def test_no_color_is_respected(slow, no_color, coloured):
    terminal = slow.on_a_terminal(NO_COLOR=no_color)
    terminal.until(lambda: terminal.shows("dumping: 123.5 kB so far"))
    slow.go()
    assert terminal.finish() == 0
    assert bool(COLOUR.search(terminal.written)) == coloured


def test_ctrl_c_in_a_long_dump_is_130_and_leaves_the_terminal_clean(slow):
    terminal = slow.on_a_terminal()
    terminal.until(lambda: terminal.shows("dumping: 123.5 kB so far"))
    terminal.type(b"\x03")
    assert terminal.finish() == 130
    assert_clean(terminal)
    assert terminal.shows("interrupted")
    assert slow.project.leftovers() == []
    assert slow.project.archives() == []


def test_who_wants_quiet_sees_the_result_alone_on_a_terminal_too(slow):
    slow.go()
    terminal = slow.on_a_terminal("--quiet")
    assert terminal.finish() == 0
    assert terminal.lines[0].startswith("Proven readable")
    assert b"\x1b" not in terminal.written


@pytest.mark.parametrize(
    "task", ["predeploy", "backup", "verify", "rotate", "restore --file=latest --yes"]
)
def test_quiet_is_understood_by_every_task_that_takes_long(project, task):
    assert project.predeploy("v1").returncode == 0
    done = project.fab("-H", "demo", *task.split(), "--quiet", BACKUP_VERSION="v2")
    assert done.returncode == 0
    assert done.stdout
    assert [line for line in done.stderr.splitlines() if not line.startswith("WARNING: ")] == []
    assert re.search(r"^\d\d:\d\d:\d\d ", newest_log(project), re.MULTILINE)


def newest_log(project):
    return max(project.backup_dir.glob("backup-*.log")).read_text()


def test_who_wants_quiet_is_told_of_a_failure_all_the_same(project):
    broken = project.with_profile(DB_NAME="not there")
    done = broken.fab("-H", "demo", "predeploy", "--version=v1", "--quiet")
    assert done.returncode == 10
    assert done.stderr.startswith("predeploy on demo")
    assert "not there" in done.stderr


def test_a_restore_asks_on_a_terminal_and_goes_on_with_the_answer(project):
    assert project.predeploy("v1").returncode == 0
    terminal = Terminal(project, "-H", "demo", "restore", "--file=latest")
    terminal.until(lambda: terminal.shows("Type the name of the database"))
    terminal.type(b"shop\r")
    assert terminal.finish() == 0
    assert terminal.shows("Restored shop to ")
    assert not terminal.screen.cursor.hidden


def test_outputs_that_were_closed_before_the_run_began_are_not_missed(project):
    command = [sys.executable, "-m", "fabric_predeploy", "-H", "demo", "predeploy", "--version=v1"]
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command]
    run = subprocess.run(closed, cwd=project.directory, env=project.environment(), check=False)
    assert run.returncode == 0
    assert project.status()["result"] == "success"


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_warning_that_nobody_can_read_does_not_make_a_good_run_a_bad_one(project, quiet):
    assert project.predeploy("v1").returncode == 0
    (manifest,) = project.backup_dir.glob("*.manifest")
    manifest.write_text("spoilt: the log warns of it")
    command = [sys.executable, "-m", "fabric_predeploy", "-H", "demo", "predeploy", "--version=v2"]
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [*command, *quiet],
            cwd=project.directory,
            env=project.environment(),
            stdout=subprocess.PIPE,
            stderr=full,
            check=False,
            encoding="utf-8",
        )
    assert run.returncode == 0
    assert run.stdout.startswith(f"{READABLE} pricehawk-pre-deploy-v2-")
