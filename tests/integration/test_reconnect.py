"""A connection that is lost: the run goes on on the host, and fab comes back to it.

In each of its stages: tests/faults/lost.py.
"""

import re
import signal

import pytest

from tests.processes import remote_processes, wait_for

from .cutting import by, programs_of, way_to


@pytest.fixture
def way(project):
    with way_to(project.ssh) as way:
        yield way


@pytest.fixture
def programs(project):
    programs = programs_of(project)
    yield programs
    for name in ("psql", "pg_dump", "pg_restore"):
        programs.release(name)


@pytest.fixture
def there(project, way, programs):
    """The project by a way that can be cut, with programs that can be held."""
    return by(project, way, DB_BIN_DIR=str(programs.directory))


def start(project, version="v1"):
    return project.start("-H", "demo", "predeploy", f"--version={version}")


def ended(run):
    output, errors = run.communicate(timeout=60)
    assert "Traceback" not in errors
    return output, errors


def assert_as_if_nothing_had_happened(project, programs, run):
    output, errors = ended(run)
    assert run.returncode == 0, errors
    assert "You can roll back to " in output
    assert programs.dumps() == 1
    assert len(project.archives()) == 1
    assert project.leftovers() == []
    assert project.status()["result"] == "success"
    log = (project.backup_dir / project.status()["log"]).read_text(encoding="utf-8").splitlines()
    shown = errors.splitlines()
    assert [line for line in shown if line in log] == log, "each line of the log once, in order"
    wait_for(lambda: not remote_processes(project))


@pytest.fixture
def dumping(there, programs):
    """A run in the middle of its dump, whose host waits for it for some seconds."""
    programs.hold("pg_dump", "*--snapshot*")
    run = start(there)
    wait_for(programs.dumps)
    yield run
    if run.poll() is None:
        run.kill()
    run.communicate()


def test_a_run_that_ends_while_the_way_is_closed_is_heard_of_later(there, way, programs, dumping):
    way.close()
    programs.release("pg_dump")
    wait_for(lambda: there.status()["result"] == "success")
    assert dumping.poll() is None
    way.open()

    assert_as_if_nothing_had_happened(there, programs, dumping)


def test_what_becomes_of_a_run_is_told_as_if_nothing_had_happened(there, way, programs, dumping):
    (programs.directory / "pg_restore").write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    way.cut()
    wait_for(lambda: way.connected > 1)
    programs.release("pg_dump")
    _, errors = ended(dumping)

    assert dumping.returncode == 13, errors
    assert "pg_restore" in errors
    assert there.archives() == []


@pytest.mark.parametrize("program", ["pg_dump", "pg_restore"])
def test_a_restore_goes_on_too(there, way, programs, program):
    assert start(there).wait(timeout=60) == 0
    argument = {"pg_dump": "--snapshot", "pg_restore": "data.list"}[program]
    programs.hold(program, f"*{argument}*")
    flags = ("--file=latest", "--mode=transaction", "--yes")
    run = there.start("-H", "demo", "restore", *flags)
    wait_for(lambda: any(argument in each for each in programs.began(program)[-1:]))

    connected = way.connected
    way.cut()
    wait_for(lambda: way.connected > connected)
    programs.release(program)

    _, errors = ended(run)
    assert run.returncode == 0, errors
    assert there.status()["result"] == "success"
    assert len(there.archives()) == 2


# Nobody comes back


def log_of_next_run(there, way, programs):
    programs.release("pg_dump")
    way.open()
    run = start(there, "v9")
    _, errors = ended(run)
    assert run.returncode == 0, errors
    assert there.leftovers() == []
    return (there.backup_dir / there.status()["log"]).read_text(encoding="utf-8")


@pytest.fixture
def hurried(there):
    """The host does not wait for long."""
    return there.with_profile(**there.profile, BACKUP_RECONNECT="2")


@pytest.fixture
def alone(hurried, programs):
    programs.hold("pg_dump", "*--snapshot*")
    run = start(hurried)
    wait_for(programs.dumps)
    return run


def test_a_way_that_stays_closed_is_exit_3_and_the_run_stops(hurried, way, programs, alone):
    way.close()
    _, errors = ended(alone)

    assert alone.returncode == 3
    assert "connection was lost, and how the run ended could not be learnt" in errors
    wait_for(lambda: not remote_processes(hurried))
    assert hurried.status()["result"] == "failure"
    assert hurried.status()["client_gone_since"]
    assert hurried.archives() == hurried.leftovers() == []
    log = log_of_next_run(hurried, way, programs)
    assert re.search(r"the run before, predeploy for .* lost its client at 20.* exit code 130", log)


def test_a_client_that_is_killed_is_waited_for_in_vain(hurried, way, programs, alone):
    alone.kill()
    alone.communicate()
    wait_for(lambda: not remote_processes(hurried))

    assert hurried.status()["result"] == "failure"
    assert hurried.archives() == hurried.leftovers() == []
    assert "lost its client at 20" in log_of_next_run(hurried, way, programs)


def test_a_run_that_comes_to_its_end_without_its_client_is_as_good(there, way, programs, dumping):
    dumping.kill()
    dumping.communicate()
    wait_for((there.backup_dir / "run.partial" / "alone").exists)
    programs.release("pg_dump")
    wait_for(lambda: not remote_processes(there))

    assert there.status()["result"] == "success"
    assert len(there.archives()) == 1
    assert "lost its client at 20" in log_of_next_run(there, way, programs)


# Whoever wants it to stop says so


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_coming_back_stops_the_run_at_once(there, way, programs, dumping, number):
    way.cut()
    wait_for(lambda: is_attended(there))
    dumping.send_signal(number)
    _, errors = ended(dumping)

    assert dumping.returncode == 130
    assert remote_processes(there) == []
    assert there.status()["code"] == "130"
    assert there.leftovers() == []
    assert "interrupted" in errors


def test_a_signal_while_the_way_is_closed_ends_fab_at_once(there, way, programs, dumping):
    way.close()
    wait_for((there.backup_dir / "run.partial" / "alone").exists)
    dumping.send_signal(signal.SIGINT)
    _, errors = ended(dumping)

    assert dumping.returncode == 130
    assert "the host stops by itself" in errors


def test_a_signal_to_a_link_that_was_silent_stops_the_run_too(there, way, dumping):
    """The first connection is still open as far as the host knows."""
    way.fall_silent()
    wait_for(lambda: is_attended(there), 40)
    dumping.send_signal(signal.SIGINT)
    ended(dumping)

    assert dumping.returncode == 130
    assert remote_processes(there) == []


def is_attended(project):
    """The script is in the command line."""
    return any(b"listen_for_run" in command for command in remote_processes(project))
