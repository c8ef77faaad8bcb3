"""Chained into a team's tasks: one connection, the right host, no deploy without a proof."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("real_fab")

TASKS = """
from invoke.tasks import task
from fabric_predeploy.tasks import history, predeploy, restore
from fabric_predeploy.tasks._host.session import session

@task
def port(c):
    with session(c) as host:
        print("port", host.link.connection.run("echo $SSH_CONNECTION", hide=True).stdout.split()[1])

@task(pre=[port, predeploy, port])
def deploy(c):
    print("deployed")

@task
def back(c):
    restored = restore(c, file="latest", yes=True)
    print("back at", restored.archive, "before", restored.safety)

@task
def release(c):
    archive = predeploy(c, version="v7.0")
    print("released on", archive.version, archive.proof)
"""


NAMESPACE = """
from fabric_predeploy.tasks import namespace
from invoke.collection import Collection

ns = Collection()
ns.add_collection(namespace, name="db")
"""


@pytest.fixture
def team(project):
    """A project with tasks.py and a package config of its own, as both fabfile and invoke tasks."""
    (project.directory / "tasks.py").write_text(TASKS)
    (project.directory / "fabfile.py").write_text(
        "from tasks import back, deploy, port, predeploy, release\n"
    )
    (project.directory / "config" / "__init__.py").write_text("raise ImportError('not yours')\n")
    return project


def inv(project, *arguments, **changes):
    command = [Path(sys.executable).with_name("inv"), *arguments]
    return subprocess.run(
        command,
        cwd=project.directory,
        env=project.environment(**changes),
        capture_output=True,
        check=False,
        encoding="utf-8",
    )


def ports(done):
    return [line for line in done.stdout.splitlines() if line.startswith("port ")]


@pytest.mark.parametrize("host", [["-H", "demo"], []])
def test_a_pre_task_of_fab_backs_up_the_host_of_the_command_line(team, host):
    elsewhere = {} if host else {"PREDEPLOY_HOST": "demo"}

    done = team.fab(*host, "deploy", BACKUP_VERSION="v1", **elsewhere)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("deployed\n")
    assert len(team.archives()) == 1
    assert len(set(ports(done))) == 1 < len(ports(done))


def test_a_pre_task_backs_up_what_the_command_line_names_not_what_the_environment_does(team):
    done = team.fab("-H", "demo", "deploy", BACKUP_VERSION="v1", PREDEPLOY_HOST="host.invalid")

    assert done.returncode == 0, done.stderr
    assert len(team.archives()) == 1


def test_a_pre_task_of_inv_uses_predeploy_host(team):
    done = inv(team, "deploy", BACKUP_VERSION="v1", PREDEPLOY_HOST="demo")

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("deployed\n")
    assert len(set(ports(done))) == 1


def test_tasks_one_after_the_other_share_a_connection(team):
    done = team.fab("-H", "demo", "port", "predeploy", "--version=v1", "port", "release", "port")

    assert done.returncode == 0, done.stderr
    assert "released on v7.0 read" in done.stdout
    assert len(team.archives()) == 2
    assert len(set(ports(done))) == 1
    assert len(ports(done)) == 3


@pytest.mark.parametrize("runner", ["fab", "inv"])
def test_a_gate_that_fails_stops_the_chain_with_its_own_exit_code(team, runner):
    broken = team.with_profile(DB_NAME="absent")
    run = broken.fab if runner == "fab" else lambda *rest, **env: inv(broken, *rest, **env)

    done = run("deploy", BACKUP_VERSION="v1", PREDEPLOY_HOST="demo")

    assert done.returncode == 10
    assert "deployed" not in done.stdout


@pytest.mark.parametrize("name", ["absent", "shop"])
def test_on_one_command_line_a_deploy_follows_only_a_gate_that_holds(team, name):
    team = team.with_profile(DB_NAME=name)
    (team.directory / "fabfile.py").write_text(
        "from fabric_predeploy.tasks import namespace as ns\n"
        "from invoke.tasks import task\n"
        "ns.add_task(task(lambda c: print('deployed'), name='deploy'))\n"
    )

    done = team.fab("-H", "demo", "predeploy", "--version=v1", "deploy")

    assert done.returncode == (0 if name == "shop" else 10)
    assert done.stdout.endswith("deployed\n") == (name == "shop")


def test_in_a_namespace_of_the_team_it_tells_the_names_that_they_have_there(team):
    (team.directory / "fabfile.py").write_text(NAMESPACE)

    done = team.fab("-H", "demo", "db.predeploy", "--version=v1")

    assert done.returncode == 0, done.stderr
    (archive,) = team.archives()
    assert f"how      fab -H demo db.restore --file={archive.name}\n" in done.stdout
    back = team.fab("-H", "demo", "db.restore", f"--file={archive.name}", "--yes")
    assert back.returncode == 0, back.stderr
    assert "fab -H demo db.restore --undo" in back.stdout
    none = team.fab("-H", "demo", "db.verify", "--file=v9")
    assert none.returncode == 14
    assert "`fab -H demo db.history`" in none.stderr


def test_what_inv_runs_tells_how_inv_would_go_back(team):
    (team.directory / "tasks.py").write_text(NAMESPACE)

    done = inv(team, "db.predeploy", BACKUP_VERSION="v1", PREDEPLOY_HOST="demo")

    assert done.returncode == 0, done.stderr
    assert "how      PREDEPLOY_HOST=demo inv db.restore --file=" in done.stdout


def test_several_hosts_are_refused_for_a_pre_task_and_gated_one_by_one_otherwise(team):
    assert team.fab("-H", "demo,demo", "deploy", BACKUP_VERSION="v1").returncode == 2
    assert team.fab("-H", "demo,demo", "predeploy", "--version=v1").returncode == 0
    assert len(team.archives()) == 2


def test_a_whole_predeploy_is_one_request_to_the_host(team):
    counting = (
        "import atexit, paramiko\n"
        "opened, original = [], paramiko.Transport.open_session\n"
        "def counted(*args, **kwargs):\n"
        "    opened.append(1)\n"
        "    return original(*args, **kwargs)\n"
        "paramiko.Transport.open_session = counted\n"
        "atexit.register(lambda: print('requests', len(opened)))\n"
    )
    fabfile = team.directory / "fabfile.py"
    fabfile.write_text(counting + fabfile.read_text())

    done = team.fab("-H", "demo", "predeploy", "--version=v1")

    assert done.stdout.endswith("requests 1\n")


def test_restore_returns_what_it_has_done(team):
    assert inv(team, "release", PREDEPLOY_HOST="demo").returncode == 0
    (archive,) = team.archives()

    done = inv(team, "back", PREDEPLOY_HOST="demo")

    assert done.returncode == 0, done.stderr
    assert f"back at {archive.name} before pricehawk-pre-restore-before-v7.0-" in done.stdout
