"""An archive is found where its name or path says, with the programs that can read it."""

import pytest
from fabric_predeploy.remote.steps import rules, step

FORMATS = {"15": b"\x0e", "16": b"\x0f", "17": b"\x10"}  # what pg_dump of that version writes
HEADER = r"""case $1 in --list)
    printf '%s\n' ';' '; Archive created at 2025-03-14 12:34:56 UTC' ';     dbname: the shop' \
        ';     Dumped from database version: 15.8' ';     Dumped by pg_dump version: 15.18' ';' \
        '3; 2615 SCHEMA - public owner'
    ;; esac"""


def dump(of="15"):
    return b"PGDMP\x01" + FORMATS[of] + b"\x00\x04\x08"


@pytest.fixture
def found(host):
    """The steps that look for an archive, without a lock as a plan does."""

    def run(archive, proof=""):
        settings = host.settings
        lock = rules.lock(settings, create=True)
        programs, look = step("programs", settings), step("archive", archive=archive)
        more = [step("verify", proof=proof, archive=archive)] if proof else []
        return host.run(lock, programs, look, *more, task="restore")

    return run


def reason(report):
    return report.of("result")["reason"]


def test_an_archive_of_ours_is_told_by_its_manifest_without_its_rows(host, found):
    name = host.archive(rows="5 public.t")
    told = found(name).of("archive")
    assert told["file"] == str(host.backup_dir / name)
    assert told["database"] == "shop"
    assert told["reader_version"] == "15.18"
    assert "rows" not in told


@pytest.mark.parametrize("end", [".dump", ".manifest", ".dump.sha256"])
def test_an_archive_of_ours_without_one_of_its_files_is_13(host, found, end):
    name = host.archive()
    (host.backup_dir / name).with_suffix(end).unlink()
    report = found(name)
    assert report.code == 13
    assert f"{end} is not there" in reason(report)


@pytest.mark.parametrize("wanted", ["~/it's a 'file'", "{home}/it's a 'file'"])
def test_a_file_elsewhere_is_told_by_its_own_header(host, found, wanted):
    host.stub("pg_restore", HEADER)
    file = host.home / "it's a 'file'"
    file.write_bytes(dump())
    told = found(wanted.format(home=host.home)).of("archive")
    assert told["file"] == str(file)
    assert told["bytes"] == str(len(dump()))
    assert told["database"] == "the shop"
    assert told["created"] == "2025-03-14 12:34:56 UTC"
    assert (told["client_version"], told["server_version"]) == ("15.18", "15.8")


def test_the_manifest_beside_a_file_elsewhere_tells_of_it_and_is_not_changed(host, found):
    name = host.archive()
    moved = host.home / "moved.dump"
    (host.backup_dir / name).rename(moved)
    manifest = moved.with_suffix(".manifest")
    (host.backup_dir / name).with_suffix(".manifest").rename(manifest)
    before = manifest.read_bytes()
    report = found("~/moved.dump", proof="read")
    assert report.code == 0, reason(report)
    assert report.of("archive")["created"] == "2025-03-14T12:34:56Z"
    moved.write_bytes(b"PGDMP of another day")
    report = found("~/moved.dump", proof="read")
    assert report.code == 13
    assert "damaged" in reason(report)
    assert manifest.read_bytes() == before


def test_a_file_elsewhere_that_its_checksum_gives_away_is_13(host, found):
    host.stub("pg_restore", HEADER)
    (host.home / "it.dump").write_bytes(dump())
    (host.home / "it.dump.sha256").write_text(f"{'0' * 64}  it.dump\n")
    report = found("~/it.dump", proof="read")
    assert report.code == 13
    assert "instead of 000000" in reason(report)
    assert sorted(path.name for path in host.home.glob("it*")) == ["it.dump", "it.dump.sha256"]


def test_what_is_not_there_or_a_directory_is_14(host, found):
    host.stub("pg_restore", HEADER)
    report = found("~/nothing.dump")
    assert (report.code, reason(report)) == (
        14,
        f"there is no file {host.home}/nothing.dump on the host; the database is as it was",
    )
    report = found("~")
    assert report.code == 13  # a name, which no archive bears
    (host.home / "some where").mkdir()
    report = found("~/some where")
    assert (report.code, reason(report)) == (
        14,
        f"{host.home}/some where is a directory; the database is as it was",
    )


def test_what_pg_restore_cannot_list_is_13(host, found):
    host.stub("pg_restore", "echo 'input file does not appear to be a valid archive' >&2; exit 1")
    for content in (b"", b"PGDMP", b"CREATE TABLE t ();\n", b"\x00" * 20, dump()):
        (host.home / "it.dump").write_bytes(content)
        report = found("~/it.dump")
        assert report.code == 13
        assert "does not appear" in reason(report)


def test_an_archive_of_a_newer_pg_dump_is_10_by_its_manifest(found, host):
    report = found(host.archive(client_version="17.1"))
    assert report.code == 10
    assert "was written by pg_dump 17.1; the programs here are older: 15.18" in reason(report)
    assert "DB_BIN_DIR" in report.of("result")["remedy"]


@pytest.mark.parametrize(
    ("programs", "written", "code"),
    [
        ("14.2", "15", 0),
        ("15.18", "16", 10),
        ("15.18", "17", 10),
        ("16.1", "16", 0),
        ("16.1", "17", 10),
        ("17.1", "17", 0),
        ("18.0", "17", 0),
        ("19.0", "17", 0),
    ],
)
def test_an_archive_of_a_newer_pg_dump_is_10_by_its_format(host, found, programs, written, code):
    host.programs(programs)
    host.stub("pg_restore", HEADER.replace("15.18", "14.1"), programs)
    (host.home / "it.dump").write_bytes(dump(written))
    report = found("~/it.dump")
    assert report.code == code, reason(report)
    assert code == 0 or "a newer pg_dump" in reason(report)


def test_the_programs_nearest_to_the_archive_are_chosen(host, found, monkeypatch):
    others = host.home / "17"
    host.programs("17.1", others)
    host.set(db_bin_dir=None)
    monkeypatch.setenv("PATH", f"{others}:{host.bin}:{host.tools}")
    for written, reader in (("15.2", "15.18"), ("16.0", "17.1")):
        told = found(host.archive(client_version=written)).of("archive")
        assert told["reader_version"] == reader
