"""status: how the last run ended, for people, scripts and monitors."""

import json
import os
import re
import signal
from datetime import datetime, timedelta, timezone

import pytest

from tests.integration.gate.test_interrupts import dumping, locked_table
from tests.integration.many import add_archives
from tests.processes import wait_for

NOW = datetime.now(timezone.utc)


def status(project, *options, **changes):
    return project.fab("-H", "demo", "status", *options, **changes)


def codes(project, *options, **changes):
    """For a script, and for a monitor."""
    script = status(project, *options, **changes)
    monitor = status(project, "--nagios", *options, **changes)
    assert re.fullmatch(r"(OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+(\|[^|\n]+)?\n", monitor.stdout)
    return script.returncode, monitor.returncode


def test_where_nothing_has_ever_run_it_is_not_good(project):
    assert codes(project) == (1, 2)
    assert not project.backup_dir.exists()


def test_after_a_good_run_it_is_good_and_tells_of_the_archive(project):
    project.predeploy("v1")
    (archive,) = project.archives()

    assert codes(project, "--max-age=1h") == (0, 0)
    assert archive.name in status(project).stdout
    data = json.loads(status(project, "--json").stdout)
    assert (data["good"], data["level"]) == (True, "OK")
    assert data["last"]["code"] == 0
    assert data["newest_proven"]["archive"] == archive.name


def test_after_a_run_that_failed_it_tells_why_and_where_more_is_to_be_read(project):
    project.predeploy("v1")
    project.predeploy("v2", DB_PASSWORD="wrong")

    assert codes(project, "--max-age=1h") == (1, 2)
    told = status(project).stdout
    assert told.startswith("NOT GOOD on demo")
    assert "exit code 10: the host is not ready" in told
    assert "password authentication failed" in told
    assert "fab -H demo logs" in told
    assert "password authentication failed" in status(project, "--nagios").stdout
    assert json.loads(status(project, "--json").stdout)["last"]["problems"]


def test_a_good_run_of_another_database_in_the_same_directory_is_not_one_of_this(project):
    assert project.predeploy("v1", BACKUP_PROJECT="other").returncode == 0

    assert codes(project) == (1, 1)
    assert "of other, database shop: it tells nothing here" in status(project).stdout
    assert codes(project, "--max-age=1h") == (1, 2)
    assert codes(project, BACKUP_PROJECT="other") == (0, 0)


def test_of_a_good_run_whose_archive_is_gone_or_damaged_nothing_is_good(project):
    assert project.predeploy("v1").returncode == 0
    (archive,) = project.archives()
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-1])
    assert codes(project) == (1, 2)
    archive.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert project.fab("-H", "demo", "verify").returncode == 13  # and puts that on record
    assert codes(project) == (1, 2)
    archive.unlink()
    assert codes(project) == (1, 2)
    assert f"is gone, or its manifest cannot be read: {archive.name}" in status(project).stdout


def test_a_monitor_is_told_in_numbers_what_it_draws(project):
    project.predeploy("v1")
    (archive,) = project.archives()

    numbers = status(project, "--nagios", "--max-age=26h").stdout.split("|")[1]

    size = archive.stat().st_size
    pattern = rf"archives=1;;;0 age=\d+s;;93600;0 size={size}B;;;0 free=\d+B;;;0\n"
    assert re.fullmatch(pattern, numbers)


@pytest.mark.parametrize(("max_age", "expected"), [("26h", (0, 0)), ("90m", (1, 2))])
def test_the_newest_proven_archive_may_not_be_older_than_is_said(project, max_age, expected):
    project.predeploy("v1")
    (archive,) = project.archives()
    archive.unlink()
    add_archives(project.backup_dir, 2, NOW - timedelta(hours=2))
    add_archives(project.backup_dir, 1, NOW - timedelta(minutes=1), proof="written")
    add_archives(project.backup_dir, 1, NOW - timedelta(minutes=2), project="other")

    assert codes(project, f"--max-age={max_age}") == expected


def test_a_host_that_cannot_be_reached_is_unknown_to_a_monitor_in_one_line(project):
    away = project.with_profile(SSH_PORT="1")

    monitor = status(away, "--nagios")
    assert monitor.returncode == 3
    assert re.fullmatch(r"UNKNOWN - [^\n]*127\.0\.0\.1[^\n]*\n", monitor.stdout)
    assert monitor.stderr == ""


@pytest.mark.parametrize(
    ("options", "changes"),
    [(["--max-age=soon"], {}), (["--max-age=0h"], {}), ([], {"SSH_PORT": "many"})],
)
def test_settings_that_cannot_be_used_are_2_and_unknown_to_a_monitor(project, options, changes):
    assert codes(project, *options, **changes) == (2, 3)


def test_data_and_a_line_are_not_for_the_same_reader(project):
    assert status(project, "--nagios", "--json").returncode == 3


def test_a_run_that_is_killed_is_at_work_until_then_and_never_ended_after(project):
    project.predeploy("v1")
    with locked_table(project):
        run = project.start("-H", "demo", "predeploy", "--version=v2", "--lock-timeout=60")
        wait_for(lambda: dumping(project))

        assert codes(project) == (1, 1)
        assert codes(project, "--max-age=1h") == (0, 0)
        assert "is at work" in status(project).stdout

        holder = (project.backup_dir / "lock").read_text()
        os.kill(int(re.search(r"process (\d+)", holder)[1]), signal.SIGKILL)
        run.communicate(timeout=20)

    assert codes(project, "--max-age=1h") == (1, 2)
    assert "never ended" in status(project).stdout


def test_a_run_whose_rotation_failed_is_good_for_a_script_and_a_warning_to_a_monitor(project):
    project.predeploy("v1")
    path = project.backup_dir / "status"
    path.write_text(path.read_text().replace("code=0", "code=16").replace("reason=", "reason=x"))

    assert codes(project) == (0, 1)


def test_what_a_status_says_gives_no_orders_to_the_terminal(project):
    project.predeploy("v1")
    path = project.backup_dir / "status"
    path.write_text("result=failure\ntask=\x1b[2J\ncode=1\nreason=a|b\x1b[2J\nproblem=\x1b[2J\n")

    assert codes(project) == (1, 2)
    assert "\x1b" not in status(project).stdout
    assert "a/b" in status(project, "--nagios").stdout
