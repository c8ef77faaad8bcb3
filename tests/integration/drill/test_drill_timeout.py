"""A test restore comes to an end, whatever the archive holds, and leaves nothing but its word."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from sandbox.postgres import create_owner
from sandbox.shop import fill
from tests.integration.drill.test_drill_runner import at_work, elsewhere, kept, on_this_machine
from tests.integration.drills import databases, grade, nothing_stays, on_host
from tests.processes import command_line, wait_for
from tests.project import PASSWORD, ROWS

__all__ = ["elsewhere", "on_this_machine"]  # fixtures

TIMEOUT_SECONDS = 3
LIVE = "endless"
# In the live database each is done at once.
ENDLESS = {
    "a view that sleeps": """CREATE MATERIALIZED VIEW naps AS SELECT CASE
        WHEN current_database() <> 'endless' THEN (SELECT 1 FROM pg_sleep(1000000)) END""",
    "a view that never ends": """CREATE MATERIALIZED VIEW spins AS SELECT count(*) FROM
        generate_series(1, CASE current_database() WHEN 'endless' THEN 1 ELSE 1e12::int8 END)""",
    "a function that spins": """CREATE FUNCTION public.spin() RETURNS int LANGUAGE plpgsql STABLE
        AS $$ BEGIN WHILE current_database() <> 'endless' LOOP END LOOP; RETURN 1; END $$;
        CREATE MATERIALIZED VIEW spun AS SELECT public.spin()""",
    "an index": """CREATE FUNCTION public.slow(text) RETURNS text LANGUAGE plpgsql IMMUTABLE
        AS $$ BEGIN IF current_database() <> 'endless' THEN PERFORM pg_sleep(1000000); END IF;
        RETURN $1; END $$;
        CREATE INDEX late ON public.customers (public.slow(full_name))""",
    "a function that swallows what ends it": """CREATE FUNCTION public.deaf() RETURNS int
        LANGUAGE plpgsql STABLE AS $$ BEGIN WHILE current_database() <> 'endless' LOOP
            BEGIN PERFORM pg_sleep(1000000); EXCEPTION WHEN query_canceled THEN NULL; END;
        END LOOP; RETURN 1; END $$;
        CREATE MATERIALIZED VIEW deafness AS SELECT public.deaf()""",
}
PLACES = ("cluster", "database", "a database that is named", "runner")


@pytest.fixture
def endless(make_project, pg, ssh, on_this_machine):
    """Make a project with that in its database, for that place, with one good archive of before."""
    create_owner(pg, role=LIVE, password=PASSWORD, database=LIVE)
    fill(pg, database=LIVE, owner=LIVE, rows=ROWS)
    pg.superuser(f"ALTER ROLE {LIVE} CREATEDB")
    pg.superuser(f"CREATE DATABASE trial OWNER {LIVE}")

    def make(place, sql):
        settings = {"BACKUP_DRILL": place}
        if place == "a database that is named":
            settings = {"BACKUP_DRILL": "database", "BACKUP_DRILL_DB": "trial"}
        project = make_project(pg, ssh, DB_NAME=LIVE, DB_USER=LIVE, BACKUP_CONTENT="hash")
        project = on_this_machine(project, **settings)
        pg.run_as(LIVE, sql, LIVE)
        assert project.predeploy("v1").returncode == 0
        return project.with_profile(**settings, BACKUP_DRILL_TIMEOUT=str(TIMEOUT_SECONDS))

    yield make
    for database in (LIVE, "trial"):
        pg.superuser(f"DROP DATABASE {database} WITH (FORCE)")
    pg.superuser(f"DROP ROLE {LIVE}")


def equal(project, version):
    return project.fab("-H", "demo", "predeploy", f"--version={version}", "--proof=equal")


def assert_ended_and_cleaned(project, done, archives):
    assert done.returncode == 13, done.stderr
    assert f"was stopped after {TIMEOUT_SECONDS} s (BACKUP_DRILL_TIMEOUT)" in done.stderr
    assert "What to do: if it only needs longer" in done.stderr
    assert "Proven readable" not in done.stdout
    assert project.status()["result"] == "failure"
    assert project.status()["code"] == "13"
    assert len(project.archives()) == archives
    assert grade(project) == "read"
    nothing_stays(project)
    wait_for(lambda: not at_work(project))
    assert kept(project) == []
    in_it = f"datname LIKE '%restore%' OR datname = 'trial' OR usename = '{LIVE}'"
    sessions = f"SELECT count(*) FROM pg_stat_activity WHERE {in_it}"  # noqa: S608
    wait_for(lambda: project.pg.superuser(sessions) == "0")
    assert [each for each in databases(project) if "restore" in each] == []


@pytest.mark.parametrize("what", ENDLESS)
def test_whatever_does_not_end_is_stopped(endless, what):
    project = endless("cluster", ENDLESS[what])
    assert_ended_and_cleaned(project, equal(project, "v2"), archives=1)


@pytest.mark.parametrize("place", PLACES[1:])
def test_it_is_stopped_in_each_place(endless, place):
    project = endless(place, ENDLESS["a view that sleeps"])
    # On the host it stands already, with the proof that the host could give.
    archives = 2 if place == "runner" else 1
    assert_ended_and_cleaned(project, equal(project, "v2"), archives)


@pytest.mark.parametrize("place", PLACES)
def test_a_verify_that_is_stopped_leaves_the_grade_as_it_was(endless, place):
    project = endless(place, ENDLESS["a view that sleeps"])
    done = project.fab("-H", "demo", "verify", "--proof=restored")
    assert done.returncode == 13
    assert f"was stopped after {TIMEOUT_SECONDS} s" in done.stderr
    assert grade(project) == "read"
    nothing_stays(project)
    assert kept(project) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="halts processes of the sandbox's user")
@pytest.mark.parametrize("whom", ["a backend", "the server"])
def test_one_that_was_halted_is_ended_too(endless, whom):
    project = endless("cluster", ENDLESS["a view that sleeps"])
    project = project.with_profile(BACKUP_DRILL="cluster", BACKUP_DRILL_TIMEOUT="20")
    run = project.start("-H", "demo", "predeploy", "--version=v2", "--proof=equal")
    wait_for(lambda: at_their_nap(project, whom))
    halted = at_their_nap(project, whom)
    assert halted
    for pid in halted:
        os.kill(pid, signal.SIGSTOP)
    _, errors = run.communicate(timeout=120)
    assert run.returncode == 13, errors
    assert "was stopped after 20 s" in errors
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in halted))
    nothing_stays(project)


def at_their_nap(project, whom):
    servers = [pid for pid in on_host(project) if b"/postgres\0-D\0" in command_line(pid)]
    napping = [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if re.search(rb"postgres: \S+ drill .*REFRESH", command_line(int(process.name)))
    ]
    return napping and (napping if whom == "a backend" else servers)


def test_one_that_ends_in_time_is_not_waited_for(endless):
    project = endless("cluster", "SELECT 1").with_profile(
        BACKUP_DRILL="cluster", BACKUP_DRILL_TIMEOUT="86400"
    )
    began = time.monotonic()
    assert equal(project, "v2").returncode == 0
    assert time.monotonic() - began < 3600
    assert grade(project) == "equal"
    nothing_stays(project)
