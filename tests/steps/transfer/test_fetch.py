"""An archive goes to the client in bulk: from any byte on, and only the one that was meant."""

import hashlib
import io

import pytest
from fabric_predeploy.remote._door import shell
from fabric_predeploy.remote.steps import step

from tests.local import LocalLine


@pytest.fixture
def archive(host):
    """With a dump that looks like the lines between which it comes."""
    name = host.archive()
    dump = host.backup_dir / name
    dump.write_bytes(dump.read_bytes() + b"\nno fence raw 3\n\0\n")
    return name


@pytest.fixture
def fetch(host, archive):
    def fetching(offset=0, sha256=None):
        files = {1: b"", 2: b""}
        sha256 = sha256 or host.facts(f"{archive.removesuffix('.dump')}.manifest")["sha256"]

        def take(number, data):
            files[number] += data

        variables = {"task": "verify", "backup_dir": str(host.backup_dir), "keeps_status": ""}
        report = shell.pour(
            LocalLine(),
            [step("fetch", archive=archive, sha256=sha256, offset=offset)],
            variables=variables,
            told=shell.Told(log=io.StringIO()),
            take=take,
            files={1: 10_000, 2: 10_000},
        )
        return report, files

    return fetching


@pytest.mark.parametrize("offset", [0, 5])
def test_manifest_and_dump_come_byte_for_byte(host, archive, fetch, offset):
    report, files = fetch(offset)

    assert report.code == 0
    assert report.finished("fetch")
    assert files[1] == host.kept()[f"{archive.removesuffix('.dump')}.manifest"]
    assert files[2] == host.kept()[archive][offset:]


def test_of_a_dump_that_is_here_as_a_whole_no_byte_comes(host, archive, fetch):
    report, files = fetch(len(host.kept()[archive]))

    assert (report.code, files[2]) == (0, b"")


def test_one_that_has_become_another_is_14(fetch):
    other = hashlib.sha256(b"other").hexdigest()

    report, files = fetch(sha256=other)

    assert report.code == 14
    assert files == {1: b"", 2: b""}


def test_one_that_is_shorter_than_what_came_before_is_13(host, archive, fetch):
    assert fetch(len(host.kept()[archive]) + 1)[0].code == 13


def test_one_that_breaks_off_has_no_end(host, fetch):
    host.script("tail", "echo PGD; exit 1")

    report, _ = fetch()

    assert report.code is None
    assert not report.finished("fetch")
