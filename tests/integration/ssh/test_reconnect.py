"""A connection that is lost: the run goes on on the host, and fab comes back to it.

In each of its stages: tests/faults/lost.py.
"""

import re
import signal

import pytest

from sandbox.sshd import available, openssh
from tests.integration.cutting import by, programs_of, way_to
from tests.integration.terminal import Terminal
from tests.processes import remote_processes, wait_for
from tests.project import OWNER


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
    assert "Proven readable" in output
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


@pytest.fixture
def may_create_databases(there):
    there.pg.superuser(f"ALTER ROLE {OWNER} CREATEDB")
    yield
    dropped = there.fab("-H", "demo", "restore", "--drop-old", "--yes")
    assert dropped.returncode == 0, dropped.stderr
    there.pg.superuser(f"ALTER ROLE {OWNER} NOCREATEDB")


@pytest.mark.usefixtures("may_create_databases")
@pytest.mark.parametrize(
    ("mode", "program", "argument"),
    [
        ("transaction", "pg_dump", "--snapshot"),
        ("transaction", "pg_restore", "data.list"),
        ("swap", "pg_restore", "main.list"),
    ],
)
def test_a_restore_goes_on_too(there, way, programs, mode, program, argument):
    assert start(there).wait(timeout=60) == 0
    programs.hold(program, f"*{argument}*")
    run = there.start("-H", "demo", "restore", "--file=latest", f"--mode={mode}", "--yes")
    wait_for(lambda: any(argument in each for each in programs.began(program)[-1:]))

    connected = way.connected
    way.cut()
    wait_for(lambda: way.connected > connected)
    programs.release(program)

    _, errors = ended(run)
    assert run.returncode == 0, errors
    assert there.status()["result"] == "success"
    assert len(there.archives()) == 2


@pytest.fixture
def asking(there, way):
    """A restore that waits for the word of who sits there: for hours, maybe."""
    assert start(there).wait(timeout=60) == 0
    flags = ("--file=latest", "--mode=transaction", "--no-safety")
    terminal = Terminal(there, "-H", "demo", "restore", *flags)
    terminal.until(lambda: terminal.shows("Type the name of the database"))
    return terminal


def test_a_connection_that_is_lost_between_two_requests_is_made_anew(way, asking):
    way.cut()
    asking.type(b"shop\n")
    assert asking.finish() == 0
    assert b"Restored shop to " in asking.written


def test_a_host_that_has_gone_between_two_requests_is_exit_3(there, way, asking):
    way.close()
    asking.type(b"shop\n")
    assert asking.finish() == 3
    assert b"cannot connect" in asking.written
    assert b"Traceback" not in asking.written
    assert "restore" not in there.status()["task"]


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
    assert "connection was lost, and it is not known how the run ended" in errors
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


@pytest.mark.skipif(not available(), reason="asks OpenSSH's sshd to look after its clients")
def test_a_link_that_falls_silent_for_good_ends_the_run_once_the_host_has_noticed(
    make_project, pg, ground
):
    notices = "ClientAliveInterval 1\nClientAliveCountMax 1"
    with openssh(ground, extra_config=notices) as ssh, way_to(ssh) as way:
        project = make_project(pg, ssh)
        programs = programs_of(project)
        programs.hold("pg_dump", "*--snapshot*")
        there = by(project, way, DB_BIN_DIR=str(programs.directory), BACKUP_RECONNECT="2")
        run = start(there)
        wait_for(programs.dumps)
        way.fall_silent()
        run.kill()
        run.communicate()
        wait_for(lambda: not remote_processes(there), 30)

        assert there.status()["code"] == "130"
        assert there.archives() == there.leftovers() == []
        assert "lost its client at 20" in log_of_next_run(there, way, programs)


def test_a_connection_that_is_cut_while_its_run_waits_for_another_is_exit_3(
    project, there, dumping
):
    """Nothing has begun that could go on."""
    with way_to(project.ssh) as other:
        flags = ("predeploy", "--version=v2", "--lock-wait=60")
        waiting = by(project, other, BACKUP_RECONNECT="5").start("-H", "demo", *flags)
        assert "waiting up to 60 s for another run" in waiting.stderr.readline()
        other.cut()
        _, errors = ended(waiting)

    assert waiting.returncode == 3
    assert "the host knows no such run: it had not begun" in errors
    wait_for(lambda: not any(b"version=v2" in each for each in remote_processes(there)))
    assert dumping.poll() is None


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_way_is_closed_ends_fab_at_once(there, way, programs, dumping, number):
    way.close()
    wait_for((there.backup_dir / "run.partial" / "alone").exists)
    dumping.send_signal(number)
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


def test_the_deadline_of_fab_stops_a_run_that_it_has_come_back_to(there, way, programs):
    programs.hold("pg_dump", "*--snapshot*")
    run = there.start("-T", "8", "-H", "demo", "predeploy", "--version=v1")
    wait_for(programs.dumps)
    way.cut()
    wait_for(lambda: is_attended(there))
    _, errors = ended(run)

    assert run.returncode == 130
    assert "8 s that fab's -T allows" in errors
    assert remote_processes(there) == []
    assert there.leftovers() == []


def is_attended(project):
    """The script is in the command line."""
    return any(b"listen_for_run" in command for command in remote_processes(project))
