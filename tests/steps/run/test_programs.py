"""The right programs are found and chosen."""

import hashlib

import pytest


@pytest.fixture
def several(host, monkeypatch):
    """PostgreSQL 14, 15, 16 and 17, found along PATH, none of them by DB_BIN_DIR."""
    directories = {major: host.root / f"pg {major}" for major in (17, 14, 16, 15)}
    for major, directory in directories.items():
        host.programs(f"{major}.2", directory)
    for program in ("pg_dump", "pg_restore", "psql"):
        (host.bin / program).unlink()
    path = [host.bin, *directories.values(), host.tools]
    monkeypatch.setenv("PATH", ":".join(str(directory) for directory in path))
    host.set(db_bin_dir=None)
    return directories


def serve(host, directories, server):
    for major, directory in directories.items():
        host.database(f"{major}.2", directory=directory, server=server)


@pytest.mark.parametrize(("server", "chosen"), [("15.18", 15), ("16.1", 16), ("13.9", 14)])
def test_the_oldest_programs_not_older_than_the_server_are_chosen(host, several, server, chosen):
    serve(host, several, server)
    report = host.preflight()
    assert report.code == 0
    assert report.of("preflight")["bin_dir"] == str(several[chosen])


def test_a_directory_without_all_three_programs_is_passed_over(host, several):
    (several[15] / "pg_restore").unlink()
    serve(host, several, "15.18")
    assert host.preflight().of("preflight")["bin_dir"] != str(several[15])


def test_a_wrapper_that_chooses_by_itself_is_passed_over(host, several):
    program = several[15] / "pg_dump"
    program.rename(several[15] / "pg_wrapper")
    program.symlink_to("pg_wrapper")
    serve(host, several, "15.18")
    assert host.preflight().of("preflight")["bin_dir"] != str(several[15])


def test_a_server_newer_than_all_programs_is_10_with_both_versions(host):
    host.database(server="18.1")
    report = host.preflight()
    assert report.code == 10
    assert "the server is PostgreSQL 18.1; the programs here are older: 15" in str(
        report.problems[0]
    )


def test_programs_are_looked_for_in_db_bin_dir_alone(host):
    host.set(db_bin_dir="~/nowhere")
    report = host.preflight()
    assert report.code == 10
    assert "were not found together in ~/nowhere" in str(report.problems[0])
    assert "DB_BIN_DIR" in str(report.problems[0])


def test_db_bin_dir_may_hold_blanks_and_start_at_home(host):
    host.programs("15.2", host.home / "my pg")
    host.set(db_bin_dir="~/my pg")
    assert host.predeploy().code == 0


@pytest.mark.parametrize(
    ("program", "script"),
    [
        ("shasum", '[ "$1 $2" = "-a 256" ] || exit 1; exec /usr/bin/sha256sum "$3"'),
        ("openssl", '[ "$*" = "dgst -sha256 -r $4" ] || exit 1; exec /usr/bin/sha256sum -b "$4"'),
    ],
)
def test_without_sha256sum_another_program_takes_its_place(host, program, script):
    host.without("sha256sum")
    host.script(program, script)
    report = host.predeploy()
    assert report.code == 0
    assert report.of("publish")["sha256"] == hashlib.sha256(b"PGDMP of shop").hexdigest()


def test_without_any_program_for_checksums_it_is_10(host):
    host.without("sha256sum")
    report = host.predeploy()
    assert report.code == 10
    assert "checksums" in str(report.problems[0])
    assert host.dumps() == []
