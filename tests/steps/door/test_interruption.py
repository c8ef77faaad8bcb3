"""Whoever is interrupted, in the middle of a dump: nothing of ours goes on or stays."""

import os

import pytest

WHO = {
    "the client is told to stop": f"kill -TERM {os.getpid()}",
    "Ctrl-C at the client": f"kill -INT {os.getpid()}",
    # Twice, as bash may sleep through a signal that comes right before it begins to wait.
    "the remote shell is told to stop": "kill -TERM $PPID; /bin/sleep 2; kill -TERM $PPID",
    "the remote shell loses its line": "kill -HUP $PPID; /bin/sleep 2; kill -HUP $PPID",
}
DYING_SHELL = 'printf PGD >"$file"; kill -KILL $PPID; exit 1'


@pytest.fixture
def interrupted(host):
    def interrupt(program, how, body=":"):
        host.script("sleep", "exec /bin/sleep 0.1")
        host.stub(program, f"{body}; case $1 in --list) ;; *) {how}; exec /bin/sleep 60 ;; esac")
        return host.predeploy()

    return interrupt


@pytest.mark.parametrize("how", WHO.values(), ids=WHO)
def test_an_interrupted_dump_is_130_and_leaves_nothing(host, interrupted, how):
    host.archive()
    before = host.kept()
    report = interrupted("pg_dump", how, 'printf PGD >"$file"')
    assert report.code == 130
    assert host.processes() == []
    assert host.kept() == before
    assert (host.status()["result"], host.status()["code"]) == ("failure", "130")
    assert "interrupted" in host.status()["reason"]


@pytest.mark.parametrize("who", ["the client is told to stop", "the remote shell is told to stop"])
def test_an_interrupted_proof_is_130_and_leaves_nothing(host, interrupted, who):
    report = interrupted("pg_restore", WHO[who])
    assert report.code == 130
    assert host.processes() == []
    assert host.kept() == {}
    assert host.status()["result"] == "failure"


def test_a_signal_in_the_middle_of_the_way_out_does_not_end_it(host, interrupted):
    many = "i=0; while [ $i -lt 300 ]; do kill -TERM $PPID; i=$((i + 1)); done"
    for _ in range(5):
        assert interrupted("pg_dump", many, 'printf PGD >"$file"').code == 130
        assert host.kept() == {}
        assert host.processes() == []


def test_a_signal_right_after_a_program_was_started_does_not_send_our_words_into_its_output(host):
    host.script("sleep", "exec /bin/sleep 0.1")
    host.script("sha256sum", "kill -TERM $PPID; echo 0; kill -TERM $PPID; exec /bin/sleep 60")
    for _ in range(6):
        report = host.predeploy()
        assert report.code == 130
        assert "interrupted" in report.of("result")["reason"]
    assert host.processes() == []


def test_a_program_that_takes_no_notice_is_ended_all_the_same(host, interrupted):
    report = interrupted("pg_dump", "trap '' TERM; kill -TERM $PPID; while :; do :; done")
    assert report.code == 130
    assert host.processes() == []


def test_after_a_killed_shell_the_status_does_not_tell_of_the_run_before(host):
    host.backup_dir.mkdir(mode=0o700)
    (host.backup_dir / "status").write_text("result=success\n")
    host.stub("pg_dump", DYING_SHELL)
    assert host.predeploy().code is None
    assert host.status()["result"] == "failure"
    assert "killed without a word" in host.status()["reason"]


def test_after_a_shell_that_was_killed_in_its_rotation_the_status_tells_of_its_archive(host):
    host.script("rm", 'case $* in *.dump) kill -KILL $PPID ;; *) exec /bin/rm "$@" ;; esac')
    old = host.archive(created="2025-03-13T12:34:56Z", proof="read")
    host.archive(created="2025-03-14T12:34:56Z", proof="read")
    host.set(max_backups=1)
    assert host.predeploy().code is None
    assert old in host.dumps()
    assert host.status()["result"] == "success"
    assert host.status()["archive"] in host.dumps()
    assert "killed without a word" in host.status()["reason"]


def test_a_killed_shell_leaves_no_lock_and_the_next_run_clears_up(host):
    host.stub("pg_dump", DYING_SHELL)
    host.predeploy()
    assert len(host.unfinished()) == 2
    host.stub("pg_dump", 'printf PGDMP >"$file"')
    assert host.predeploy().code == 0
    assert host.unfinished() == []
    assert len(host.dumps()) == 1
