"""The form of CHANGELOG.md is that of https://keepachangelog.com/en/1.1.0/."""

import re
from datetime import date

from tests.pages import ROOT
from tests.unit.house.test_package import VERSION

TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
HEAD, *RELEASES = re.split(r"(?m)^## ", TEXT)


def kinds(release):
    """Each kind of change, with its lines."""
    _, *parts = re.split(r"(?m)^### ", release)
    return [(part.splitlines()[0], part.splitlines()[1:]) for part in parts]


def test_it_begins_with_what_it_is_and_with_what_is_not_released():
    assert HEAD.startswith("# Changelog\n\nAll notable changes")
    assert "https://keepachangelog.com/" in HEAD
    assert "https://semver.org/" in HEAD
    assert RELEASES[0].startswith("[Unreleased]\n")


def test_each_release_has_a_version_and_a_day_and_the_newest_is_first():
    released = []
    for release in RELEASES[1:]:
        heading = release.splitlines()[0]
        found = re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)", heading)
        assert found, heading
        version = tuple(map(int, found.groups()[:3]))
        released.append((date.fromisoformat(found[4]), version))
    assert released == sorted(set(released), reverse=True)
    assert all(version <= tuple(map(int, VERSION.split("."))) for _, version in released)


def test_changes_stand_in_the_kinds_that_the_form_knows_each_once_and_in_order():
    for release in RELEASES:
        names = [name for name, _ in kinds(release)]
        assert names
        assert names == [name for name in KINDS if name in names]


def test_each_change_is_a_line_of_a_list_that_ends_as_a_sentence_does():
    for release in RELEASES:
        for name, lines in kinds(release):
            blank, *changes = "\n".join(lines).rstrip().split("\n- ")
            assert blank == "", name
            assert changes, name
            for change in changes:
                assert re.search(r"[.)`]$", change), change
                assert all(line.startswith("  ") for line in change.splitlines()[1:]), change
