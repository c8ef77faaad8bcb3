"""Hosts as they are found: with odd names, and clocks. Shells and accounts: tests/faults."""

import os
import shutil

import pytest

from sandbox.postgres import create_owner
from sandbox.sshd import available, openssh

pytestmark = pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")


def took_a_proven_archive(project, done):
    assert done.returncode == 0, done.stderr
    (archive,) = project.archives()
    assert archive.name in done.stdout
    assert project.status()["result"] == "success"
    return archive


@pytest.mark.parametrize(
    "directory", ['it\'s $(id) a "place"; rm -rf ~/ ü', "~/~/ba*ckups", "-dash/*"]
)
def test_a_backup_directory_may_have_any_name(project, directory):
    below = project.ssh.home / f"odd-{os.urandom(4).hex()}"
    below.mkdir()
    shutil.chown(below, project.ssh.uid, project.ssh.uid)
    odd = project.with_profile(BACKUP_DIR=f"{below}/{directory}")
    here = below / directory

    done = odd.predeploy()

    assert done.returncode == 0, done.stderr
    assert [path.suffix for path in here.glob("*.dump")] == [".dump"]
    assert odd.fab("-H", "demo", "verify").returncode == 0


def test_a_directory_relative_to_the_remote_home_is_found_there(project):
    name = f"backups {os.urandom(4).hex()}"

    assert project.with_profile(BACKUP_DIR=f"~/{name}").predeploy().returncode == 0
    assert list((project.ssh.home / name).glob("*.dump"))


@pytest.mark.parametrize("name", ['it\'s a "shop"; $(id) -- ü', "dbname=postgres user=x", "-shop"])
def test_a_database_and_a_role_may_have_any_name(project, name):
    create_owner(project.pg, role=f"r {name}", password="p", database=name)

    done = project.with_profile(DB_NAME=name, DB_USER=f"r {name}").predeploy(DB_PASSWORD="p")

    assert done.returncode == 0, done.stderr
    assert name in project.fab("-H", "demo", "history").stdout


def test_an_empty_database_is_a_valid_one(project):
    create_owner(project.pg, role="poor", password="p", database="empty")
    poor = project.with_profile(DB_NAME="empty", DB_USER="poor")

    took_a_proven_archive(poor, poor.predeploy(DB_PASSWORD="p"))
    assert poor.fab("-H", "demo", "verify", DB_PASSWORD="p").returncode == 0


def test_the_password_may_stand_in_pgpass_on_the_host(project):
    pgpass = project.ssh.home / ".pgpass"
    pgpass.write_text("*:*:*:poorer:word\n")
    pgpass.chmod(0o600)
    shutil.chown(pgpass, project.ssh.uid, project.ssh.uid)
    create_owner(project.pg, role="poorer", password="word", database="poorer")
    try:
        done = project.with_profile(DB_NAME="poorer", DB_USER="poorer").predeploy(DB_PASSWORD="")
        assert done.returncode == 0, done.stderr
    finally:
        pgpass.unlink()


def test_a_clock_that_was_set_back_is_warned_about_and_costs_no_new_archive(
    ground, make_project, pg
):
    with openssh(ground, login_shell="/bin/bash") as ssh:
        project = make_project(pg, ssh, MAX_BACKUPS="1")
        project.predeploy("v1")
        (ssh.home / "bin").mkdir()
        date = ssh.home / "bin" / "date"
        date.write_text('#!/bin/sh\nexec /bin/date --date="1 day ago" "$@"\n')
        date.chmod(0o755)
        (ssh.home / ".bashrc").write_text('PATH="$HOME/bin:$PATH"\n')

        done = project.predeploy("v2")

        assert done.returncode == 0, done.stderr
        assert "clock is off" in done.stderr
        assert [path.name.split("-")[3] for path in project.archives()] == ["v1", "v2"]
