"""What doctor tells of a host on which predeploy may run."""

import fcntl
import json
import os
import socket
import threading
from contextlib import suppress

import pytest

from sandbox.sshd import available, openssh
from tests.integration.doctors import _detail, agree, doctor, failures, result_of, sql
from tests.integration.ssh.test_unready import small_disk
from tests.project import PASSWORD


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
