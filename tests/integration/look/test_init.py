"""From an empty directory to a profile that is of use, by flags or at a terminal."""

import os
import pty
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.integration.ssh.test_unready import make_key
from tests.project import PASSWORD


@pytest.fixture
def fresh(project, tmp_path):
    """A new user's directory: nothing in it, and secrets in the environment alone."""
    directory = tmp_path / "fresh shop"
    directory.mkdir()
    secrets = {key: text for key, text in project.secrets.items() if key != "SSH_KNOWN_HOSTS"}
    return replace(project, directory=directory, secrets=secrets)


def fingerprint(project):
    (project.directory / "key.pub").write_text(project.ssh.known_hosts_line.split(" ", 1)[1])
    told = subprocess.run(
        ["ssh-keygen", "-lf", project.directory / "key.pub"], capture_output=True, check=True
    )
    (project.directory / "key.pub").unlink()
    return told.stdout.decode().split()[1]


def flags(project, **changes):
    given = {
        "name": "prod",
        "host": project.ssh.host,
        "port": str(project.ssh.port),
        "user": project.ssh.user,
        "database": "shop",
        "db-user": "shop",
        "db-host": project.pg.host,
        "db-port": str(project.pg.port),
        "fingerprint": fingerprint(project),
        **changes,
    }
    return [f"--{flag}={value}" for flag, value in given.items() if value is not None]


def run(project, arguments, *, stdin=subprocess.DEVNULL, **changes):
    """As before there is a fabfile."""
    changes = {
        "DB_BIN_DIR": str(project.pg.bin_dir),
        "BACKUP_DIR": str(project.backup_dir),
        "BACKUP_VERSION": "v1",
    } | changes
    return subprocess.Popen(
        [sys.executable, "-m", "fabric_predeploy", "init", *arguments],
        cwd=project.directory,
        env=project.environment(**changes),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def init(project, *arguments, **changes):
    process = run(project, arguments, **changes)
    told, _ = process.communicate(timeout=60)
    assert "Traceback" not in told, told
    assert PASSWORD not in told
    return process.returncode, told


def written(project):
    return sorted(str(path.relative_to(project.directory)) for path in project.directory.rglob("*"))


def refused(project, code, *arguments, **changes):
    before = written(project)
    ended, told = init(project, *arguments, **changes)
    assert ended == code, told
    assert written(project) == before
    return told


def test_flags_are_enough_and_what_is_written_is_of_use(fresh):
    subprocess.run(["git", "init", "--quiet"], cwd=fresh.directory, check=True)
    code, told = init(fresh, *flags(fresh))
    assert code == 0, told
    assert "predeploy may run" in told
    profile = (fresh.directory / "config" / "prod.env").read_text()
    assert f"\nSSH_KNOWN_HOSTS='{fresh.ssh.known_hosts_line}'\n" in profile
    assert "\nBACKUP_PROJECT=fresh-shop\n" in profile
    assert (fresh.directory / ".gitignore").read_text() == ".env\n"
    assert "gh secret set SSH_PRIVATE_KEY < ~/.ssh/id_ed25519\n" in told
    assert "gh secret set DB_PASSWORD\n" in told
    assert "glab variable set" in told
    assert written(fresh)[-2:] == ["config/prod.env", "fabfile.py"]

    programs = {"DB_BIN_DIR": str(fresh.pg.bin_dir), "BACKUP_DIR": str(fresh.backup_dir)}
    done = fresh.fab("-H", "prod", "predeploy", "--version=v1", **programs)
    assert done.returncode == 0, done.stderr
    assert "fresh-shop-pre-deploy-v1-" in done.stdout


def test_inits_exit_code_is_that_of_doctor(fresh):
    code, told = init(fresh, *flags(fresh, database="no such"))
    assert code == 10, told
    assert "fail  database" in told
    assert (fresh.directory / "config" / "prod.env").exists()


def test_without_a_terminal_all_that_is_missing_is_named(fresh):
    told = refused(fresh, 2)
    assert "--name, --host, --database, --db-user" in told
    told = refused(fresh, 2, *flags(fresh, host=None, name=None))
    assert "--name, --host\n" in told


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("name", "../x"),
        ("name", "a:b"),
        ("name", ".hidden"),
        ("host", "a b"),
        ("host", "-oProxyCommand=x"),
        ("port", "0"),
        ("user", "a b"),
        ("database", "a\nb"),
        ("db-port", "many"),
        ("fingerprint", "MD5:aa"),
        ("database", "postgres://me:word@host/db"),
    ],
)
def test_what_no_profile_may_hold_is_exit_2_before_any_contact(fresh, flag, value):
    changed = {"host": "host.invalid", "fingerprint": "SHA256:" + "x" * 43, flag: value}
    told = refused(fresh, 2, *flags(fresh, **changed))
    assert flag in told or "config/prod.env" in told


def test_a_host_that_is_out_of_reach_is_exit_3(fresh):
    assert "does not resolve" in refused(fresh, 3, *flags(fresh, host="host.invalid"))
    assert "connection refused" in refused(fresh, 3, *flags(fresh, port="1"))


def test_a_host_key_that_nobody_confirms_is_exit_14_and_another_one_3(fresh):
    shown = fingerprint(fresh)
    told = refused(fresh, 14, *flags(fresh, fingerprint=None))
    assert f"--fingerprint={shown}" in told
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in told
    other = "SHA256:" + "x" * 43
    told = refused(fresh, 3, *flags(fresh, fingerprint=other))
    assert shown in told
    assert other in told


def test_a_host_that_is_known_by_another_key_is_exit_3(fresh, tmp_path):
    make_key(tmp_path / "other")
    name = fresh.ssh.known_hosts_line.split()[0]
    (fresh.directory / ".ssh").mkdir()
    known_hosts = fresh.directory / ".ssh" / "known_hosts"
    known_hosts.write_text(f"{name} {(tmp_path / 'other.pub').read_text()}")
    told = refused(fresh, 3, *flags(fresh))
    assert "has CHANGED" in told
    assert str(known_hosts) in told


def test_a_profile_that_is_there_stays_unless_it_is_to_be_overwritten(fresh):
    (fresh.directory / "config").mkdir()
    profile = fresh.directory / "config" / "prod.env"
    profile.write_text("SSH_KNOWN_HOSTS=outdated\n")
    assert "--overwrite" in refused(fresh, 14, *flags(fresh, host="host.invalid"))
    assert profile.read_text() == "SSH_KNOWN_HOSTS=outdated\n"
    code, told = init(fresh, *flags(fresh), "--overwrite")
    assert code == 0, told
    assert "outdated" not in profile.read_text()


def test_a_fabfile_that_is_there_stays_and_the_line_for_it_is_told(fresh):
    (fresh.directory / "fabfile.py").write_text("# mine\n")
    code, told = init(fresh, *flags(fresh))
    assert code == 0, told
    assert "add these lines at its end" in told
    assert "  from fabric_predeploy.tasks import namespace as db\n" in told
    assert (fresh.directory / "fabfile.py").read_text() == "# mine\n"


def test_fabs_own_flag_names_the_profile_too(project):
    arguments = flags(project, name=None)
    done = project.fab("-H", "fresh", "init", *arguments, SSH_KNOWN_HOSTS=None)
    assert "wrote config/fresh.env" in done.stdout
    assert "fabfile" not in done.stdout


def test_a_jump_host_has_to_be_known_or_confirmed_too(fresh):
    ssh = fresh.ssh
    (fresh.directory / ".ssh").mkdir()
    (fresh.directory / ".ssh" / "config").write_text(
        f"Host inner\n  HostName {ssh.host}\n  ProxyJump {ssh.user}@localhost:{ssh.port}\n"
    )
    code, told = init(fresh, *flags(fresh, host="inner"))
    assert code == 0, told
    profile = (fresh.directory / "config" / "prod.env").read_text()
    assert f"SSH_KNOWN_HOSTS='[localhost]:{ssh.port} ssh-ed25519 " in profile
    assert f"\n{ssh.known_hosts_line}'\n" in profile


def at_a_terminal(project, dialogue, *arguments, interrupt=False):
    """Answer each question, in this order; the end of the dialogue is Ctrl-D, or Ctrl-C."""
    ours, theirs = pty.openpty()
    process = run(project, arguments, stdin=theirs)
    told = ""
    try:
        for question, answer in [*dialogue, (None, None)]:
            if question is None:
                break
            while not told.endswith(question):
                character = process.stdout.read(1)
                assert character, told
                told += character
            if answer is not None:
                os.write(ours, f"{answer}\n".encode())
            elif interrupt:
                process.send_signal(signal.SIGINT)
            else:
                os.write(ours, b"\x04")
        told += process.communicate(timeout=60)[0]
    finally:
        os.close(ours)
        os.close(theirs)
    assert "Traceback" not in told, told
    return process.returncode, told


def test_at_a_terminal_what_is_not_given_is_asked_for(fresh):
    at = [f"--db-host={fresh.pg.host}", f"--db-port={fresh.pg.port}"]
    dialogue = [
        ("fab -H: ", "prod"),
        ("alias of ssh_config: ", "no host"),
        ("or a profile: ", fresh.ssh.host),
        ("SSH port [22, or what ssh_config says]: ", str(fresh.ssh.port)),
        ("User there [yours, or what ssh_config says]: ", fresh.ssh.user),
        ("Database: ", ""),
        ("it is needed: ", "shop"),
        ("its owner: ", "shop"),
        ("if they are equal: ", "yes"),
    ]
    code, told = at_a_terminal(fresh, dialogue, *at)
    assert code == 0, told
    assert fingerprint(fresh) in told
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in told
    assert "predeploy may run" in told


def test_whoever_does_not_say_yes_has_written_nothing(fresh):
    before = written(fresh)
    arguments = flags(fresh, fingerprint=None)
    for answer, interrupt, code in [("no", False, 14), (None, False, 14), (None, True, 130)]:
        asked = [("if they are equal: ", answer)]
        ended, told = at_a_terminal(fresh, asked, *arguments, interrupt=interrupt)
        assert ended == code, told
    asked = [("its owner: ", None)]
    for interrupt, code in [(False, 14), (True, 130)]:
        ended, told = at_a_terminal(
            fresh, asked, *flags(fresh, **{"db-user": None}), interrupt=interrupt
        )
        assert ended == code, told
    assert written(fresh) == before
