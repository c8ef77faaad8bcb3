"""What a run leaves when all goes well, and that it leaves nothing when publishing fails."""

import os
import re
import stat
import subprocess

import pytest

UNWRITABLE = '/bin/mkdir "${file%.partial}.manifest.partial"'


@pytest.fixture(scope="module")
def done(new_host, tmp_path_factory):
    """One good run, with a umask that forbids nothing and a name that a shell could trip over."""
    before = os.umask(0)
    with new_host(tmp_path_factory.mktemp("good run")) as host:
        host.backup_dir = host.home / 'it\'s; $(a) "dïr"\\ *'
        host.set(backup_dir=str(host.backup_dir), git_commit="abc")
        host.report = host.predeploy()
        yield host
    os.umask(before)


@pytest.fixture
def name(done):
    (name,) = done.dumps()
    return name.removesuffix(".dump")


def test_a_good_run_ends_with_0(done):
    assert (done.report.code, done.report.exited) == (0, 0)


def test_a_good_run_leaves_archive_sidecars_log_status_report_and_lock_alone(done, name):
    log = done.status()["log"]
    expected = {f"{name}.dump", f"{name}.dump.sha256", f"{name}.manifest"}
    expected |= {log, "status", "run.report", "lock"}
    assert {path.name for path in done.backup_dir.iterdir()} == expected
    assert list(done.home.iterdir()) == [done.backup_dir]


def test_the_name_tells_project_label_version_and_time(done, name):
    assert re.fullmatch(r"pricehawk-pre-deploy-v1-\d{8}-\d{6}", name)
    created = done.facts(f"{name}.manifest")["created"]
    assert re.sub("[-:Z]", "", created).replace("T", "-") == name[-15:]


def test_sha256sum_accepts_the_checksum_file(done, name):
    checked = ["/usr/bin/sha256sum", "--strict", "--check", f"{name}.dump.sha256"]
    assert subprocess.run(checked, cwd=done.backup_dir, check=False).returncode == 0


def test_the_archive_is_what_pg_dump_wrote(done, name):
    assert (done.backup_dir / f"{name}.dump").read_bytes() == b"PGDMP of shop"


def test_the_lines_told_are_the_manifest_but_for_what_a_restore_alone_needs(done, name):
    stored = (done.backup_dir / f"{name}.manifest").read_text().splitlines()
    told = [f"{key}={value}" for key, value in done.report.facts["publish"]]
    assert stored[-2:] == ["role=owner", "rows=2 public.shop"]
    assert told == [f"archive={name}.dump", *stored[:-2], "present_bytes=13"]


def test_the_manifest_tells_what_was_dumped_with_what_and_how_it_was_proven(done, name):
    facts = done.facts(f"{name}.manifest")
    expected = {
        "format": "1",
        "project": "pricehawk",
        "label": "pre-deploy",
        "version": "v1",
        "git_commit": "abc",
        "database": "shop",
        "db_host": "localhost",
        "server_version": "15.18",
        "client_version": "15.18",
        "compress": "gzip:1",
        "database_bytes": "8000",
        "relations": "3",
        "bytes": "13",
        "toc_entries": "2",
        "proof": "read",
    }
    assert {key: facts[key] for key in expected} == expected


def test_the_status_tells_of_success(done, name):
    expected = {"result": "success", "task": "predeploy", "archive": f"{name}.dump"}
    expected |= {"proof": "read", "rotation": "done", "code": "0", "reason": ""}
    status = done.status()
    assert {key: status[key] for key in expected} == expected


def test_the_log_tells_what_happened(done, name):
    log = (done.backup_dir / done.status()["log"]).read_text()
    assert f"dumping into {name}.dump" in log
    assert log.endswith("predeploy: done\n")


def test_nobody_else_can_read_anything_even_with_umask_000(done):
    def mode(path):
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(done.backup_dir) == 0o700
    assert {mode(path) for path in done.backup_dir.iterdir()} == {0o600}


def test_a_manifest_that_the_disk_does_not_take_is_12_and_no_archive(host):
    host.stub("pg_dump", f'echo PGDMP >"$file"; {UNWRITABLE}')
    report = host.predeploy()
    assert report.code == 12
    assert "manifest could not be written" in report.of("result")["reason"]
    assert list(host.kept().values()) == [b"directory"]
    assert host.status()["result"] == "failure"


def test_a_dump_that_cannot_be_renamed_is_12_and_leaves_no_sidecars(host):
    host.script("mv", 'case $2 in *-??????.partial) exit 1 ;; esac; exec /bin/mv "$@"')
    report = host.predeploy()
    assert report.code == 12
    assert host.kept() == {}
    assert host.status()["archive"] == ""


def test_two_archives_within_one_second_get_different_names(host):
    host.clock(1742000000)
    assert [host.predeploy().code, host.predeploy().code] == [0, 0]
    first, second = host.dumps()
    assert (first[-11:], second[-11:]) == ("005320.dump", "005321.dump")


def test_a_status_that_cannot_be_written_does_not_go_on_telling_of_the_run_before(host):
    host.backup_dir.mkdir(mode=0o700)
    (host.backup_dir / "status").write_text("result=success\n")
    host.stub("pg_dump", '/bin/mkdir "${file%/*}/status.partial"; exit 1')
    assert host.predeploy().code == 12
    assert not (host.backup_dir / "status").exists()
