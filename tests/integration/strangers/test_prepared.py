"""A transaction that was prepared and forgotten holds its locks, and has no session to be named."""

import pytest

from tests.integration.extensions import ONE, by, gated
from tests.project import OWNER

PREPARED = """
CREATE TABLE a (i int PRIMARY KEY);
BEGIN; ALTER TABLE a ADD COLUMN x int; PREPARE TRANSACTION 'xa 1';
"""


def told(done):
    text = " ".join((done.stdout + done.stderr).split())
    assert f"prepared transaction 'xa 1', role {OWNER}, prepared 20" in text
    assert "ROLLBACK PREPARED" in text
    return text


@pytest.mark.parametrize("major", ONE)
def test_who_waits_for_a_prepared_transaction_is_told_its_name_and_how_to_end_it(
    make_extended, major
):
    project = make_extended(major, BACKUP_LOCK_TIMEOUT="1")
    by(OWNER, project, "CREATE TABLE b (i int);")
    gated(project)
    by(OWNER, project, PREPARED)

    done = project.predeploy()
    assert done.returncode == 12
    assert "holds AccessExclusiveLock on public.a" in told(done)
    doctor = project.fab("-H", "demo", "doctor")
    assert doctor.returncode != 0
    told(doctor)
    done = project.fab("-H", "demo", "restore", "--file=latest", "--yes", "--no-safety")
    assert done.returncode == 15
    told(done)

    by(OWNER, project, "ROLLBACK PREPARED 'xa 1';")
    gated(project)
