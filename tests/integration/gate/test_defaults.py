"""Without a word on proof and rehearsal: the best grade that can be had at once, and a way back."""

import os
import re
from pathlib import Path

import pytest

from tests.project import READABLE

DEFAULT = {"BACKUP_PROOF": None, "BACKUP_REHEARSAL": None}


@pytest.fixture
def default(project):
    return project.with_profile(**DEFAULT)


@pytest.fixture
def without_server(default):
    """As on shared hosting: the programs of a client alone, here as there."""
    stubs = default.ssh.home / f"clients-{os.urandom(4).hex()}"
    stubs.mkdir()
    for program in ("pg_dump", "pg_restore", "psql"):
        (stubs / program).symlink_to(default.pg.bin_dir / program)
    return default.with_profile(DB_BIN_DIR=str(stubs))


def grade(project):
    text = project.archives()[-1].with_suffix(".manifest").read_text()
    return re.search("^proof=(.*)$", text, re.MULTILINE)[1]


def test_where_a_server_of_its_own_can_be_had_the_grade_is_restored(default):
    done = default.predeploy()

    assert done.returncode == 0, done.stderr
    assert grade(default) == "restored"
    assert "BACKUP_PROOF=auto: the archive will be proven by a test restore" in done.stderr
    assert done.stdout.startswith("You can roll back to ")
    assert default.leftovers() == []


def test_a_database_that_is_too_large_for_it_gets_the_grade_read_and_the_reason(default):
    done = default.predeploy(BACKUP_DRILL_MAX="1MB")

    assert done.returncode == 0, done.stderr
    assert grade(default) == "read"
    assert "roll back" not in done.stdout
    assert "BACKUP_DRILL_MAX allows" in done.stdout
    assert "verify --file=" in done.stdout


def test_without_a_place_the_grade_is_read_and_the_summary_says_why(without_server):
    done = without_server.predeploy(PATH="/usr/bin:/bin")

    assert done.returncode == 0, done.stderr
    assert grade(without_server) == "read"
    assert done.stdout.startswith(READABLE)
    assert "there is no place for a test restore" in done.stdout
    assert without_server.status()["result"] == "success"


def test_a_place_that_breaks_gets_the_grade_read_too(without_server):
    for program in ("initdb", "postgres"):
        broken = Path(without_server.profile["DB_BIN_DIR"]) / program
        broken.write_text("#!/bin/sh\nexit 1\n")
        broken.chmod(0o755)

    done = without_server.predeploy()

    assert done.returncode == 0, done.stderr
    assert grade(without_server) == "read"
    assert "no test restore could be made" in done.stderr


def test_an_archive_that_fails_its_test_restore_is_13(default):
    owner, name = default.profile["DB_USER"], default.profile["DB_NAME"]
    default.pg.run_as(
        owner,
        "CREATE FUNCTION fine(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';"
        "CREATE TABLE cannot_return (n int CHECK (fine(n)));"
        "INSERT INTO cannot_return VALUES (1);"
        "CREATE OR REPLACE FUNCTION fine(int) RETURNS bool LANGUAGE sql IMMUTABLE"
        " AS 'SELECT false'",
        name,
    )
    done = default.predeploy()
    default.pg.run_as(owner, "DROP TABLE cannot_return; DROP FUNCTION fine", name)

    assert done.returncode == 13, done.stderr
    assert default.archives() == []


def test_doctor_says_which_grade_will_be_reached_and_why(default):
    assert "restored, by a test restore in a cluster" in default.fab("-H", "demo", "doctor").stdout
    told = default.fab("-H", "demo", "doctor", BACKUP_DRILL_MAX="1MB").stdout
    assert "read, and no test restore is made" in told
    assert "BACKUP_DRILL_MAX" in told
    assert default.leftovers() == []
