"""doctor and predeploy agree on every host, sound or broken; and doctor leaves no trace."""

import shutil
import signal
import subprocess
from contextlib import contextmanager

import pytest

from sandbox.postgres import create_owner
from sandbox.workspace import free_port
from tests.integration.doctors import _detail, agree, doctor, failures, result_of, sql
from tests.integration.ssh.test_unready import make_key


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


# What is broken: how, the check that fails, the exit code, and words of the cause.
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


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken[0].__name__)
def test_doctor_names_what_predeploy_would_end_with(project, tmp_path, broken):
    breaks, check, code, words = broken
    changed, environment = breaks(project, tmp_path)
    findings = agree(changed, code, check, *words, **environment)
    order = [each["check"] for each in findings]
    later = order[len(order) - order[::-1].index(check) :]
    if code in (2, 3):
        assert {result for name in later for result in result_of(findings, name)} == {"skipped"}


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


def test_a_database_without_a_table_is_a_sound_one(project):
    create_owner(project.pg, role="bare", password="p", database="bare")
    bare = project.with_profile(DB_NAME="bare", DB_USER="bare")
    code, findings = doctor(bare, DB_PASSWORD="p")
    assert code == 0, findings
    assert "0, within" in _detail(findings, "relations")
