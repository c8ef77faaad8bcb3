"""A fabfile of a team deploys files to the host of the profile, over the connection of the gate."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.pages import block

FABFILE = """
import io, socket, time
from invoke.collection import Collection
from invoke.tasks import task
from fabric_predeploy.tasks import connection, namespace as db, predeploy

def connected(port):
    for _ in range(100):  # Fabric listens in a thread, and does not say since when
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.1)

@task(pre=[predeploy])
def deploy(c):
    host = connection(c)
    host.put(io.StringIO("the new release"), "app.txt")
    print("there:", host.run("cat app.txt", hide=True).stdout)
    back = io.BytesIO()
    host.get("app.txt", back)
    print("back:", back.getvalue().decode())
    print("user:", host.run("id -un", hide=True).stdout.strip())
    port = socket.create_server(("127.0.0.1", 0)).getsockname()[1]
    with host.forward_local(port, remote_port=host.port, remote_host="127.0.0.1"):
        with connected(port) as other:
            other.sendall(b"no client of SSH\\r\\n")
            print("forwarded:", other.makefile("rb").read().decode())
    assert connection(c) is host

@task
def clean(c):
    connection(c).run("rm app.txt; echo gone")

ns = Collection(deploy, clean)
ns.add_collection(db, name="db")
"""


@pytest.fixture
def team(project):
    for name in ("fabfile.py", "tasks.py"):
        (project.directory / name).write_text(FABFILE)
    yield project
    for name in ("app.txt", "app.tar.gz"):
        (project.ssh.home / name).unlink(missing_ok=True)


def inv(team, *arguments):
    return subprocess.run(
        [Path(sys.executable).with_name("inv"), *arguments],
        cwd=team.directory,
        env=team.environment(BACKUP_VERSION="v1", PREDEPLOY_HOST="demo"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )


def assert_deployed(team, done):
    assert done.returncode == 0, done.stderr
    for told in ("there: the new release", "back: the new release", f"user: {team.ssh.user}"):
        assert told in done.stdout
    assert "forwarded: SSH-2.0" in done.stdout
    assert (team.ssh.home / "app.txt").read_text() == "the new release"


def test_files_go_to_the_host_of_the_profile_with_its_key_and_known_hosts(team):
    assert_deployed(team, team.fab("-H", "demo", "deploy", BACKUP_VERSION="v1"))
    assert "gone" in team.fab("-H", "demo", "clean").stdout
    assert not (team.ssh.home / "app.txt").exists()


def test_inv_with_the_profile_in_the_environment_goes_there_too(team):
    assert_deployed(team, inv(team, "deploy"))


def test_the_task_on_the_page_deploys(team):
    (team.directory / "fabfile.py").write_text(block("tasks", "own connection", "python"))
    (team.directory / "app.txt").write_text("of the page")
    (team.directory / "dist").mkdir()
    with tarfile.open(team.directory / "dist" / "app.tar.gz", "w:gz") as packed:
        packed.add(team.directory / "app.txt", "app.txt")

    done = team.fab("-H", "demo", "deploy", BACKUP_VERSION="v1")

    assert done.returncode == 0, done.stderr
    assert (team.ssh.home / "app.txt").read_text() == "of the page"


def test_a_host_that_is_not_trusted_gets_nothing(team):
    of_another = "elsewhere " + team.ssh.known_hosts_line.split(" ", 1)[1]
    done = team.fab("-H", "demo", "clean", SSH_KNOWN_HOSTS=of_another)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "gone" not in done.stdout
