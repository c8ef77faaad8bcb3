"""`fab install`, and what it leaves on the host: run there by its user, with no client."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess

import pytest

from sandbox.postgres import create_owner
from tests.integration.gate.test_interrupts import dumping, locked_table
from tests.pages import block
from tests.processes import remote_processes, wait_for
from tests.project import PASSWORD, READABLE


class Account:
    """The host's user, with what cron gives: no terminal, no stdin, hardly an environment."""

    def __init__(self, project):
        self.project, self.home = project, project.ssh.home

    def start(self, command, **variables):
        root = os.geteuid() == 0
        return subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            env={"HOME": str(self.home), "PATH": "/usr/bin:/bin", **variables},
            cwd=self.home,
            user=self.project.ssh.uid if root else None,
            group=self.project.ssh.uid if root else None,
            extra_groups=[] if root else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            encoding="utf-8",
        )

    def run(self, command="~/remote-backup.sh", **variables):
        process = self.start(command, **{"DB_PASSWORD": PASSWORD, **variables})
        output, errors = process.communicate(timeout=60)
        assert PASSWORD not in output + errors
        return subprocess.CompletedProcess(command, process.returncode, output, errors)


@pytest.fixture
def script(project):
    file = project.ssh.home / "remote-backup.sh"
    yield file
    file.unlink(missing_ok=True)


@pytest.fixture
def account(project, script):
    done = project.fab("-H", "demo", "install")
    assert done.returncode == 0, done.stderr
    return Account(project)


def history(project):
    return json.loads(project.fab("-H", "demo", "history", "--json").stdout)


def test_what_it_takes_is_proven_listed_and_can_be_restored_by_fab(project, account):
    done = account.run("~/remote-backup.sh manual-backup")

    assert done.returncode == 0, done.stderr
    (archive,) = project.archives()
    assert done.stdout.startswith(f"{READABLE} {archive.name}\n")
    (listed,) = history(project)
    assert (listed["archive"], listed["version"]) == (archive.name, "manual-backup")
    assert (listed["proof"], project.status()["result"]) == ("read", "success")
    assert project.fab("-H", "demo", "verify", "--file=manual-backup").returncode == 0
    how = re.search(r"how +fab (.*)", done.stdout)[1].split()
    assert project.fab(*how, "--yes").returncode == 0


def test_it_rotates_what_it_has_taken_as_fab_would_and_leaves_what_deploys_have(project, account):
    assert project.predeploy("v1").returncode == 0
    for version in ("n1", "n2", "n3"):
        done = account.run(f"~/remote-backup.sh {version}", MAX_BACKUPS="2")
        assert done.returncode == 0, done.stderr

    assert [each["version"] for each in history(project)] == ["v1", "n2", "n3"]
    assert "beyond the newest 2" in done.stderr
    latest = project.fab("-H", "demo", "restore", "--file=latest", "--plan", "--json")
    assert json.loads(latest.stdout)["archive"]["version"] == "v1"
    left = project.fab("-H", "demo", "rotate", "--keep=2", "--dry-run").stdout
    assert "nothing to remove" in left


def test_the_password_can_be_in_pgpass(project, account):
    pgpass = project.ssh.home / ".pgpass"
    escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
    pgpass.write_text(f"*:*:*:shop:{escaped}\n")
    pgpass.chmod(0o600)
    os.chown(pgpass, project.ssh.uid, -1)
    try:
        done = account.run(DB_PASSWORD="")
    finally:
        pgpass.unlink()

    assert done.returncode == 0, done.stderr


def test_a_wrong_password_is_10_and_leaves_nothing(project, account):
    done = account.run(DB_PASSWORD="wrong")

    assert done.returncode == 10
    assert "password authentication failed" in done.stderr
    assert "What to do" not in done.stdout
    assert project.archives() == project.leftovers() == []


def test_wrong_settings_are_2_and_nothing_is_touched(project, account):
    done = account.run("~/remote-backup.sh /", DB_PORT="port")

    assert done.returncode == 2
    assert "DB_PORT" in done.stderr
    assert "BACKUP_VERSION" in done.stderr
    assert not project.backup_dir.exists()


def test_while_fab_is_at_work_it_is_11(project, account):
    with locked_table(project):
        run = project.start("-H", "demo", "predeploy", "--version=v1", "--lock-timeout=60")
        wait_for(lambda: dumping(project))
        done = account.run()
        run.send_signal(signal.SIGTERM)
        run.communicate()

    assert done.returncode == 11
    assert "another run is at work: predeploy" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_stopped_in_the_middle_it_leaves_nothing(project, account, number):
    with locked_table(project):
        process = account.start("~/remote-backup.sh", DB_PASSWORD=PASSWORD)
        wait_for(lambda: any(b"/psql" in each for each in remote_processes(project)))
        commands = b"\n".join(remote_processes(project))
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=120)

    assert process.returncode == 130, errors
    assert PASSWORD.encode() not in commands
    assert b"w%rd" not in commands
    wait_for(lambda: not remote_processes(project))
    assert project.archives() == project.leftovers() == []
    assert project.status()["code"] == "130"
    assert project.predeploy().returncode == 0


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs OpenSSH's client")
def test_somebody_who_logs_in_can_start_it_and_go(project, account, tmp_path):
    ssh = project.ssh
    (tmp_path / "known_hosts").write_text(f"{ssh.known_hosts_line}\n")
    (tmp_path / "key").write_text(ssh.private_key)
    (tmp_path / "key").chmod(0o600)
    words = f"DB_PASSWORD={quoted(PASSWORD)} setsid ~/remote-backup.sh gone"
    login = ["ssh", "-F", "none", "-i", tmp_path / "key", "-p", str(ssh.port)]
    login += ["-o", f"UserKnownHostsFile={tmp_path / 'known_hosts'}", f"{ssh.user}@{ssh.host}"]

    subprocess.run(
        [*login, f"{words} >/dev/null 2>&1 </dev/null &"],
        check=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
    )

    wait_for(project.archives, 30)
    wait_for(lambda: project.status()["result"] == "success")
    assert "-gone-" in project.archives()[0].name


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def test_every_command_of_the_page_runs_on_the_host_and_from_cron(project, account):
    create_owner(project.pg, role="other_owner", password=PASSWORD, database="other")
    by_hand = [line.partition("#")[0] for line in block("cron", "on the host").splitlines()]
    (cron,) = block("cron", "in crontab", "text").splitlines()

    for command in by_hand:
        done = account.run(f"env {command}")
        assert done.returncode == 0, (command, done.stderr)
    from_cron = f"sh -c {shlex.quote(cron.split(maxsplit=5)[5])}"
    done = account.run(from_cron)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")

    assert [(each["database"], each["version"]) for each in history(project)] == [
        ("shop", "manual"),
        ("other", "manual-backup"),
        ("shop", "nightly"),
    ]
    assert "BACKUP_PROOF" in account.run(from_cron, BACKUP_PROOF="none").stdout


def test_it_holds_no_secret(project, account, script):
    content = script.read_text()
    assert PASSWORD not in content
    assert "w%rd" not in content
    assert "PRIVATE KEY" not in content
    assert script.stat().st_mode & 0o777 == 0o700
    assert script.stat().st_uid == project.ssh.uid


def test_a_second_time_it_is_up_to_date_and_other_settings_replace_it(project, account, script):
    before = script.read_bytes()
    again = project.fab("-H", "demo", "install")
    assert "already up to date" in again.stdout
    assert script.read_bytes() == before

    other = project.with_profile(MAX_BACKUPS="9").fab("-H", "demo", "install")

    assert other.stdout.startswith(f"installed {script} on demo")
    assert "MAX_BACKUPS=9" in script.read_text()


def test_doctor_tells_whether_it_is_what_predeploy_is_here(project, account, script):
    def told():
        found = json.loads(project.fab("-H", "demo", "doctor", "--json").stdout)
        return next(each for each in found if each["check"] == "script")

    assert told()["result"] == "ok"
    assert "as predeploy here" in told()["detail"]
    stamp = script.read_text().splitlines()[1]
    script.write_text(script.read_text().replace(stamp, "# fabric-predeploy 0.0.1 abc"))
    assert told()["result"] == "warn"
    assert told()["remedy"] == "fab install"
    script.unlink()
    assert told()["result"] == "ok"


def test_a_file_of_somebody_else_is_14_and_stays(project, script):
    script.write_text("#!/bin/sh\necho mine\n")

    for more in ([], ["--remove"]):
        done = project.fab("-H", "demo", "install", *more)
        assert done.returncode == 14
        assert str(script) in done.stderr

    assert script.read_text() == "#!/bin/sh\necho mine\n"


def test_it_goes_again(project, account, script):
    assert project.fab("-H", "demo", "install", "--remove").returncode == 0
    assert not script.exists()
    assert project.fab("-H", "demo", "install", "--remove").returncode == 0


@pytest.fixture
def pgpass(project):
    file = project.ssh.home / ".pgpass"
    yield file
    file.unlink(missing_ok=True)


@pytest.mark.usefixtures("script")
def test_where_cron_has_no_password_the_line_that_is_missing_is_told_and_works(project, pgpass):
    done = project.fab("-H", "demo", "install")
    assert done.returncode == 0, done.stderr
    assert "WARNING: from cron the script would not get into the database" in done.stderr
    assert "no password supplied" in done.stderr
    line = re.search(r"^  (\S+:)PASSWORD$", done.stderr, re.MULTILINE)[1]

    escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
    pgpass.write_text(f"{line}{escaped}\n")
    os.chown(pgpass, project.ssh.uid, -1)
    pgpass.chmod(0o644)
    assert "has group or world access" in project.fab("-H", "demo", "install").stderr
    pgpass.chmod(0o600)
    assert "WARNING" not in project.fab("-H", "demo", "install").stderr


def test_the_line_for_cron_prints_when_it_fails_and_is_quiet_when_not(project, script, pgpass):
    """Both the line that install tells and the one of --help."""
    told = project.fab("-H", "demo", "install").stdout
    account = Account(project)
    helped = account.run("~/remote-backup.sh --help").stdout
    lines = re.findall(r"0 3 \* \* \* (.*)$", f"{told}\n{helped}", re.MULTILINE)
    assert len(lines) == 2

    for line in lines:
        shown = account.run(f"sh -c {shlex.quote(line)}", DB_PASSWORD="")
        assert "no password supplied" in shown.stdout
        assert "exit 10" in shown.stdout
        shown = account.run(f"sh -c {shlex.quote(line)}")
        assert (shown.returncode, shown.stdout, shown.stderr) == (0, "", "")


@pytest.mark.usefixtures("script")
def test_a_login_that_fails_for_another_reason_is_told_without_a_line_for_a_password(project):
    done = project.with_profile(DB_PORT="1").fab("-H", "demo", "install")
    assert done.returncode == 0, done.stderr
    assert "would not get into the database" in done.stderr
    assert "PASSWORD" not in done.stderr
