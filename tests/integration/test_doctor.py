"""doctor and predeploy agree on every host, sound or broken; and doctor leaves no trace."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from contextlib import contextmanager, suppress

import pytest

from sandbox.postgres import create_owner
from sandbox.sshd import available, openssh
from sandbox.workspace import free_port
from tests.integration.test_unready import make_key, small_disk
from tests.project import PASSWORD


def doctor(project, **changes):
    done = project.fab("-H", "demo", "doctor", "--json", BACKUP_VERSION="v1", **changes)
    return done.returncode, json.loads(done.stdout)


def failures(findings):
    return {
        each["check"]: f"{each['detail']} {each['remedy']}"
        for each in findings
        if each["result"] == "fail"
    }


def result_of(findings, check):
    return {each["result"] for each in findings if each["check"] == check}


# What is broken: how, the check that fails, the exit code, and words of the cause.


def settings_are_wrong(project, tmp_path):
    return project.with_profile(DB_PORT="many", DB_USER=None), {"MAX_BACKUPS": "0"}


def the_key_is_none(project, tmp_path):
    return project, {"SSH_PRIVATE_KEY": "not a key"}


def the_name_does_not_resolve(project, tmp_path):
    return project.with_profile(SSH_HOST="host.invalid"), {}


def the_port_is_closed(project, tmp_path):
    return project.with_profile(SSH_PORT=str(free_port())), {}


def the_host_key_is_unknown(project, tmp_path):
    line = project.ssh.known_hosts_line
    return project, {"SSH_KNOWN_HOSTS": "elsewhere " + line.split(" ", 1)[1]}


def the_host_key_has_changed(project, tmp_path):
    make_key(tmp_path / "other")
    key = (tmp_path / "other.pub").read_text()
    return project, {"SSH_KNOWN_HOSTS": f"{project.ssh.known_hosts_line.split()[0]} {key}"}


def the_key_is_refused(project, tmp_path):
    make_key(tmp_path / "other")
    return project, {"SSH_PRIVATE_KEY": (tmp_path / "other").read_text()}


def the_password_is_wrong(project, tmp_path):
    return project, {"DB_PASSWORD": "wrong"}


def the_database_is_missing(project, tmp_path):
    return project.with_profile(DB_NAME="no such database"), {}


def the_programs_are_missing(project, tmp_path):
    return project.with_profile(DB_BIN_DIR="/nowhere"), {}


def the_directory_cannot_be_made(project, tmp_path):
    return project.with_profile(BACKUP_DIR="/no/such place"), {}


def others_can_look_in(project, tmp_path):
    project.backup_dir.mkdir()
    shutil.chown(project.backup_dir, project.ssh.uid, project.ssh.uid)
    project.backup_dir.chmod(0o750)
    return project, {}


BROKEN = [
    (settings_are_wrong, "settings", 2, ["DB_USER", "DB_PORT", "MAX_BACKUPS"]),
    (the_key_is_none, "settings", 2, ["SSH_PRIVATE_KEY"]),
    (the_name_does_not_resolve, "dns", 3, ["host.invalid", "does not resolve"]),
    (the_port_is_closed, "port", 3, ["3 tries", "refused"]),
    (the_host_key_is_unknown, "host key", 3, ["not known", "SHA256:", "ssh-keygen -lf"]),
    (the_host_key_has_changed, "host key", 3, ["CHANGED", "known: SHA256:"]),
    (the_key_is_refused, "login", 3, ["SSH_PRIVATE_KEY", "accepts: publickey", "authorized_keys"]),
    (the_password_is_wrong, "database", 10, ["password authentication failed", "DB_PASSWORD"]),
    (the_database_is_missing, "database", 10, ["no such database", "DB_NAME"]),
    (the_programs_are_missing, "programs", 10, ["/nowhere", "DB_BIN_DIR"]),
    (the_directory_cannot_be_made, "directory", 10, ["is not there", "mkdir"]),
    (others_can_look_in, "directory", 10, ["drwxr-x---", "chmod 700"]),
]


def agree(project, code, check, *words, **changes):
    """Both refuse, with the same exit code and for the same cause."""
    diagnosed, findings = doctor(project, **changes)
    done = project.predeploy("v1", **changes)
    assert (diagnosed, done.returncode) == (code, code), (findings, done.stderr)
    failed = " ".join(text for name, text in _all_failures(findings) if name == check)
    assert not [word for word in words if word not in failed], findings
    assert not [word for word in words if word not in done.stderr], done.stderr
    return findings


def _all_failures(findings):
    return [
        (each["check"], f"{each['detail']} {each['remedy']}")
        for each in findings
        if each["result"] == "fail"
    ]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken[0].__name__)
def test_doctor_names_what_predeploy_would_end_with(project, tmp_path, broken):
    breaks, check, code, words = broken
    changed, environment = breaks(project, tmp_path)
    findings = agree(changed, code, check, *words, **environment)
    order = [each["check"] for each in findings]
    later = order[len(order) - order[::-1].index(check) :]
    if code in (2, 3):
        assert {result for name in later for result in result_of(findings, name)} == {"skipped"}


def test_a_sound_host_is_all_right_before_and_after_its_first_archive(project):
    code, findings = doctor(project)
    assert code == 0
    assert {each["result"] for each in findings} == {"ok"}
    assert "will be made" in _detail(findings, "directory")
    assert "none yet" in _detail(findings, "last run")
    assert not project.backup_dir.exists()

    assert project.predeploy("v1").returncode == 0
    code, findings = doctor(project)
    assert code == 0
    assert {each["result"] for each in findings} == {"ok"}
    assert project.archives()[0].name in _detail(findings, "last run")


def _detail(findings, check):
    return "\n".join(each["detail"] for each in findings if each["check"] == check)


def test_doctor_tells_what_it_saw(project):
    _, findings = doctor(project)
    for check, words in {
        "settings": ["environment: SSH_PRIVATE_KEY SSH_KNOWN_HOSTS DB_PASSWORD", "DB_NAME=shop"],
        "version": ["v1 (environment)"],
        "dns": ["127.0.0.1"],
        "port": [str(project.ssh.port), "SSH-2.0-"],
        "host key": ["ed25519 SHA256:", "SSH_KNOWN_HOSTS line 1"],
        "login": [f"{project.ssh.user}@", "SSH_PRIVATE_KEY, ed25519 SHA256:", "publickey"],
        "programs": [project.pg.version, str(project.pg.bin_dir)],
        "database": ["shop", project.pg.version],
        "rights": ["owner of the database"],
        "space": ["free, about", "needed"],
        "way back": ["transaction", "may not create databases"],
        "extensions": ["plpgsql"],
        "relations": ["max_locks_per_transaction"],
    }.items():
        detail = _detail(findings, check)
        assert not [word for word in words if word not in detail], (check, detail)
    assert PASSWORD not in json.dumps(findings)


def state(directory):
    return {
        str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns)
        for path in [directory, *directory.rglob("*")]
    }


def test_doctor_leaves_the_host_as_it_was(project):
    """With all that a run would tidy up, and a status that a run would write."""
    before = state(project.ssh.home)
    assert doctor(project)[0] == 0
    assert state(project.ssh.home) == before

    assert project.predeploy("v1").returncode == 0
    (project.backup_dir / "x-20250314-123456.partial").touch()
    (project.backup_dir / "restore.database").write_text(
        f"{project.pg.host} {project.pg.port} shop_restore_20250314123456\n"
    )
    project.pg.superuser("CREATE DATABASE shop_restore_20250314123456 OWNER shop")
    try:
        before = state(project.ssh.home)
        assert doctor(project)[0] == 0
        assert doctor(project, DB_PASSWORD="wrong")[0] == 10
        assert state(project.ssh.home) == before
        assert project.pg.superuser(
            "SELECT datname FROM pg_database WHERE datname LIKE 'shop_restore_%'"
        )
    finally:
        project.pg.superuser("DROP DATABASE IF EXISTS shop_restore_20250314123456")


def test_another_run_at_work_is_11_unless_predeploy_would_wait_for_it(project):
    assert project.predeploy("v1").returncode == 0
    with (project.backup_dir / "lock").open("r+") as lock:
        holder = lock.read().strip()
        fcntl.flock(lock, fcntl.LOCK_EX)
        agree(project, 11, "lock", "another run is at work", holder, "BACKUP_LOCK_WAIT")
        code, findings = doctor(project, BACKUP_LOCK_WAIT="5")
        assert code == 0
        assert result_of(findings, "lock") == {"warn"}
    assert doctor(project)[0] == 0


@contextmanager
def sql(project, make, undo):
    project.pg.superuser(make, "shop")
    try:
        yield
    finally:
        project.pg.superuser(undo, "shop")


def test_what_the_role_may_not_read_is_named(project):
    with sql(project, "CREATE TABLE secret_plans (id int)", "DROP TABLE secret_plans"):
        findings = agree(project, 10, "rights", "public.secret_plans", "GRANT SELECT")
    assert "permission denied" in failures(findings)["dump"]


@contextmanager
def locked_table(project):
    project.pg.run_as("shop", "CREATE TABLE busy (id int)", "shop")
    psql = [project.pg.bin_dir / "psql", "-X", "-h", project.pg.data_dir.parent]
    holder = subprocess.Popen(
        [*psql, "-p", str(project.pg.port), "-U", "postgres", "shop"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        holder.stdin.write("BEGIN; LOCK TABLE busy;\n\\echo locked\n")
        holder.stdin.flush()
        while "locked" not in holder.stdout.readline():
            pass
        yield
    finally:
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()
        project.pg.run_as("shop", "DROP TABLE busy", "shop")


def test_a_table_that_somebody_keeps_locked_is_12(project):
    with locked_table(project):
        words = "canceling statement due to", "busy"
        agree(project, 12, "dump", *words, BACKUP_LOCK_TIMEOUT="1")


def test_an_interrupt_ends_it_on_the_host_too(project):
    ours = "FROM pg_stat_activity WHERE usename = 'shop'"
    with locked_table(project):
        process = project.start("-H", "demo", "doctor", BACKUP_LOCK_TIMEOUT="600")
        while "t" not in project.pg.superuser(f"SELECT bool_or(wait_event_type = 'Lock') {ours}"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        output, complaint = process.communicate(timeout=60)
        assert (process.returncode, output) == (130, "")
        assert "Traceback" not in complaint
        while project.pg.superuser(f"SELECT count(*) {ours}") != "0":
            pass


def test_what_could_not_be_restored_is_a_warning_or_14_where_a_way_back_is_required(project):
    others = "CREATE TABLE theirs (id int); GRANT SELECT ON theirs TO shop"
    with sql(project, others, "DROP TABLE theirs"):
        code, findings = doctor(project)
        assert code == 0
        assert result_of(findings, "way back") == {"warn"}
        assert "theirs belongs to the role postgres" in _detail(findings, "way back")
        agree(project, 14, "way back", "theirs belongs to", BACKUP_REHEARSAL="require")
        code, findings = doctor(project, BACKUP_REHEARSAL="off")
        assert (code, result_of(findings, "way back")) == (0, {"ok"})


def test_an_owner_who_may_create_databases_can_swap(project):
    with sql(project, "ALTER ROLE shop CREATEDB", "ALTER ROLE shop NOCREATEDB"):
        _, findings = doctor(project)
    assert "by a swap" in _detail(findings, "way back")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_too_little_space_is_told_beside_all_else(project):
    with small_disk(project, "300k"):
        findings = agree(project, 10, "space", "too little space", "MAX_BACKUPS")
    assert list(failures(findings)) == ["space"]
    assert result_of(findings, "way back") == {"ok"}


def test_without_a_version_both_may_run_and_say_once_that_there_is_none(project):
    done = project.fab("-H", "demo", "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert len([line for line in done.stdout.splitlines() if "unversioned" in line]) == 1
    gate = project.fab("-H", "demo", "predeploy")
    assert gate.returncode == 0
    assert gate.stderr.count("give --version or BACKUP_VERSION") == 1
    assert [archive.name.split("-")[-3] for archive in project.archives()] == ["unversioned"]


def test_a_version_of_a_branch_is_a_name_everywhere_and_that_is_said(project):
    done = project.fab("-H", "demo", "doctor", "--version=release/2024.1")
    assert done.returncode == 0
    assert "'release/2024.1' (from --version) is release-2024.1 in" in " ".join(done.stdout.split())
    gate = project.predeploy("release/2024.1")
    assert gate.returncode == 0
    assert "'release/2024.1' (from --version) is release-2024.1 in names" in gate.stderr
    assert "release-2024.1" in project.archives()[0].name


def test_lines_are_short_and_say_what_to_do(project):
    wrong = {"DB_PASSWORD": "wrong", "SSH_KNOWN_HOSTS": ""}
    done = project.fab("-H", "demo", "doctor", "--version=v1", **wrong)
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("fail  host key ")]
    assert [line for line in lines if line.startswith("-     not reached login, shell")]
    known = project.ssh.known_hosts_line
    assert known in [line.strip() for line in lines], "whole, to be copied"
    assert "(exit 3)" in done.stderr
    done = project.fab("-H", "demo", "doctor", "--version=v1")
    assert done.stdout.endswith("predeploy may run\n")
    long = [line for line in done.stdout.splitlines() if len(line) > 100]
    assert not [line for line in long if " " in line.strip()], "but for a path that is long itself"


NOISE = "echo hello from ~/.bashrc\necho token >&2\n"


@pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")
def test_odd_accounts_are_told(ground, make_project, pg):
    with openssh(ground, login_shell="/bin/bash") as ssh:
        project = make_project(pg, ssh)
        (ssh.home / ".bashrc").write_text(NOISE)
        code, findings = doctor(project)
        assert code == 0
        assert "hello from" in _detail(findings, "rc files")
        assert result_of(findings, "rc files") == {"warn"}
        assert "/bin/bash" in _detail(findings, "shell")

        (ssh.home / "bin").mkdir()
        date = ssh.home / "bin" / "date"
        date.write_text('#!/bin/sh\nexec /bin/date --date="1 day ago" "$@"\n')
        date.chmod(0o755)
        (ssh.home / ".bashrc").write_text('PATH="$HOME/bin:$PATH"\n')
        code, findings = doctor(project)
        assert code == 0
        assert "off by 86" in _detail(findings, "clock")
        assert result_of(findings, "rc files") == {"ok"}

    with openssh(ground, extra_config='ForceCommand echo "no shell for you"') as ssh:
        agree(make_project(pg, ssh), 10, "shell", "forced command")


@pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")
def test_each_hop_is_looked_at(project):
    """The database's host behind a jump host: only the first is looked up and reached from here."""
    ssh = project.ssh
    (project.directory / ".ssh").mkdir()
    (project.directory / ".ssh" / "config").write_text(
        f"Host {ssh.host}\n  ProxyJump {ssh.user}@localhost:{ssh.port}\n"
    )
    key = ssh.known_hosts_line.split(" ", 1)[1]
    both = f"{ssh.known_hosts_line}\n[localhost]:{ssh.port} {key}"
    code, findings = doctor(project, SSH_KNOWN_HOSTS=both)
    assert code == 0
    assert _detail(findings, "dns").startswith("localhost is ")
    assert _detail(findings, "host key").count("SHA256:") == 2
    assert f"@localhost:{ssh.port} with" in _detail(findings, "login")

    findings = agree(project, 3, "host key", f"[localhost]:{ssh.port} is not known")
    assert result_of(findings, "login") == {"skipped"}

    config = f"Host {ssh.host}\n  ProxyCommand /not/there %h\n"
    (project.directory / ".ssh" / "config").write_text(config)
    findings = agree(project, 3, "port", "/not/there", "ProxyCommand")
    assert "by ssh_config's proxy" in _detail(findings, "dns")


def test_a_database_without_a_table_is_a_sound_one(project):
    create_owner(project.pg, role="bare", password="p", database="bare")
    bare = project.with_profile(DB_NAME="bare", DB_USER="bare")
    code, findings = doctor(bare, DB_PASSWORD="p")
    assert code == 0, findings
    assert "0, within" in _detail(findings, "relations")


@pytest.mark.parametrize("task", ["doctor", "backup"])
def test_what_an_unknown_host_says_is_no_order_to_the_terminal(project, task):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            with suppress(OSError):
                while True:
                    link, _ = listener.accept()
                    with link:
                        link.sendall(b"SSH-\x1b]0;well\x07-x\r\n")
                        link.recv(1000)

        threading.Thread(target=answer, daemon=True).start()
        port = str(listener.getsockname()[1])
        done = project.with_profile(SSH_PORT=port).fab("-H", "demo", task, BACKUP_VERSION="v1")
        listener.shutdown(socket.SHUT_RDWR)
    assert done.returncode == 3
    assert "\\x1b]0;well" in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_data_stays_data_for_a_reader_that_knows_ascii_only(project):
    broken = project.with_profile(DB_NAME="größe")
    code, findings = doctor(broken, PYTHONIOENCODING="ascii")
    assert code == 10
    assert "größe" in failures(findings)["database"]
