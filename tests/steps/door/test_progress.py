"""How far a dump is, is told while it is taken: and who tells it is gone with the dump."""

import hashlib
import os
import re
import threading

import pytest
from fabric_predeploy.remote.steps import rules

from tests.processes import wait_for

WHO = {
    "the client is told to stop": f"kill -TERM {os.getpid()}",
    "the remote shell is told to stop": "kill -TERM $PPID; /bin/sleep 2; kill -TERM $PPID",
    "the remote shell loses its line": "kill -HUP $PPID; /bin/sleep 2; kill -HUP $PPID",
}
UNTIL_NAPPING = 'while [ ! -e "$HOME/napping" ]; do /bin/sleep 0.05; done'


@pytest.fixture
def long_nap(host):
    """Whoever naps first naps for as long as it is let."""
    nap = '[ -e "$HOME/napping" ] || { : >"$HOME/napping"; exec /bin/sleep 300; }'
    host.script("sleep", f"{nap}; exec /bin/sleep 0.1")


def test_the_bytes_of_a_dump_are_told_while_it_grows(host):
    heard = []
    host.script("sleep", "exec /bin/sleep 0.05")
    until = 'while [ ! -e "$HOME/heard-%s" ]; do /bin/sleep 0.05; done'
    host.stub(
        "pg_dump", f'printf PGD >"$file"; {until % 3}; printf MP-- >>"$file"; {until % 7}; exit'
    )

    def follow(word, rest):
        if word == "progress":
            heard.append(rest)
            (host.home / rest.replace("bytes ", "heard-")).touch()

    report = host.predeploy(follow=follow, tells="progress")

    assert report.code == 0
    told = list(dict.fromkeys(heard))
    assert told[0] == "expected  "
    assert told[-2:] == ["bytes 3", "bytes 7"]
    assert report.of("dump")["name"] == host.dumps()[0]


def test_the_bytes_that_have_arrived_are_told_while_an_archive_is_sent(host):
    heard, some = [], bytes(200_000)
    arrived = threading.Event()
    host.script("sleep", "exec /bin/sleep 0.05")

    def follow(word, rest):
        if word == "progress":
            heard.append(rest)
            if rest.startswith("bytes ") and rest != "bytes 0":
                arrived.set()

    def payload():
        yield some
        while not arrived.is_set():
            yield b""
        yield some

    lock, programs, *_ = host.until_preflight()
    receive = rules.receive("some", 400_000, 0, hashlib.sha256(some + some).hexdigest())
    several = [lock, programs, receive]
    report = host.run(*several, payload=payload(), follow=follow, tells="progress", task="restore")
    assert report.code == 0
    assert heard[0] == "expected 400000"
    assert arrived.is_set()


@pytest.mark.parametrize("tells", ["log", "warnings"])
def test_progress_is_told_only_to_who_asks_for_it(host, tells):
    heard = []
    host.script("sleep", '[ "$1" != 1 ] || : >"$HOME/napped"; exec /bin/sleep "$1"')
    report = host.predeploy(follow=lambda word, _rest: heard.append(word), tells=tells)
    assert report.code == 0
    assert set(heard) == {"begin", "end"}
    assert not (host.home / "napped").exists()


@pytest.mark.usefixtures("long_nap")
@pytest.mark.parametrize(("body", "code"), [('printf PGD >"$file"', 0), ("exit 3", 12)])
def test_with_the_dump_ends_who_tells_of_it_in_the_middle_of_a_nap(host, body, code):
    host.stub("pg_dump", f"{UNTIL_NAPPING}; {body}")
    report = host.predeploy(tells="progress")
    assert report.code == code
    assert host.processes() == []


@pytest.mark.usefixtures("long_nap")
def test_a_dump_that_is_over_at_once_is_not_waited_for(host):
    assert host.predeploy(tells="progress").code == 0
    assert host.processes() == []


@pytest.mark.usefixtures("long_nap")
@pytest.mark.parametrize("how", WHO.values(), ids=WHO)
def test_an_interrupted_dump_takes_along_who_tells_of_it(host, how):
    host.stub("pg_dump", f'{UNTIL_NAPPING}; printf PGD >"$file"; {how}; exec /bin/sleep 60')
    report = host.predeploy(tells="progress")
    assert report.code == 130
    assert host.processes() == []
    assert host.kept() == {}


@pytest.mark.usefixtures("long_nap")
def test_a_shell_that_is_killed_leaves_nobody_who_tells(host):
    host.stub("pg_dump", f"{UNTIL_NAPPING}; kill -KILL $PPID; exec /bin/sleep 60")
    assert host.predeploy(tells="progress").code is None

    def only_the_watch_is_left():
        """It watches the client, which is there still."""
        left = host.processes()
        return len(left) <= 1 and not any(each.startswith("/bin/sleep") for each in left)

    wait_for(only_the_watch_is_left)


def test_who_wants_warnings_alone_sees_no_log_which_is_kept_all_the_same(host, capsys):
    host.stub("pg_dump", "echo 'pg_dump: note' >&2; printf PGDMP >\"$file\"")
    host.database("15.18", "missing=the event trigger audit")
    assert host.predeploy(tells="warnings").code == 0
    (shown,) = capsys.readouterr().err.splitlines()
    assert "WARNING: not in the archive" in shown
    kept = (host.backup_dir / host.status()["log"]).read_text()
    assert f"{shown}\n" in kept
    assert "         pg_dump: note\n" in kept
    assert "predeploy: done\n" in kept


def test_who_naps_keeps_neither_the_lock_nor_the_way_to_the_client_open(host):
    host.script("sleep", 'ls -l /proc/$$/fd >"$HOME/seen"; : >"$HOME/napping"; exec /bin/sleep 0.1')
    host.stub("pg_dump", f'{UNTIL_NAPPING}; printf PGDMP >"$file"')
    assert host.predeploy(tells="progress").code == 0
    open_files = re.findall(r" -> (\S+)", (host.home / "seen").read_text())
    assert "/dev/null" in open_files
    assert not [each for each in open_files if "pipe:" in each or str(host.backup_dir) in each]
