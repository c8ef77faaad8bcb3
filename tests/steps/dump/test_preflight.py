"""Every obstacle is told before anything starts, with what to do about it."""

import shlex

import pytest

from tests.local import LocalLine

KILOBYTES = 'echo "Filesystem 1024-blocks Used Available Capacity Mounted on"; echo "{}"'


def refused(host, **options):
    report = host.predeploy(**options)
    assert report.code == 10
    assert host.dumps() == []
    return [*map(str, report.problems)]


def test_what_psql_says_is_told(host):
    host.stub("psql", "echo 'FATAL:  password authentication failed' >&2; exit 2")
    (problem,) = refused(host)
    assert "did not answer: FATAL:  password authentication failed" in problem
    assert "DB_PASSWORD" in problem
    assert host.status()["result"] == "failure"
    assert host.status()["problem"].replace("\t", " — ") == problem


def test_all_obstacles_are_told_at_once(host):
    host.backup_dir.mkdir(mode=0o755)
    host.without("flock", "sha256sum")
    host.stub("psql", "exit 2")
    directory, lock, checksum, database = refused(host)
    assert "chmod 700" in directory
    assert "flock" in lock
    assert "checksums" in checksum
    assert "did not answer" in database


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        ("unreadable=public.secret", "may not read: public.secret"),
        ("row_security=public.tenants", "may hide rows from the role owner in: public.tenants"),
    ],
)
def test_what_the_role_cannot_dump_is_told(host, fact, told):
    host.database("15.18", fact)
    (problem,) = refused(host)
    assert told in problem


def test_what_pg_dump_will_leave_out_stands_in_the_manifest(host):
    host.database("15.18", "missing=subscription a b", "missing=subscription c")
    report = host.predeploy()
    assert report.code == 0
    missing = [value for key, value in report.facts["publish"] if key == "missing"]
    assert missing == ["subscription a b", "subscription c"]


def test_a_server_that_is_newer_than_any_that_was_tried_works_with_one_warning(host):
    """No programs of such a version are to be had yet: these are stubs that name it."""
    host.programs("19.1")
    host.database("19.1", server="19.1")
    report = host.predeploy()
    assert report.code == 0, report.problems
    assert dict(report.facts["preflight"])["newer_than"] == "18"
    (warning,) = [line for line in report.stderr.splitlines() if "WARNING" in line]
    assert "PostgreSQL 19 is newer than those that this was tested with (up to 18)" in warning
    host.programs("18.1")
    host.database("18.1", server="18.0")
    assert "newer than those" not in host.predeploy().stderr


def test_programs_older_than_a_new_server_are_named(host):
    host.database("18.1", server="19.1")
    (problem,) = refused(host)
    assert "the server is PostgreSQL 19.1; the programs here are older" in problem
    assert "DB_BIN_DIR" in problem


def test_a_database_without_relations_is_a_valid_one(host):
    host.database("15.18", size=0)
    assert host.predeploy().code == 0


def sees(host, text):
    """A pg_dump that writes down its --compress before it does that."""
    return f'for a; do case $a in --compress=*) echo "$a" >>"$HOME/compress" ;; esac; done; {text}'


WITH_ZSTD = 'printf PGDMP >"$file"; [ "$PGHOST" = localhost ]'
WITHOUT_ZSTD = 'case $* in *zstd*) exit 1 ;; esac; printf PGDMP >"$file"'


@pytest.mark.parametrize(
    ("version", "built", "asked", "given"),
    [
        ("16.2", WITH_ZSTD, None, "zstd:1"),
        ("16.2", WITHOUT_ZSTD, None, "gzip:1"),
        ("17.0", WITH_ZSTD, "zstd:3", "zstd:3"),
        ("17.0", WITH_ZSTD, "gzip:6", "gzip:6"),
        ("17.0", WITH_ZSTD, "none", "none"),
        ("15.18", WITH_ZSTD, None, "1"),
        ("14.3", WITH_ZSTD, None, "1"),
        ("15.18", WITH_ZSTD, "gzip:6", "6"),
        ("15.18", WITH_ZSTD, "none", "0"),
    ],
)
def test_the_fastest_compression_that_the_programs_have_is_used(host, version, built, asked, given):
    host.programs(version)
    host.database(version, server="14.3")
    host.stub("pg_dump", sees(host, built), version)
    host.set(compress=asked)
    report = host.predeploy()
    assert report.code == 0
    tried = (host.home / "compress").read_text().split()
    assert tried[-1] == f"--compress={given}"
    assert version.startswith(("16", "17")) or len(tried) == 1
    recorded = asked or ("zstd:1" if given == "zstd:1" else "gzip:1")
    assert report.of("publish")["compress"] == recorded


@pytest.mark.parametrize(("version", "built"), [("16.2", WITHOUT_ZSTD), ("14.3", WITH_ZSTD)])
def test_zstd_that_is_asked_for_and_not_there_is_10(host, version, built):
    host.programs(version)
    host.database(version, server="14.3")
    host.stub("pg_dump", built, version)
    host.set(compress="zstd:3")
    (problem,) = refused(host)
    assert "BACKUP_COMPRESS=zstd:3" in problem
    assert version in problem


@pytest.mark.parametrize(
    "columns",
    [
        "/dev/sda1 100 95 5 95% /",
        "//server/a share 100 95 5 95% /mnt/a b",
        "tank/home 100 105 -5 105% /",
    ],
)
def test_too_little_space_is_10(host, columns):
    host.script("df", KILOBYTES.format(columns))
    (problem,) = refused(host)
    assert "too little space" in problem
    assert "about 8000 needed" in problem


def test_enough_space_is_enough(host):
    host.script("df", KILOBYTES.format("//server/a share 100 90 10 95% /mnt/a b"))
    assert host.predeploy().code == 0


def test_the_last_archive_of_the_database_tells_how_much_space_the_next_one_needs(host):
    host.archive(created="2025-03-13T12:34:56Z", bytes="8000000", database_bytes="8000000")
    host.archive(created="2025-03-14T12:34:56Z", bytes="1000000", database_bytes="8000000")
    host.archive(created="2025-03-15T12:34:56Z", bytes="8000000", database="other")
    host.database("15.18", size=80_000_000)
    needed = int(host.preflight().of("preflight")["need_bytes"])
    assert 10_000_000 <= needed <= 13_500_000


def test_the_last_dump_tells_how_large_the_next_one_will_be_and_how_long_it_takes(host):
    host.archive(created="2025-03-13T12:34:56Z", bytes="100", dump_seconds="9999")
    host.archive(
        created="2025-03-14T12:34:56Z",
        bytes="1000000",
        database_bytes="8000000",
        dump_seconds="60",
    )
    host.database("15.18", size=40_000_000)
    heard = []
    report = host.predeploy(tells="progress", follow=lambda *event: heard.append(event))
    told = report.of("preflight")
    assert 4_900_000 <= int(told["expected_bytes"]) <= 5_500_000
    assert 295 <= int(told["expected_seconds"]) <= 305
    expected = f"expected {told['expected_bytes']} {told['expected_seconds']}"
    assert ("progress", expected) in heard


@pytest.mark.parametrize("spoilt", ["", "x", "09", "9" * 30, "0"])
def test_a_dump_whose_seconds_are_not_known_lets_none_be_expected(host, spoilt):
    host.archive(created="2025-03-14T12:34:56Z", dump_seconds=spoilt)
    report = host.preflight()
    assert report.code == 0
    assert report.of("preflight")["expected_seconds"] == ""


@pytest.mark.parametrize("spoilt", ["", "12 x", "a[$(exit 1)]", "08x"])
def test_a_spoilt_manifest_does_not_stop_the_estimate(host, spoilt):
    host.archive(created="2025-03-14T12:34:56Z", bytes=spoilt)
    report = host.preflight()
    assert report.code == 0
    assert report.of("preflight")["need_bytes"] == "8000"


def test_a_limit_on_the_size_of_files_is_10(host):
    host.database("15.18", size=80_000_000)
    (problem,) = refused(host, line=LocalLine("ulimit -f 1024"))
    assert "ulimit -f" in problem
    assert "1048576 bytes" in problem


@pytest.mark.parametrize("limit", [16, 24, 31])
def test_too_few_files_that_may_be_open_are_10(host, limit):
    problems = refused(host, line=LocalLine(f"ulimit -n {limit}"))
    assert f"may open only {limit} files at once (ulimit -n), and 32 are needed" in problems[0]


def test_as_many_open_files_as_are_needed_are_enough(host):
    assert host.predeploy(line=LocalLine("ulimit -n 32")).code == 0


def test_a_psql_that_says_nothing_is_told_as_such(host):
    host.stub("psql", "exit 2")
    (problem,) = refused(host)
    assert "the database did not answer: psql said nothing" in problem


def test_nothing_of_the_settings_is_run(host):
    trap = f"$(touch {shlex.quote(str(host.home))}/ran); `touch ran`; ' \" ; touch ran"
    host.set(db_name=trap, db_user=trap, db_host=trap)
    report = host.predeploy()
    assert report.code == 0
    assert report.of("publish")["database"] == trap
    assert not (host.home / "ran").exists()
