"""A host out of reach, not trusted or not ready: which exit code, and what is said."""

import os
import subprocess
from contextlib import contextmanager

import pytest

from sandbox.postgres import create_owner


@contextmanager
def small_disk(project, size):
    """BACKUP_DIR on a tmpfs of its own, inside the mount namespace of the sandbox's sshd."""
    inside = ["nsenter", f"--target={project.ssh.pid}", "--mount"]
    options = f"size={size},uid={project.ssh.uid},gid={project.ssh.uid},mode=0700"
    project.backup_dir.mkdir()
    subprocess.run(
        [*inside, "mount", "-t", "tmpfs", "-o", options, "tmpfs", project.backup_dir], check=True
    )
    try:
        yield (
            lambda *command: (
                subprocess.run(
                    [*inside, "sh", "-c", 'cd "$0" && exec "$@"', project.backup_dir, *command],
                    capture_output=True,
                    check=True,
                    encoding="utf-8",
                ).stdout
            )
        )
    finally:
        subprocess.run([*inside, "umount", project.backup_dir], check=True)


def make_key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)


def refused(done, code, *words):
    assert done.returncode == code, done.stderr
    assert not [word for word in words if word not in done.stderr], done.stderr
    return True


def test_an_unknown_host_key_is_exit_3_and_the_line_that_it_shows_makes_it_known(project):
    done = project.predeploy(
        SSH_KNOWN_HOSTS="elsewhere " + project.ssh.known_hosts_line.split(" ", 1)[1]
    )
    assert refused(done, 3, "not known", "SHA256:")

    line = next(line for line in done.stderr.splitlines() if line.startswith("["))
    assert project.predeploy(SSH_KNOWN_HOSTS=line).returncode == 0


def test_a_wrong_password_is_exit_10(project):
    done = project.predeploy(DB_PASSWORD="wrong")

    assert refused(done, 10, "DB_PASSWORD")
    assert project.status()["result"] == "failure"


def test_a_missing_database_is_exit_10(project):
    assert refused(project.with_profile(DB_NAME="no such database").predeploy(), 10, "DB_NAME")


def test_missing_programs_are_exit_10(project):
    done = project.with_profile(DB_BIN_DIR="/nowhere").predeploy()

    assert refused(done, 10, "DB_BIN_DIR", "/nowhere")


def test_a_table_that_the_role_cannot_read_is_exit_10_with_its_name(project):
    project.pg.superuser("CREATE TABLE secret_plans (id int)", "shop")
    try:
        assert refused(project.predeploy(), 10, "public.secret_plans", "GRANT SELECT")
    finally:
        project.pg.superuser("DROP TABLE secret_plans", "shop")


def test_forced_row_level_security_is_exit_10_with_the_name_of_the_table(project):
    project.pg.run_as(
        "shop",
        "CREATE TABLE walled (id int); ALTER TABLE walled ENABLE ROW LEVEL SECURITY;"
        "ALTER TABLE walled FORCE ROW LEVEL SECURITY",
        "shop",
    )
    try:
        assert refused(project.predeploy(), 10, "walled", "BYPASSRLS")
    finally:
        project.pg.superuser("DROP TABLE walled", "shop")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_too_little_space_is_exit_10_before_a_byte_is_written(project):
    with small_disk(project, "300k"):
        assert refused(project.predeploy(), 10, "too little space", "MAX_BACKUPS")
        assert project.archives() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_that_fills_up_meanwhile_is_exit_12_and_harms_no_earlier_archive(project):
    create_owner(project.pg, role="bulky", password="p", database="bulky")
    rows = "SELECT md5(n::text) || md5((-n)::text) AS row FROM generate_series(1, 100000) AS n"
    project.pg.run_as("bulky", f"CREATE TABLE bulk AS {rows}", "bulky")
    bulky = project.with_profile(DB_NAME="bulky", DB_USER="bulky")
    with small_disk(project, "40m") as run:
        assert bulky.predeploy("v1", DB_PASSWORD="p").returncode == 0
        before = run("sh", "-c", "sha256sum *.dump *.manifest *.sha256")
        archive_bytes = int(run("sh", "-c", "cat *.dump | wc -c"))
        # Enough for another one like it, as preflight reckons, but not for one without compression.
        ballast_bytes = (
            int(run("df", "--output=avail", "-B1", ".").split()[1]) - archive_bytes * 3 // 2
        )
        run("sh", "-c", f"head -c {ballast_bytes} /dev/zero >ballast")

        done = bulky.with_profile(BACKUP_COMPRESS="none").predeploy("v2", DB_PASSWORD="p")

        assert refused(done, 12, "no space is left")
        assert run("sh", "-c", "sha256sum *.dump *.manifest *.sha256") == before
        assert "result=failure" in run("cat", "status")
        assert ".partial" not in run("ls", "-A")
        run("rm", "ballast")
        assert bulky.predeploy("v3", DB_PASSWORD="p").returncode == 0


def test_a_directory_that_others_can_look_into_is_exit_10_and_stays_as_it_is(project):
    project.fab("-H", "demo", "predeploy", "--version=v1")
    project.backup_dir.chmod(0o755)

    assert refused(project.predeploy("v2"), 10, "chmod 700")
    assert project.backup_dir.stat().st_mode & 0o777 == 0o755
