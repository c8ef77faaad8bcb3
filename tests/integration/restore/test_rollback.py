"""A deploy in a guard: it is there in the end, or it never was."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.everything import plain_dump
from tests.integration.terminal import Terminal

TASKS = """
import os, signal, subprocess, sys
from invoke.exceptions import Exit
from invoke.tasks import task
from fabric_predeploy.tasks import history, predeploy, rollback_on_failure
from fabric_predeploy.tasks._host.session import session

def port(c):
    with session(c) as host:
        print("port", host.link.connection.run("echo $SSH_CONNECTION", hide=True).stdout.split()[1])

@task
def deploy(c, ending="pass"):
    with rollback_on_failure(c) as archive:
        port(c)
        print("deploying", archive.version, flush=True)
        sql = "CREATE TABLE half_done (); ALTER TABLE products ADD half_done int"
        shop = "postgresql:///shop?host={socket}&port={port}&user=shop"
        subprocess.run(["{psql}", "-qd", shop, "-c", sql], check=True)
        exec(ending)
    port(c)
    print("deployed")

@task
def careful(c):
    archive = predeploy(c, version="v5")
    predeploy(c, version="v6")
    with rollback_on_failure(c, archive) as same:
        assert same is archive
        raise Exit("no", code=9)
"""


@pytest.fixture
def team(project):
    socket = project.pg.data_dir.parent
    text = TASKS.replace("{psql}", str(project.pg.bin_dir / "psql"))
    text = text.replace("{socket}", str(socket)).replace("{port}", str(project.pg.port))
    (project.directory / "tasks.py").write_text(text)
    (project.directory / "fabfile.py").write_text("from tasks import *\n")
    yield project
    undo = "DROP TABLE IF EXISTS half_done; ALTER TABLE products DROP COLUMN IF EXISTS half_done"
    project.pg.run_as("shop", undo, "shop")


def inv(team, *arguments, **changes):
    return subprocess.run(
        [Path(sys.executable).with_name("inv"), *arguments],
        cwd=team.directory,
        env=team.environment(BACKUP_VERSION="v1", PREDEPLOY_HOST="demo", **changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )


SIGTERM = "os.kill(os.getpid(), signal.SIGTERM); signal.pause()"
ENDINGS = [
    ("raise Exit('the site is down', code=7)", 7, "the site is down"),
    ("sys.exit(3)", 3, "exit code 3"),
    ("c.run('exit 4', hide=True)", 4, "a command ended with exit code 4"),
    ("raise ValueError('a bug')", 1, "a bug"),
    ("raise KeyboardInterrupt", 1, "KeyboardInterrupt"),
    (SIGTERM, 130, "interrupted by SIGTERM (exit 130)"),
    (
        "os.rename('config/demo.env', 'gone'); os.environ.pop('DB_PASSWORD'); sys.exit(3)",
        3,
        "exit code 3",
    ),
    ("os.chdir('/'); raise Exit('no site there', code=7)", 7, "no site there"),
]


@pytest.mark.parametrize(("ending", "code", "words"), ENDINGS)
def test_a_deploy_that_fails_is_undone_and_keeps_its_exit_code(team, ending, code, words):
    before = plain_dump(team.pg, "shop")

    done = inv(team, "deploy", f"--ending={ending}")

    assert done.returncode == code, done.stderr
    assert "deployed" not in done.stdout
    assert f"The deploy failed ({words}): going back to pricehawk-pre-deploy-v1-" in done.stdout
    assert "Restored shop to pricehawk-pre-deploy-v1-" in done.stdout
    assert plain_dump(team.pg, "shop") == before


@pytest.mark.parametrize("ending", ["pass", "raise Exit(code=0)", "sys.exit()"])
def test_a_deploy_that_ends_well_stays(team, ending):
    done = inv(team, "deploy", f"--ending={ending}")

    assert done.returncode == 0, done.stderr
    assert "CREATE TABLE public.half_done" in plain_dump(team.pg, "shop")
    assert "Restored" not in done.stdout


def test_a_hangup_that_nohup_has_ignored_undoes_nothing(team):
    hangup = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    text = (team.directory / "tasks.py").read_text()
    (team.directory / "tasks.py").write_text(f"{text}\n{hangup}\n")

    done = inv(team, "deploy", "--ending=os.kill(os.getpid(), signal.SIGHUP)")

    assert done.returncode == 0, done.stderr
    assert "CREATE TABLE public.half_done" in plain_dump(team.pg, "shop")


def test_a_deploy_whose_terminal_goes_away_is_undone_though_nobody_hears_of_it(team):
    before = plain_dump(team.pg, "shop")
    ending = "--ending=open('half', 'w'); signal.pause()"
    terminal = Terminal(team, "-H", "demo", "deploy", ending, BACKUP_VERSION="v1")
    terminal.until((team.directory / "half").exists)

    assert terminal.hang_up() == 130

    assert plain_dump(team.pg, "shop") == before


def test_a_deploy_that_fills_the_disk_on_which_it_logs_is_undone(team):
    before = plain_dump(team.pg, "shop")
    ending = "--ending=os.dup2(os.open('/dev/full', os.O_WRONLY), 1); raise Exit('full', code=7)"

    assert inv(team, "deploy", ending).returncode == 7

    assert plain_dump(team.pg, "shop") == before


def test_where_the_gate_fails_nothing_is_deployed(team):
    done = inv(team, "deploy", DB_NAME="absent")

    assert done.returncode == 10
    assert "deploying" not in done.stdout


def test_when_going_back_fails_too_both_failures_are_told(team):
    lose = f"os.system('rm {team.backup_dir}/*.dump'); raise Exit('the site is down', code=7)"

    done = inv(team, "deploy", f"--ending={lose}")

    assert done.returncode == 14
    assert "The deploy that was to be undone had failed: the site is down" in done.stderr
    assert "CREATE TABLE public.half_done" in plain_dump(team.pg, "shop")


def test_it_goes_back_to_the_archive_that_it_was_given_not_to_the_latest(team):
    done = inv(team, "careful")

    assert done.returncode == 9, done.stderr
    assert "Restored shop to pricehawk-pre-deploy-v5-" in done.stdout


def test_gate_deploy_and_way_back_share_a_connection(team):
    done = team.fab("-H", "demo", "deploy", "--ending=raise Exit(code=7)", BACKUP_VERSION="v1")

    assert done.returncode == 7, done.stderr
    ports = {line for line in done.stdout.splitlines() if line.startswith("port ")}
    assert len(ports) == 1
