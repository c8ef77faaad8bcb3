"""What init writes reads back as what was given, and harms nothing that was there."""

import subprocess
from pathlib import Path

import pytest
from fabric_predeploy.config import project
from fabric_predeploy.config.errors import ConfigurationError
from fabric_predeploy.config.loading import load
from fabric_predeploy.config.profiles import draft
from fabric_predeploy.config.settings import SECRET_VARIABLES, VARIABLES

VALUES = {"SSH_HOST": "web1", "DB_NAME": "shop", "DB_USER": "owner"}
ODD = [
    'it\'s a "shop"; $(id) # ü',
    "'",
    "\\",
    "\\'",
    " blank ",
    "a=b",
    "#a",
    "a #b",
    "${HOME}",
    "%s",
]


@pytest.mark.parametrize("odd", ODD)
def test_a_value_may_be_anything_that_is_one_line(odd: str) -> None:
    values = {**VALUES, "DB_NAME": odd, "SSH_KNOWN_HOSTS": "[a]:22 ssh-rsa AAAA\nb ssh-rsa AAAA"}
    read = draft(project.profile_text("web", values), "x", VARIABLES, SECRET_VARIABLES)
    assert read.values == values
    assert read.problems == []


def test_what_is_not_given_is_commented_out() -> None:
    text = project.profile_text("web", VALUES)
    assert "\n#SSH_PORT=22\n" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_draft_is_judged_as_the_file_will_be(tmp_path: Path) -> None:
    values = {**VALUES, "DB_NAME": "postgres://me:secret@host/db"}
    with pytest.raises(ConfigurationError) as refused:
        load("web", draft=project.profile_text("web", values), environ={}, directory=tmp_path)
    assert "a password in a URL" in str(refused.value)
    assert "secret@" not in str(refused.value)
    settings = load(
        "web", draft=project.profile_text("web", VALUES), environ={}, directory=tmp_path
    )
    assert settings.ssh_host == "web1"
    assert settings.sources["DB_NAME"] == "config/web.env"


@pytest.mark.parametrize(
    ("directory", "name"),
    [("shop", "shop"), ("my shop (2)", "my-shop-2"), ("...", ""), ("ümlaut", "mlaut")],
)
def test_archives_are_named_after_the_directory(directory: str, name: str) -> None:
    assert project.project_name(Path("/srv", directory)) == name


def test_a_file_that_cannot_be_written_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        project.write(tmp_path / "config" / "web.env", "x")


def git(directory: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True)


def test_outside_of_git_nothing_is_ignored(tmp_path: Path) -> None:
    assert not project.ignore_dotenv(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, b".env\n"),
        (b"a", b"a\n.env\n"),
        (b"a\n", b"a\n.env\n"),
        (b".e*\n", b".e*\n"),
        (b"", b".env\n"),
        (b"gr\xf6\xdfe\r\n", b"gr\xf6\xdfe\r\n.env\n"),
    ],
)
def test_git_is_told_to_leave_dotenv_alone(
    tmp_path: Path, before: bytes | None, after: bytes
) -> None:
    git(tmp_path, "init", "--quiet")
    if before is not None:
        (tmp_path / ".gitignore").write_bytes(before)
    assert project.ignore_dotenv(tmp_path) == (before != after)
    assert (tmp_path / ".gitignore").read_bytes() == after
    assert not project.ignore_dotenv(tmp_path)


def test_the_fabfile_of_a_directory_above_is_found_as_fab_finds_it(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "fabfile").mkdir()
    (tmp_path / "fabfile" / "__init__.py").touch()
    assert project.fabfile(below) == tmp_path / "fabfile" / "__init__.py"
    (below / "fabfile.py").touch()
    assert project.fabfile(below) == below / "fabfile.py"
