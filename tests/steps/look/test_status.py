"""What the last run has left, and whether one that has not ended is still at work."""

import fcntl
from contextlib import contextmanager

import pytest
from fabric_predeploy.remote.steps import step

BEGUN = "result=failure\ntask=predeploy\ncode=1\nstep=lock\nreason=it has begun\n"
ENDED = "result=success\ntask=predeploy\ncode=0\nstep=prune\n"
HOLDER = "predeploy for ci@runner, process 1, since 2025-03-14T12:34:56Z"


@pytest.fixture
def status(host):
    def told():
        report = host.run(step("status"), task="status")
        assert report.code == 0
        return report.of("status")

    return told


@pytest.fixture
def left(host):
    def leave(text, holder=HOLDER):
        host.backup_dir.mkdir(0o700, exist_ok=True)
        (host.backup_dir / "status").write_text(text)
        (host.backup_dir / "lock").write_text(f"{holder}\n")

    return leave


@contextmanager
def locked(host):
    with (host.backup_dir / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_without_a_run_there_is_no_status(host, status):
    assert status() == {}
    assert not host.backup_dir.exists()


def test_it_is_told_as_the_last_run_has_left_it(host, status):
    host.predeploy()
    assert status() == host.status()


def test_looking_changes_nothing(host, status):
    host.predeploy()
    before = {path: path.read_bytes() for path in host.backup_dir.iterdir()}
    status()
    assert {path: path.read_bytes() for path in host.backup_dir.iterdir()} == before


def test_a_run_that_has_begun_and_holds_the_lock_is_at_work(host, status, left):
    left(BEGUN)
    with locked(host):
        assert status()["at_work"] == HOLDER


def test_a_run_that_has_begun_and_lost_the_lock_was_killed(status, left):
    left(BEGUN)
    assert "at_work" not in status()


def test_another_task_that_holds_the_lock_is_not_the_run_that_has_begun(host, status, left):
    left(BEGUN, HOLDER.replace("predeploy", "verify"))
    with locked(host):
        assert "at_work" not in status()


def test_where_an_end_is_on_record_nobody_touches_the_lock(host, status, left):
    left(ENDED)
    host.script("flock", ': >"$HOME/touched"')
    assert status()["result"] == "success"
    assert not (host.home / "touched").exists()


def test_a_run_that_ends_at_this_moment_has_ended(host, status, left):
    left(BEGUN)
    new = ENDED.replace("\n", "\\n")
    host.script("flock", f"printf '{new}' >'{host.backup_dir}/status'")
    assert status()["result"] == "success"


def test_a_status_that_was_cut_short_is_told_as_far_as_it_goes(status, left):
    left("result=failure\ntask=pre")
    assert status() == {"result": "failure", "task": "pre"}
