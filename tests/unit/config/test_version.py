"""The version in an archive's name: given, or git's."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fabric_predeploy.config import version
from fabric_predeploy.config.errors import ConfigurationError
from fabric_predeploy.config.loading import load
from fabric_predeploy.config.parsers import name_part, version_name
from fabric_predeploy.config.settings import Settings
from hypothesis import example, given
from hypothesis import strategies as st

ENVIRON = {"DB_NAME": "shop", "DB_USER": "owner"}


@pytest.fixture(autouse=True)
def _no_git_of_the_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., None]:
    """A repository with one commit."""

    def run(*arguments: str) -> None:
        identity = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
        subprocess.run(
            ["git", *identity, *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            timeout=30,
        )

    run("init")
    (tmp_path / "file").write_text("one")
    run("add", "file")
    run("commit", "-m", "one")
    return run


def settings(directory: Path, given: str = "") -> Settings:
    overrides = {"BACKUP_VERSION": given}
    return load("web1", overrides, environ=ENVIRON, directory=directory)


def test_a_given_version_is_taken_as_it_is(tmp_path: Path) -> None:
    found = settings(tmp_path, "v1.0.0-rc.1+build_7")
    assert found.version == "v1.0.0-rc.1+build_7"
    assert found.sources["BACKUP_VERSION"] == "--version"


def test_without_one_it_is_what_git_describes(tmp_path: Path, git: Callable[..., None]) -> None:
    git("tag", "v1.2.0")
    found = settings(tmp_path)
    assert found.version == "v1.2.0"
    assert found.sources["BACKUP_VERSION"] == "git describe"


def test_a_changed_working_tree_shows(tmp_path: Path, git: Callable[..., None]) -> None:
    git("tag", "v1.2.0")
    (tmp_path / "file").write_text("two")
    assert settings(tmp_path).version == "v1.2.0-dirty"


def test_without_a_tag_it_is_the_commit(tmp_path: Path, git: Callable[..., None]) -> None:
    found = settings(tmp_path)
    assert found.version
    assert found.git_commit
    assert found.git_commit.startswith(found.version)


def test_a_tag_that_fits_no_file_name_is_made_to_fit(
    tmp_path: Path, git: Callable[..., None]
) -> None:
    git("tag", "release/1.0;ü@" + "x" * 120)
    assert settings(tmp_path).version == "release-1.0-" + "x" * 86


def test_a_tag_that_begins_with_no_letter_loses_what_is_before_the_first(
    tmp_path: Path, git: Callable[..., None]
) -> None:
    git("tag", "_+v1")
    assert settings(tmp_path).version == "v1"


def test_the_commit_is_known_even_when_the_version_is_given(
    tmp_path: Path, git: Callable[..., None]
) -> None:
    assert re.fullmatch("[0-9a-f]{40}", settings(tmp_path, "v1").git_commit or "")


def test_outside_a_repository_it_is_unversioned_with_the_reason(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert (found.version, found.git_commit) == ("unversioned", None)
    assert "not a git repository" in found.version_note
    assert "give --version or BACKUP_VERSION" in found.version_note


def test_a_repository_without_commits_has_no_version(tmp_path: Path) -> None:
    subprocess.run(["git", "init"], cwd=tmp_path, check=True, capture_output=True, timeout=30)
    found = settings(tmp_path)
    assert (found.version, found.git_commit) == ("unversioned", None)


def test_a_machine_without_git_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in settings(tmp_path).version_note


def test_a_tag_of_which_nothing_is_left_is_no_version(
    tmp_path: Path, git: Callable[..., None]
) -> None:
    git("tag", "üß")
    assert settings(tmp_path).version == "unversioned"


def test_a_git_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(version, "TIMEOUT_SECONDS", 0.2)
    assert "timed out" in settings(tmp_path).version_note


def test_git_is_given_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook or a file system monitor that git starts would see what git sees."""
    spy = tmp_path / "git"
    spy.write_text(f"#!/bin/sh\nset >>{tmp_path}/seen\necho v1\n")
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    assert settings(tmp_path).version == "v1"
    seen = (tmp_path / "seen").read_text()
    assert "LC_ALL" in seen
    assert "hunter2" not in seen


@pytest.mark.parametrize(
    ("given_version", "name"),
    [
        ("release/2024.1", "release-2024.1"),
        ("feature/a//b", "feature-a-b"),
        ("../x", "x"),
        ("a;b", "a-b"),
        ("$(id)", "id"),
        ("a b ", "a-b"),
        (".hidden", "hidden"),
        ("v1'", "v1"),
        ("für Übung", "f-r-bung"),
        ("release/", "release"),
    ],
)
def test_a_version_is_made_fit_for_a_file_name_and_that_is_said(
    given_version: str, name: str, tmp_path: Path
) -> None:
    found = settings(tmp_path, given_version)
    assert found.version == name
    assert f"(from --version) is {name} in names" in found.version_note


@pytest.mark.parametrize("bad", ["a\nb", "a\n", "-rf", "ü", "///", "--", "x" * 300, "a\x1b[2Jb"])
def test_a_version_that_makes_no_sense_is_refused(bad: str, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"BACKUP_VERSION = .* \(from --version\)"
    ) as caught:
        settings(tmp_path, bad)
    assert caught.value.code == 2


@given(st.text(max_size=120))
@example("v1.0\n")
@example("v\N{FULLWIDTH DIGIT ONE}")
@example("-/..")
def test_whatever_becomes_of_a_version_is_a_name_part(text: str) -> None:
    try:
        name = version_name(text)
    except ValueError:
        return
    assert name_part(100)(name) == name
    assert version_name(name) == name


@given(st.text(max_size=120))
@example("v1.0\n")
@example("v\N{FULLWIDTH DIGIT ONE}")
def test_whatever_is_accepted_as_a_name_part_is_safe_everywhere(text: str) -> None:
    try:
        accepted = name_part(100)(text)
    except ValueError:
        return
    safe = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-")
    assert accepted == text
    assert set(accepted) <= safe
    assert accepted[0] not in "._+-"
    assert len(accepted) <= 100


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}", fullmatch=True))
def test_every_safe_name_part_is_accepted(text: str) -> None:
    assert name_part(100)(text) == text
