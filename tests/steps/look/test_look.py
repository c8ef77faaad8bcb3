"""Who only looks learns what predeploy would meet, and leaves the host as it was."""

import fcntl

import pytest
from fabric_predeploy.remote.steps import step

OUTLINING = "printf 'PGDMP of %s' \"$PGDATABASE\""


def look(host, demand=""):
    settings = host.settings
    lock, *others = host.until_preflight()
    before = [step("look"), lock, step("awk"), *others]
    after = [step("outline", settings), step("rehearse", demand=demand)]
    return host.run(*before, *after, task="doctor", keeps_status=False)


@pytest.fixture
def host(host):
    host.stub("pg_dump", OUTLINING)
    return host


def state(host):
    return {
        str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns, _content(path))
        for path in sorted(host.home.rglob("*"))
    }


def _content(path):
    return path.read_bytes() if path.is_file() else b""


def failed(report):
    facts = [fact for step in report.facts.values() for fact in step]
    return [
        (check, facts[at + 1][1])
        for at, (key, check) in enumerate(facts)
        if key == "failed" and check
    ]


def test_a_host_where_nothing_was_done_yet_stays_like_that(host, monkeypatch):
    temporary = host.root / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    before = state(host)
    report = look(host)
    assert report.code == 0
    assert report.of("lock")["to_be_made"] == str(host.backup_dir)
    assert report.finished("rehearse")
    assert report.stderr == ""
    assert state(host) == before
    assert list(temporary.iterdir()) == []


def test_what_earlier_runs_left_is_neither_removed_nor_added_to(host):
    host.archive()
    for leftover in ("x-20250314-123456.partial", "status.partial", "lock", "backup-1.log"):
        (host.backup_dir / leftover).write_text("mine")
    (host.backup_dir / "status").write_text("result=failure\nreason=of yesterday\n")
    (host.backup_dir / "restore.database").write_text(
        "localhost 5432 shop_restore_20250314123456\n"
    )
    (host.backup_dir / "run.partial").mkdir()
    before = state(host)
    report = look(host)
    assert report.code == 0
    assert report.of("look")["last_reason"] == "of yesterday"
    assert state(host) == before


def test_a_directory_below_a_file_could_not_be_made(host):
    (host.home / "file").touch()
    host.set(backup_dir="~/file/a/b")
    report = look(host)
    assert report.code == 10
    assert failed(report)[0][0] == "directory"
    assert "is not there" in failed(report)[0][1]


def test_problems_of_all_steps_are_told_and_the_rest_is_looked_at_all_the_same(host):
    host.backup_dir.mkdir(mode=0o755)
    host.without("flock", "awk", "sha256sum")
    report = look(host)
    assert report.code == 10
    assert [check for check, _ in failed(report)] == ["directory", "lock", "tools", "tools"]
    assert report.of("preflight")["client_version"] == "15.18"
    assert report.finished("rehearse")


def test_where_the_database_does_not_answer_the_run_ends_there(host):
    host.stub("psql", "echo 'FATAL:  no' >&2; exit 2")
    report = look(host)
    assert report.code == 10
    assert failed(report) == [("database", "the database did not answer: FATAL:  no")]
    assert report.finished("outline")
    assert not report.finished("rehearse")


def test_a_run_at_work_is_11_before_all_that_is_10(host):
    host.backup_dir.mkdir(mode=0o700)
    host.without("sha256sum")
    with (host.backup_dir / "lock").open("w") as lock:
        lock.write("predeploy for somebody\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        report = look(host)
        host.set(lock_wait_seconds=5)
        waiting = look(host)
    assert report.code == 11
    assert "predeploy for somebody" in report.of("result")["reason"]
    assert [check for check, _ in failed(report)] == ["lock", "tools"]
    assert waiting.code == 10
    assert waiting.of("lock")["held"] == "predeploy for somebody"


def test_a_look_at_the_lock_does_not_keep_a_run_out(host):
    """As if it came in the very moment in which the other shares the lock."""
    host.stub("pg_dump", 'printf PGDMP >"$file"')
    host.backup_dir.mkdir(mode=0o700)
    host.script(
        "flock",
        f'[ -e "$HOME/met" ] || {{ : >"$HOME/met"; exit 1; }}; exec {host.tools}/flock "$@"',
    )
    assert host.predeploy().code == 0
    assert (host.home / "met").exists()


def test_a_pg_dump_that_cannot_begin_is_12_in_its_own_words(host):
    host.stub("pg_dump", "echo 'pg_dump: error: out of shared memory' >&2; exit 1")
    host.stub("pg_restore", "read -r line || exit 1")
    report = look(host)
    assert report.code == 12
    ((check, because),) = failed(report)
    assert check == "dump"
    assert "out of shared memory" in because
    assert not report.finished("rehearse")


def test_a_long_dump_is_stopped_once_its_contents_are_known(host):
    host.stub("pg_dump", f"{OUTLINING}; exec sleep 600")
    report = look(host)
    assert report.code == 0
    assert report.of("outline")["entries"] == "2"
    assert report.stderr == ""
    assert host.processes() == []


def test_what_a_rehearsal_demands_is_14_and_told_whole(host):
    psql = host.bin / "psql"
    obstacles = "*our_role*COMMIT*) echo swap_obstacle=no; echo transaction_obstacle=neither ;;"
    psql.write_text(psql.read_text().replace("case $line in", f"case $line in {obstacles}"))
    report = look(host, demand="any")
    assert report.code == 14
    assert report.finished("rehearse")
    assert look(host).code == 0


def test_a_quota_is_passed_on(host):
    host.script("quota", "echo 'Disk quotas for user x:'; echo '  /dev/x 1 2 3 4'")
    told = [value for key, value in look(host).facts["look"] if key == "quota"]
    assert told == ["Disk quotas for user x:", "  /dev/x 1 2 3 4"]
