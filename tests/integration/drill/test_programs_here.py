"""What ssh_config has started on this machine hears no secret, and no host gets our agent."""

import re
import shutil
import subprocess
import sys

import pytest

from sandbox.sshd import available, openssh

pytestmark = [
    pytest.mark.usefixtures("real_fab"),
    pytest.mark.skipif(not available(), reason="OpenSSH's sshd is not installed"),
]

RELAY = """
import os, socket, sys, threading
open(sys.argv[1], "a").write("\\n".join(f"{k}={v}" for k, v in os.environ.items()) + "\\n")
way = socket.create_connection((sys.argv[2], int(sys.argv[3])))
def back():
    while data := way.recv(65536):
        os.write(1, data)
    os._exit(0)
threading.Thread(target=back, daemon=True).start()
while data := os.read(0, 65536):
    way.sendall(data)
"""
NEEDED = {"PATH", "HOME", "SSH_AUTH_SOCK", "CLOUD_TOKEN"}
GATE = ("-H", "demo", "predeploy", "--version=v1")


@pytest.fixture
def configured(project):
    """Writes the user's ssh_config."""

    def write(text):
        file = project.directory / ".ssh" / "config"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return project

    return write


def names(seen):
    return set(re.findall(r"^(\w+)=", seen, re.MULTILINE))


def hears_no_secret(project, seen):
    assert names(seen) >= NEEDED
    assert not names(seen) & {"DB_PASSWORD", "SSH_PRIVATE_KEY", "SSH_KEY_PASSPHRASE"}
    for secret in (*project.secrets["SSH_PRIVATE_KEY"].splitlines(), "pr1vate"):
        assert secret not in seen


def test_a_proxy_command_hears_no_secret(configured, ssh, tmp_path):
    (tmp_path / "relay").write_text(RELAY)
    relay = f"{sys.executable} {tmp_path}/relay {tmp_path}/seen %h %p"
    project = configured(f"Host *\n  Port {ssh.port}\n  ProxyCommand {relay}\n")

    done = project.fab(
        *GATE, SSH_KEY_PASSPHRASE="pr1vate", SSH_AUTH_SOCK="/absent", CLOUD_TOKEN="theirs"
    )

    assert done.returncode == 0, done.stderr
    hears_no_secret(project, (tmp_path / "seen").read_text())


def test_what_match_exec_names_hears_no_secret_even_before_a_task_begins(configured, tmp_path):
    project = configured(f'Match exec "env >>{tmp_path}/seen"\n  ServerAliveInterval 60\n')

    done = project.fab(
        *GATE, SSH_KEY_PASSPHRASE="pr1vate", SSH_AUTH_SOCK="/absent", CLOUD_TOKEN="theirs"
    )

    assert done.returncode == 0, done.stderr
    seen = (tmp_path / "seen").read_text()
    assert seen.count("\nHOME=") + seen.startswith("HOME=") > 1, "for -H, and for our own way there"
    hears_no_secret(project, seen)


@pytest.fixture
def agent(tmp_path):
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    yield str(socket)
    process.terminate()
    process.wait()


def keys_of(server):
    files = (each / "authorized_keys" for each in server.home.parents)
    return next(file for file in files if file.exists())


# Of each shell that begins there.
TELLING = 'echo "agent=$SSH_AUTH_SOCK" >>~/agents\n'


@pytest.mark.skipif(not shutil.which("ssh-agent"), reason="needs OpenSSH's client")
@pytest.mark.parametrize("jump", [False, True], ids=["directly", "over a jump host"])
def test_no_host_gets_our_agent_whatever_ssh_config_says(ground, make_project, pg, agent, jump):
    with openssh(ground, login_shell="/bin/bash") as ssh, openssh(ground) as between:
        (ssh.home / ".bashrc").write_text(TELLING)
        project = make_project(pg, ssh)
        lines, known = ["Host *", "  ForwardAgent yes"], ssh.known_hosts_line
        if jump:
            way = f"{between.user}@localhost:{between.port}"
            lines += [f"Host {ssh.host}", f"  ProxyJump {way}"]
            known += between.known_hosts_line.replace("[127.0.0.1]", "\n[localhost]")
            keys_of(between).write_text(keys_of(ssh).read_text())
        (project.directory / ".ssh").mkdir()
        (project.directory / ".ssh" / "config").write_text("\n".join(lines))

        done = project.fab(*GATE, SSH_AUTH_SOCK=agent, SSH_KNOWN_HOSTS=known)

        assert done.returncode == 0, done.stderr
        assert set((ssh.home / "agents").read_text().splitlines()) == {"agent="}
