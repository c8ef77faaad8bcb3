"""A run that has lost its client goes on, tells who comes back, and does not wait for ever."""

import subprocess
import time
from contextlib import suppress

import pytest
from fabric_predeploy.remote.steps import rules, step

from tests.local import answer, read_facts, whole_script

FENCE, OTHER = "f" * 32, "0" * 32
HOLD = 'printf PGDMP >"$file"; while [ -e "$HOME/held" ]; do /bin/sleep 0.02; done'


class Client:
    """Who has sent a script, over a connection that may be lost at any time."""

    def __init__(self, host, several, fence, task="predeploy"):
        variables = {"fence": fence, "task": task, "backup_dir": str(host.backup_dir)}
        variables |= {"keeps_status": "yes", "tells": "log"}
        pipe = subprocess.PIPE
        self.shell = subprocess.Popen(
            [host.tools / "sh", "-c", whole_script(several, variables)],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        self.shell.stdin.write(answer())
        self.shell.stdin.flush()

    def is_lost(self):
        """Nobody reads any more, and nobody has said a word."""
        for pipe in (self.shell.stdin, self.shell.stdout, self.shell.stderr):
            pipe.close()

    def says_stop(self):
        self.shell.stdin.write("stop\n")
        self.shell.stdin.close()

    def hears(self, fence=FENCE):
        """The facts, the log and the exit code, when all has been told."""
        output, log = self.shell.stdout.read(), self.shell.stderr.read()
        code = self.shell.wait(timeout=20)
        with suppress(OSError):
            self.shell.stdin.close()
        return read_facts(output, fence), log, code


@pytest.fixture
def begin(host):
    """A run in the middle of its dump; ten of its naps are a second."""
    host.script("sleep", "exec /bin/sleep 0.1")
    host.stub("pg_dump", HOLD)
    (host.home / "held").touch()
    clients = []

    def make(patience=600):
        host.set(reconnect_seconds=patience)
        several = [*host.until_preflight(), rules.dump(host.settings), step("verify", proof="read")]
        clients.append(Client(host, [*several, step("publish", host.settings)], FENCE))
        wait_for(lambda: any(path.stat().st_size for path in partial(host)))
        return clients[-1]

    yield make
    release(host)
    for client in clients:
        client.shell.kill()
        client.is_lost()
        client.shell.wait()


@pytest.fixture
def attend(host):
    def make(run=FENCE):
        return Client(host, [step("attend", run=run)], OTHER)

    return make


def partial(host):
    return host.backup_dir.glob("*-*.partial")


def release(host):
    (host.home / "held").unlink(missing_ok=True)


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def log_of(host):
    return (host.backup_dir / host.status()["log"]).read_text()


def says(host, text):
    return any(text in log.read_text() for log in host.backup_dir.glob("backup-*.log"))


def test_a_run_without_its_client_goes_on_to_its_end(host, begin):
    run = begin()
    run.is_lost()
    wait_for(lambda: says(host, "the client is gone"))
    release(host)
    assert run.shell.wait(timeout=20) == 0
    assert host.status()["result"] == "success"
    assert len(host.dumps()) == 1
    assert host.processes() == []


def test_whoever_comes_back_is_told_all_of_it(host, begin, attend):
    run = begin()
    run.is_lost()
    wait_for(lambda: says(host, "the client is gone"))
    back = attend()
    wait_for(lambda: says(host, "the client is back"))
    release(host)
    facts, log, code = back.hears()
    assert code == 0
    assert dict(facts["result"])["code"] == "0"
    assert dict(facts["publish"])["archive"] == host.dumps()[0]
    assert log == log_of(host)
    assert "client_gone_since" not in host.status()
    run.shell.wait(timeout=20)


def test_whoever_comes_back_after_the_end_is_told_as_much_and_as_often_as_wanted(
    host, begin, attend
):
    run = begin()
    run.is_lost()
    release(host)
    run.shell.wait(timeout=20)
    first, second = attend().hears(), attend().hears()
    assert dict(first[0]["result"])["code"] == "0"
    assert {name: first[0][name] for name in ("dump", "publish")} == {
        name: second[0][name] for name in ("dump", "publish")
    }
    host.stub("pg_dump", "exit 1")
    host.predeploy()
    assert "lost its client" not in log_of(host), "it has come back"
    assert dict(attend().hears()[0]["result"])["code"] == "0", "also after the next run"


def test_as_long_as_somebody_attends_a_run_does_not_stop(host, begin, attend):
    run = begin(patience=5)
    back = attend()
    run.is_lost()
    # The nap of the watcher takes a tenth of a second, so that its patience would be over.
    time.sleep(2)
    release(host)
    assert dict(back.hears()[0]["result"])["code"] == "0"


def test_a_run_that_nobody_comes_back_to_stops_and_the_next_one_tells(host, begin):
    run = begin(patience=3)
    run.is_lost()
    assert run.shell.wait(timeout=20) == 130
    assert (host.status()["result"], host.status()["code"]) == ("failure", "130")
    assert host.status()["client_gone_since"]
    assert host.kept() == {}
    assert host.unfinished() == []
    assert host.processes() == []
    host.stub("pg_dump", 'printf PGDMP >"$file"')
    assert host.predeploy().code == 0
    told = log_of(host)
    assert "the run before, predeploy for " in told
    assert "lost its client at 20" in told
    assert "ended with exit code 130: cut off from the client" in told


def test_a_run_that_was_left_alone_and_then_killed_is_told_of_by_the_next_one(host, begin):
    run = begin()
    run.is_lost()
    wait_for(lambda: says(host, "the client is gone"))
    run.shell.kill()
    run.shell.wait()
    wait_for(lambda: not host.processes())
    host.stub("pg_dump", 'printf PGDMP >"$file"')
    assert host.predeploy().code == 0
    assert "was killed without a word" in log_of(host)


def test_who_goes_away_again_is_waited_for_again(host, begin, attend):
    run = begin(patience=5)
    back = attend()
    run.is_lost()
    wait_for(lambda: len(host.processes()) > 1)
    back.is_lost()
    assert run.shell.wait(timeout=20) == 130
    back.shell.wait(timeout=20)
    assert host.processes() == []


def test_who_has_come_back_can_stop_the_run_and_hears_its_end(host, begin, attend):
    run = begin()
    run.is_lost()
    back = attend()
    back.says_stop()
    facts, _, code = back.hears()
    assert dict(facts["result"])["code"] == "130"
    assert code == 0
    run.shell.wait(timeout=20)
    assert host.unfinished() == []
    assert host.processes() == []


def test_a_run_whose_client_says_stop_waits_for_nobody(host, begin):
    run = begin()
    run.says_stop()
    facts, _, code = run.hears()
    assert code == 130
    assert dict(facts["result"])["code"] == "130"
    assert "the client is gone" not in log_of(host)
    assert host.processes() == []


def test_without_patience_a_run_waits_for_nobody(host, begin):
    run = begin(patience=0)
    run.is_lost()
    assert run.shell.wait(timeout=20) == 130
    assert "the client is gone" not in log_of(host)


def test_of_a_run_that_was_killed_no_end_is_told(host, begin, attend):
    run = begin()
    back = attend()
    wait_for(lambda: len(host.processes()) > 1)
    run.shell.kill()
    facts, _, code = back.hears()
    assert code == 0
    assert "lock" in facts
    assert "result" not in facts


def test_of_a_run_that_is_not_known_nothing_is_told(host, begin, attend):
    begin()
    unknown = attend("e" * 32)
    facts, log, code = unknown.hears(OTHER)
    assert (facts["attend"], log, code) == ([], "", 0)


def test_where_no_run_has_ever_been_nothing_is_told(host, attend):
    assert attend().hears(OTHER)[0]["attend"] == []
    assert not host.backup_dir.exists()
