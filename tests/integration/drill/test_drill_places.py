"""Where a test restore is made, and where not."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from fabric_predeploy.remote.here.servers import found, nearest

from sandbox.sshd import available, openssh
from tests.integration.drills import (
    EQUAL,
    drill_db,
    grade,
    holds,
    manifest,
    nothing_stays,
    statement,
    tampered,
)

__all__ = ["drill_db", "tampered"]  # fixtures
EMBEDDED_MAJOR = 17


def test_without_a_word_on_the_place_a_server_of_its_own_is_taken(project):
    done = project.fab("-H", "demo", "predeploy", "--version=v1", "--proof=restored")

    assert done.returncode == 0, done.stderr
    assert "in a cluster of its own" in done.stderr
    assert grade(project) == "restored"
    assert not [key for key, _ in manifest(project) if key == "content"]
    nothing_stays(project)


def test_an_empty_database_that_is_named_is_used_and_empty_again_afterwards(drill_db):
    for _ in range(2):
        done = drill_db.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)
        assert done.returncode == 0, done.stderr
    assert holds(drill_db) == "0"
    nothing_stays(drill_db)


def test_a_database_that_is_named_and_not_empty_is_refused_and_left_alone(drill_db):
    drill_db.pg.run_as("shop", "CREATE TABLE mine (id integer)", "Probe 1")

    done = drill_db.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 14
    assert "not empty" in done.stderr
    assert holds(drill_db) == "1"
    assert drill_db.archives() == []


def test_the_live_database_is_no_place_for_it(project):
    live = project.with_profile(BACKUP_DRILL="database", BACKUP_DRILL_DB="shop")

    assert live.fab("-H", "demo", "predeploy", "--version=v1", EQUAL).returncode == 10


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM price_alerts", "price_alerts"),
        ("UPDATE customers SET full_name = 'Eve'", "customers"),
        (
            "UPDATE offers SET availability = CASE id WHEN 1 THEN (SELECT availability FROM offers"
            " WHERE id = 2) ELSE 'backorder' END WHERE id IN (1, 2)",
            "offers",
        ),
        ("SELECT setval('order_numbers', 1)", "order_numbers"),
        ("SELECT lo_from_bytea(0, 'more')", "large objects"),
        ("DROP INDEX customers_email", "schema"),
    ],
)
def test_what_came_back_otherwise_is_13_and_no_archive(project, tampered, change, told):
    # So that two rows have exchanged nothing but the values of one column.
    project.pg.run_as(
        "shop",
        "ALTER TABLE offers DISABLE TRIGGER USER;"
        "UPDATE offers SET availability = 'backorder' WHERE id = 1;"
        "UPDATE offers SET availability = 'sold out' WHERE id = 2",
        "shop",
    )
    changed = tampered(statement(change), BACKUP_DRILL="cluster")

    done = changed.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 13
    assert told in done.stderr
    assert changed.archives() == []
    nothing_stays(changed)


@pytest.mark.skipif(bool(nearest(found(), EMBEDDED_MAJOR)), reason="this machine is a place")
def test_without_a_place_it_is_10_and_says_what_each_lacks(project, tampered):
    clients_only = tampered(":")
    stubs = Path(clients_only.profile["DB_BIN_DIR"])
    (stubs / "initdb").unlink()

    done = clients_only.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 10
    assert "cluster: there are no initdb and postgres beside" in done.stderr
    assert "database: shop may not create databases" in done.stderr
    assert "nor has this machine" in done.stderr
    assert clients_only.archives() == []


@pytest.fixture
def with_stubs(ground, make_project, pg):
    """Make a project on a host of its own, where these programs are others."""
    with ExitStack() as stack:

        def make(programs, **settings):
            ssh = stack.enter_context(openssh(ground, login_shell="/bin/bash"))
            stubs = ssh.home / "stubs"
            stubs.mkdir()
            for name, script in programs.items():
                (stubs / name).write_text(f"#!/bin/sh\n{script}\n")
                (stubs / name).chmod(0o755)
            (ssh.home / ".bashrc").write_text(f"PATH={stubs}:$PATH\n")
            return make_project(pg, ssh, **settings)

        yield make


# Keeps the directory that the socket is in; the shell may be killed there.
AT_THE_SOCKET = """\
for each; do case $each in /tmp/predeploy.*) echo "$each" >"$HOME/socket_dir"; {how} ;; esac; done
exec /bin/{name} "$@"
"""
BEFORE, AFTER = "kill -KILL $PPID; exit 1", '/bin/{name} "$@"; kill -KILL $PPID; exit 1'


def at_the_socket(with_stubs, name, how=":"):
    script = AT_THE_SOCKET.replace("{how}", how).replace("{name}", name)
    long = f"~/{'d' * 60}/{'e' * 60}"
    return with_stubs({name: script}, BACKUP_DIR=long, BACKUP_DRILL="cluster")


@pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")
def test_a_path_that_is_too_long_for_a_socket_is_no_obstacle(with_stubs):
    project = at_the_socket(with_stubs, "mkdir")
    done = project.fab("-H", "demo", "predeploy", "--version=v1", "--proof=restored")
    assert done.returncode == 0, done.stderr
    assert not Path((project.ssh.home / "socket_dir").read_text().strip()).exists()


@pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")
@pytest.mark.parametrize(
    ("name", "how"),
    [("ln", BEFORE), ("ln", AFTER), ("mkdir", AFTER)],
    ids=["before it is known", "before it is there", "before it is used"],
)
def test_what_is_elsewhere_goes_with_the_next_run_whenever_the_shell_was_killed(
    with_stubs, name, how
):
    project = at_the_socket(with_stubs, name, how)
    killed = project.fab("-H", "demo", "predeploy", "--version=v1", "--proof=restored")
    assert killed.returncode == 1, killed.stderr
    socket_dir = Path((project.ssh.home / "socket_dir").read_text().strip())
    (project.ssh.home / "stubs" / name).unlink()

    done = project.fab("-H", "demo", "predeploy", "--version=v1", "--proof=restored")

    assert done.returncode == 0, done.stderr
    assert not socket_dir.exists()


@pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")
@pytest.mark.parametrize("place", ["cluster", "database"])
def test_too_little_space_is_refused_before_anything_is_written(drill_db, with_stubs, place):
    """Of a live server's disk as well, if it is to be seen."""
    free_kilobytes = {"cluster": 100000, "database": 15000}[place]
    df = f"echo '/dev/x 300000 200000 {free_kilobytes} 67% /'"
    name = drill_db.profile["BACKUP_DRILL_DB"]
    project = with_stubs({"df": df}, BACKUP_DRILL=place, BACKUP_DRILL_DB=name)

    done = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 10
    assert "too little space for a test restore" in done.stderr
    assert project.predeploy().returncode == 0
    verified = project.fab("-H", "demo", "verify", "--proof=restored")
    assert verified.returncode == 10
    assert "too little space for a test restore" in verified.stderr
    assert grade(project) == "read"


@pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")
def test_a_disk_of_which_nobody_can_tell_is_taken_only_by_who_asks_for_it(drill_db, with_stubs):
    tr = r"""case "$1" in '\0') exit 1 ;; esac; exec /usr/bin/tr "$@" """
    project = with_stubs({"tr": tr}, BACKUP_DRILL_DB=drill_db.profile["BACKUP_DRILL_DB"])
    bin_dir = project.ssh.home / "clients"
    bin_dir.mkdir()
    for program in ("pg_dump", "pg_restore", "psql"):
        (bin_dir / program).symlink_to(project.pg.bin_dir / program)
    project = project.with_profile(DB_BIN_DIR=str(bin_dir))

    refused = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)
    asked_for = project.fab(
        "-H", "demo", "predeploy", "--version=v2", EQUAL, BACKUP_DRILL="database"
    )

    assert refused.returncode == 10
    assert "BACKUP_DRILL=database restores there all the same" in refused.stderr
    assert asked_for.returncode == 0, asked_for.stderr
    assert "WARNING: the test restore will take about" in asked_for.stderr
