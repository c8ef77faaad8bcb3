"""The catalog is the manifests of the archives, one after the other."""

import pytest
from fabric_predeploy.remote.catalog import parse
from fabric_predeploy.remote.steps import step

from tests.steps.host import KILLED


@pytest.fixture
def catalog(host):
    def told():
        report = host.run(step("catalog"), task="history")
        assert report.code == 0
        return report.facts["catalog"]

    return told


def names(facts):
    return [value for key, value in facts if key == "archive"]


def test_a_directory_that_is_not_there_holds_no_archives(host, catalog):
    assert catalog() == []
    assert not host.backup_dir.exists()


def test_looking_changes_nothing(host, catalog):
    host.archive()
    before = sorted(host.backup_dir.rglob("*")), host.kept()
    catalog()
    assert (sorted(host.backup_dir.rglob("*")), host.kept()) == before


def test_every_archive_is_told_with_its_manifest(host, catalog):
    first = host.archive(created="2025-03-14T12:34:56Z")
    second = host.archive(created="2025-03-15T12:34:56Z", warning="w")
    facts = catalog()
    assert names(facts) == [first, second]
    assert ("created", "2025-03-14T12:34:56Z") in facts
    assert ("warning", "w") in facts


def test_the_present_size_is_that_of_the_file(host, catalog):
    name = host.archive(bytes="999")
    (host.backup_dir / name).write_bytes(b"12345")
    assert dict(catalog())["present_bytes"] == "5"


def test_sizes_are_in_bytes_whatever_the_account_prefers(host, catalog, monkeypatch):
    monkeypatch.setenv("BLOCK_SIZE", "human-readable")
    (host.backup_dir / host.archive()).write_bytes(b"x" * 5000)
    assert dict(catalog())["present_bytes"] == "5000"


def test_what_an_archive_leaves_behind_is_none(host, catalog):
    (host.backup_dir / host.archive()).unlink()
    assert names(catalog()) == []


def test_an_archive_that_has_lost_its_manifest_is_named_and_nothing_is_told_of_it(host, catalog):
    name = host.archive()
    (host.backup_dir / name).with_suffix(".manifest").unlink()
    (host.backup_dir / "nightly-20250314-123456.dump").write_bytes(b"of another program")
    assert catalog() == [("archive", name)]


def test_links_and_names_that_are_not_ours_are_left_out(host, catalog):
    base = host.archive().removesuffix(".dump")
    for other in (
        "two\nlines-20250314-123456",
        "a b-20250314-123456",
        " a-20250314-123456",
        ".x-20250314-123456",
        "foo",
    ):
        for end in (".dump", ".manifest"):
            (host.backup_dir / f"{other}{end}").write_text("format=1\n")
    for end in (".dump", ".manifest"):
        (host.backup_dir / f"link-20250314-123456{end}").symlink_to(f"{base}{end}")
    assert names(catalog()) == [f"{base}.dump"]


def test_a_manifest_that_cannot_be_read_does_not_hide_the_others(host, catalog):
    spoilt = host.archive(created="2025-03-13T12:34:56Z")
    sound = host.archive(created="2025-03-14T12:34:56Z")
    (host.backup_dir / spoilt.replace(".dump", ".manifest")).chmod(0)
    assert names(catalog()) == [spoilt, sound]


def test_a_manifest_cut_short_does_not_run_into_the_next(host, catalog):
    cut = host.archive(created="2025-03-13T12:34:56Z")
    sound = host.archive(created="2025-03-14T12:34:56Z")
    (host.backup_dir / cut.replace(".dump", ".manifest")).write_text("format=1\ndatab")
    assert names(catalog()) == [cut, sound]


def test_the_client_reads_what_a_good_run_has_published(host, catalog):
    host.predeploy()
    (archive,) = parse(catalog()).archives
    assert (archive.name, archive.proof, archive.present_bytes) == (host.dumps()[0], "read", 13)


def test_many_archives_take_no_more_programs_than_one(host, catalog):
    host.script("ls", 'echo ls >>"$HOME/asked"; exec /bin/ls "$@"')
    host.script("awk", f'echo awk >>"$HOME/asked"; exec {host.tools}/awk "$@"')
    for day in range(10, 20):
        host.archive(created=f"2025-03-{day}T12:34:56Z")
    assert len(names(catalog())) == 10
    assert sorted((host.home / "asked").read_text().split()) == ["awk", "ls", "ls"]


def test_a_file_that_goes_at_this_moment_does_not_hide_the_others(host, catalog):
    name = host.archive()
    host.script("ls", '/bin/ls "$@"; case "$*" in */) exit 1 ;; esac')
    assert names(catalog()) == [name]


@KILLED
def test_a_listing_that_was_cut_is_not_taken_for_all_that_there_was(host, who):
    """The latest of what has come through may not be the latest that there is."""
    for day in range(10, 20):
        host.archive(created=f"2025-03-{day}T12:34:56Z")
    host.cut_listings(who)
    report = host.run(step("catalog"), task="history")
    assert report.code == 10
    assert "could not be read" in report.of("result")["reason"]
    assert not report.finished("catalog")


def test_without_awk_it_is_10_and_says_so(host):
    host.archive()
    host.without("awk")
    report = host.run(step("catalog"), task="history")
    assert report.code == 10
    assert "awk" in report.of("result")["reason"]


def test_under_a_lock_it_is_kept_for_a_client_that_comes_back(host):
    name = host.archive()
    lock, *_ = host.until_preflight(create=False)
    report = host.run(lock, step("catalog"), task="rotate")
    assert names(report.facts["catalog"]) == [name]
    assert f"archive={name}\n" in (host.backup_dir / "run.report").read_text()
