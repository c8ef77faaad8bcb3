"""A proof is earned by checksum, decoding and table of contents, and damage is recorded."""

import pytest

DECODING_FAILS = (
    'case $1 in --list) echo ";     dbname: shop" ;;'
    " *) echo 'could not uncompress' >&2; exit 1 ;; esac"
)
LISTING_FAILS = "case $1 in --list) echo 'bad header' >&2; exit 1 ;; esac"
DAMAGE = {
    "flipped": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "truncated": lambda content: content[:-3],
    "emptied": lambda _content: b"",
    "grown": lambda content: content + b"x",
}


@pytest.fixture
def archive(host):
    return host.archive(pinned="yes", warning="kept")


def reason(report):
    return report.of("result")["reason"]


@pytest.mark.parametrize(
    ("body", "told"), [(DECODING_FAILS, "could not uncompress"), (LISTING_FAILS, "bad header")]
)
def test_a_dump_that_pg_restore_cannot_read_is_13_and_no_archive(host, archive, body, told):
    before = host.kept()
    host.stub("pg_restore", body)
    report = host.predeploy()
    assert report.code == 13
    assert told in reason(report)
    assert host.kept() == before
    assert host.status()["result"] == "failure"


def test_a_dump_that_cannot_be_read_to_its_end_is_13_and_no_archive(host):
    host.script("sha256sum", "exit 1")
    assert host.predeploy().code == 13
    assert host.kept() == {}


def test_a_dump_may_be_published_unproven_where_no_more_is_asked(host):
    listing = '";     dbname: shop" "1; a"'
    host.stub("pg_restore", f'echo "$1" >>"$HOME/asked"; printf "%s\\n" {listing}')
    report = host.predeploy(proof="written")
    assert report.code == 0
    assert report.of("publish")["proof"] == "written"
    assert (host.home / "asked").read_text() == "--list\n"


def test_a_proof_changes_the_lines_about_the_proof_alone(host, archive):
    manifest = archive.removesuffix(".dump") + ".manifest"
    before = host.kept()
    report = host.verify(archive)
    assert report.code == 0
    after = host.kept()
    assert {name for name in before if after[name] != before[name]} == {manifest}
    assert after.keys() == before.keys()
    old, new = before[manifest].splitlines(), after[manifest].splitlines()
    assert new[:-2] == old[:-2]
    assert new[-2] == b"proof=read"
    assert new[-1].startswith(b"proof_time=20")
    assert new[-1] != old[-1]


def test_a_checksum_alone_proves_that_it_is_as_written(host, archive):
    host.stub("pg_restore", "case $1 in --list) printf '1; a\\n2; b\\n' ;; *) exit 1 ;; esac")
    report = host.verify(archive, proof="written")
    assert report.code == 0
    assert report.of("verify")["proof"] == "written"


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_13_and_recorded(host, archive, damage):
    path = host.backup_dir / archive
    path.write_bytes(damage(path.read_bytes()))
    damaged = path.read_bytes()
    report = host.verify(archive)
    assert report.code == 13
    assert "is damaged" in reason(report)
    facts = host.facts(path.with_suffix(".manifest").name)
    assert facts["proof"] == "failed"
    assert facts["pinned"] == "yes"
    assert path.read_bytes() == damaged


def test_damage_that_cannot_be_recorded_is_13_and_the_manifest_stays_whole(host, archive):
    path = host.backup_dir / archive
    path.write_bytes(b"")
    before = host.kept()
    new = host.backup_dir / "run.partial" / "manifest"
    host.script("sha256sum", f"/bin/ln -s /dev/full '{new}'; exec /usr/bin/sha256sum \"$@\"")
    report = host.verify(archive)
    assert report.code == 13
    assert "could not be recorded" in reason(report)
    assert host.kept() == before


def test_a_dump_of_another_database_is_13(host):
    host.stub("pg_restore", "case $1 in --list) echo ';     dbname: other' ;; esac")
    report = host.predeploy()
    assert report.code == 13
    assert "of the database other" in reason(report)
    assert host.dumps() == []


def test_a_sidecar_that_disagrees_with_the_manifest_is_13(host, archive):
    sidecar = host.backup_dir / f"{archive}.sha256"
    sidecar.write_text(f"{'0' * 64}  {archive}\n")
    before = host.kept()
    report = host.verify(archive)
    assert report.code == 13
    assert "name two checksums" in reason(report)
    assert host.kept() == before


def test_a_checksum_that_could_not_be_taken_is_13_without_a_mark(host, archive):
    host.script("sha256sum", "echo")
    before = host.kept()
    assert host.verify(archive).code == 13
    assert host.kept() == before


@pytest.mark.parametrize("gone", [".dump", ".dump.sha256", ".manifest"])
def test_an_archive_without_one_of_its_files_is_13(host, archive, gone):
    missing = host.backup_dir / f"{archive.removesuffix('.dump')}{gone}"
    missing.rename(host.home / "away")
    report = host.verify(archive)
    assert report.code == 13
    assert f"{missing.name} is not there" in reason(report)


def test_a_table_of_contents_of_another_length_is_13_without_a_mark(host, archive):
    host.stub("pg_restore", "case $1 in --list) printf '1; a\\n' ;; esac")
    before = host.kept()
    report = host.verify(archive)
    assert report.code == 13
    assert "1 entries instead of 2" in reason(report)
    assert host.kept() == before


def test_a_pg_restore_that_fails_on_an_unchanged_archive_is_13_without_a_mark(host, archive):
    host.stub("pg_restore", DECODING_FAILS)
    before = host.kept()
    assert host.verify(archive).code == 13
    assert host.kept() == before


def test_programs_older_than_the_archive_are_10(host, archive):
    host.programs("14.2")
    before = host.kept()
    report = host.verify(archive)
    assert report.code == 10
    assert "written by pg_dump 15.18; the programs here are older: 14" in reason(report)
    assert host.kept() == before


def test_a_missing_pg_restore_is_10(host, archive):
    (host.bin / "pg_restore").unlink()
    before = host.kept()
    report = host.verify(archive)
    assert report.code == 10
    assert "not found together" in str(report.problems[0])
    assert host.kept() == before
