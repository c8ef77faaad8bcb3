"""The gate, end to end, over a real sshd against a real PostgreSQL."""

import subprocess

import pytest

from tests.project import READABLE

pytestmark = pytest.mark.usefixtures("real_fab")


def test_a_first_run_leaves_a_proven_archive_and_says_what_one_can_roll_back_to(project):
    done = project.predeploy("v1.0.0")

    assert done.returncode == 0, done.stderr
    (archive,) = project.archives()
    assert f"{READABLE} {archive.name}" in done.stdout
    assert project.status()["result"] == "success"
    assert project.status()["proof"] == "read"
    assert project.leftovers() == []


def test_sha256sum_on_the_host_agrees_with_the_sidecar(project):
    project.predeploy()

    (archive,) = project.archives()
    subprocess.run(
        ["sha256sum", "--check", f"{archive.name}.sha256"], cwd=project.backup_dir, check=True
    )


def test_the_archive_restores_into_an_empty_database_with_every_row(project):
    project.predeploy()
    project.pg.superuser("DROP DATABASE IF EXISTS elsewhere")
    project.pg.superuser("CREATE DATABASE elsewhere")

    (archive,) = project.archives()
    restore = [project.pg.bin_dir / "pg_restore", "--exit-on-error", "--file=-", archive]
    sql = subprocess.run(restore, capture_output=True, check=True, encoding="utf-8").stdout
    project.pg.superuser(sql, "elsewhere")

    count = (
        "SELECT count(*) FROM shop.offers" if has_schema(project) else "SELECT count(*) FROM offers"
    )
    assert project.pg.superuser(count, "elsewhere") == project.pg.superuser(count, "shop")


def has_schema(project):
    return (
        project.pg.superuser("SELECT count(*) FROM pg_namespace WHERE nspname = 'shop'", "shop")
        == "1"
    )


def test_user_and_port_of_the_command_line_win_over_the_profile(project):
    wrong = project.with_profile(SSH_USER="nobody-of-that-name", SSH_PORT="1")
    host = f"{project.ssh.user}@demo:{project.ssh.port}"

    done = wrong.fab("-H", host, "predeploy", "--version=v1")

    assert done.returncode == 0, done.stderr
