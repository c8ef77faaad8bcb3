"""Who waits for a dump, and for whom a dump waits, is told by name."""

import re
import subprocess

import pytest

from tests.integration.cutting import programs_of
from tests.integration.ssh.test_reconnect import ended
from tests.processes import wait_for

WAITS = "role postgres, migration, waits for AccessExclusiveLock on public.merchants"


@pytest.fixture
def programs(project):
    return programs_of(project)


@pytest.fixture
def dumping(project, programs):
    """A run whose pg_dump has not begun: what holds the tables is the snapshot that it will use."""
    programs.hold("pg_dump", "*--snapshot*")
    slow = project.with_profile(DB_BIN_DIR=str(programs.directory))
    run = slow.start("-H", "demo", "predeploy", "--version=v1", "--lock-timeout=2")
    wait_for(programs.dumps)
    yield run
    programs.release("pg_dump")
    run.communicate(timeout=60)


@pytest.fixture
def migration(project, dumping):
    """It wants a table for itself, and changes nothing."""
    pg = project.pg
    where = f"host={pg.data_dir.parent} port={pg.port} user=postgres dbname=shop"
    command = [pg.bin_dir / "psql", "--no-psqlrc", f"{where} application_name=migration"]
    command += ["--command=BEGIN; LOCK TABLE merchants; ROLLBACK"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as waiting:
        wait_for(lambda: waits(pg))
        yield
        end(pg)
        waiting.communicate(timeout=10)


def waits(pg):
    asked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
    return pg.superuser(asked, "shop").strip() != "0"


def end(pg):
    pg.superuser(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'migration'"
    )


def told_in_log(project):
    logs = sorted(project.backup_dir.glob("backup-*.log"))
    return [line for line in logs[-1].read_text(encoding="utf-8").splitlines() if WAITS in line]


def test_a_migration_that_queues_behind_a_dump_is_told_once(project, programs, dumping, migration):
    wait_for(lambda: told_in_log(project), 30)
    end(project.pg)
    programs.release("pg_dump")
    _, errors = ended(dumping)

    assert dumping.returncode == 0, errors
    assert len(told_in_log(project)) == 1
    assert "WARNING: other sessions wait for the end of this dump" in errors


@pytest.mark.usefixtures("migration")
def test_a_dump_that_cannot_pass_a_migration_names_it(project, programs, dumping):
    programs.release("pg_dump")
    _, errors = ended(dumping)

    assert dumping.returncode == 12
    assert re.search(rf"- pid \d+, {WAITS}", errors)
    assert project.archives() == []
