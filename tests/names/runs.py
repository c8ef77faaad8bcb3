"""Runs on the ground of these tests, and what must hold of each."""

from contextlib import contextmanager
from subprocess import PIPE, Popen

from tests.processes import wait_for
from tests.project import DATABASE

EQUAL = "--proof=equal"


def nobody_answered(ground):
    assert ground.log.marks() == []
    assert ground.log.unpinned() == []


def asked_who_waits(ground):
    return any("pg_blocking_pids" in line for line in ground.log.lines())


def slow_predeploy(ground, *flags, **changes):
    """One whose pg_dump begins late: so that it is looked who waits for it."""
    ground.programs.hold("pg_dump", "*--snapshot*")
    run = ground.project.start("-H", "demo", "predeploy", "--version=slow", *flags, **changes)
    wait_for(lambda: asked_who_waits(ground) or run.poll() is not None)
    ground.programs.release("pg_dump")
    _, errors = run.communicate(timeout=120)
    return run.returncode, errors


@contextmanager
def session_of(ground, role, mode="ROW EXCLUSIVE"):
    """A session of that role in the database, which has a lock on a table."""
    pg = ground.pg
    where = f"host={pg.data_dir.parent} port={pg.port} user={role} dbname={DATABASE}"
    command = [pg.bin_dir / "psql", "--no-psqlrc", f"{where} application_name=blocker"]
    command += [
        f"--command=BEGIN; LOCK TABLE public.merchants IN {mode} MODE; SELECT pg_sleep(600)"
    ]
    with Popen(command, stdout=PIPE, stderr=PIPE) as blocker:
        try:
            wait_for(lambda: blocks(pg))
            yield
        finally:
            pg.superuser(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'blocker'"
            )
            blocker.communicate(timeout=10)


def blocks(pg):
    """Whether it sleeps: it has its lock then."""
    return "PgSleep" in pg.superuser(
        "SELECT wait_event FROM pg_stat_activity WHERE application_name = 'blocker'"
    )
