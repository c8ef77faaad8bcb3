"""fab itself, where people say in ssh_config or behind -H how a host is reached."""

import shutil

import pytest

from sandbox.sshd import available
from tests.project import PASSWORD

pytestmark = pytest.mark.skipif(
    not (available() and shutil.which("ssh")), reason="needs OpenSSH's sshd"
)


@pytest.fixture
def home(project):
    """The home of whoever runs fab; the profile says nothing of how the host is reached."""
    directory = project.directory / ".ssh"
    directory.mkdir(exist_ok=True)
    (directory / "id").write_text(project.ssh.private_key)
    (directory / "known_hosts").write_text(project.ssh.known_hosts_line + "\n")
    yield directory
    shutil.rmtree(directory)


def doctor(project, host):
    nothing = {"SSH_PRIVATE_KEY": None, "SSH_KNOWN_HOSTS": None, "SSH_AUTH_SOCK": None}
    return project.fab("-H", host, "doctor", "--version=v1", **nothing)


def test_an_alias_in_an_included_file_is_enough(project, home):
    ssh = project.ssh
    (home / "config").write_text(
        "CanonicalizeHostname yes\nInclude conf.d/*\nHost *\n  ProxyJump none\n"
        'Host demo\n  Include more\nMatch exec "exit 1"\n  Port 1\n'
    )
    (home / "conf.d").mkdir()
    (home / "conf.d/alias").write_text(f"Host demo\n  HostName {ssh.host}\n  User {ssh.user}\n")
    (home / "more").write_text(f"Port {ssh.port}\nIdentityFile ~/.ssh/id\n")
    alias = project.with_profile(SSH_HOST="demo", SSH_PORT=None, SSH_USER=None)
    done = doctor(alias, "demo")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("form", ["{user}@{host}:{port}", "ssh://{user}@{host}:{port}"])
def test_a_host_behind_h_may_hold_user_and_port(project, home, form):
    ssh = project.ssh
    (home / "config").write_text("IdentityFile ~/.ssh/id\n")
    bare = project.with_profile(SSH_HOST=None, SSH_PORT=None, SSH_USER=None)
    place = bare.directory / "config" / "demo.env"
    moved = place.rename(place.with_name(f"{ssh.host}.env"))
    try:
        done = doctor(bare, form.format(user=ssh.user, host=ssh.host, port=ssh.port))
    finally:
        moved.rename(place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSWORD not in done.stdout
