"""Profiles and .env: where they are found, how they are read, what they may not hold."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import fabric_predeploy.config
import pytest
from fabric_predeploy.config import secrecy
from fabric_predeploy.config.errors import ConfigurationError
from fabric_predeploy.config.loading import load
from fabric_predeploy.config.settings import SECRET_VARIABLES, VARIABLES, Settings
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(fabric_predeploy.config.__file__).resolve().parents[1]
SITEGROUND = (ROOT / "config/siteground.env").read_text()
DATABASE = "DB_NAME=shop\nDB_USER=owner\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return path

    return put


def settings(directory: Path, profile: str | None = "shop", **environ: str) -> Settings:
    return load(profile, environ=environ, directory=directory)


def refusal(directory: Path, profile: str | None = "shop", **environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        settings(directory, profile, **environ)
    assert caught.value.code == 2
    return str(caught.value)


Write = Callable[[str, str], Path]


def test_a_profile_is_found_in_the_working_directory(tmp_path: Path, write: Write) -> None:
    write("config/shop.env", DATABASE + "SSH_HOST=ssh.example.org\nSSH_PORT=2222\n")
    found = settings(tmp_path)
    assert (found.profile, found.ssh_host, found.ssh_port) == ("shop", "ssh.example.org", 2222)
    assert found.sources["SSH_PORT"] == "config/shop.env"


def test_a_profile_of_the_working_directory_hides_the_shipped_one(
    tmp_path: Path, write: Write
) -> None:
    write("config/siteground.env", DATABASE)
    assert settings(tmp_path, "siteground").db_name == "shop"


def test_the_shipped_profile_loads_from_anywhere(tmp_path: Path) -> None:
    found = settings(tmp_path, "siteground", SSH_HOST="ssh.example.org")
    assert found.ssh_port == 18765
    assert found.sources["DB_NAME"] == str(ROOT / "config/siteground.env")


def test_the_shipped_profile_is_refused_until_it_is_filled_in(tmp_path: Path, write: Write) -> None:
    assert "only an example: copy it" in refusal(tmp_path, "siteground")
    write("config/shop.env", SITEGROUND)
    assert "config/shop.env is only an example" in refusal(tmp_path)


def test_a_name_without_profile_is_an_ordinary_host(tmp_path: Path, write: Write) -> None:
    write(".env", DATABASE)
    found = settings(tmp_path, "web1.example.com")
    assert found.ssh_host == "web1.example.com"
    assert found.sources["SSH_HOST"] == "-H"


def test_an_unknown_profile_is_explained_with_what_there_is(tmp_path: Path, write: Write) -> None:
    write("config/shop.env", DATABASE)
    message = refusal(tmp_path, "shpo")
    assert "DB_NAME is not set" in message
    assert "no profile 'shpo' (profiles: shop, siteground;" in message
    assert str(tmp_path / "config/shpo.env") in message


def test_without_any_host_one_is_asked_for(tmp_path: Path) -> None:
    message = refusal(tmp_path, None)
    assert "-H" in message
    assert "PREDEPLOY_HOST" in message
    assert "siteground" in message


def test_the_profile_may_be_named_in_the_environment_or_in_dotenv(
    tmp_path: Path, write: Write
) -> None:
    write("config/shop.env", DATABASE)
    write("config/other.env", DATABASE)
    write(".env", "PREDEPLOY_HOST=other\n")
    assert settings(tmp_path, None).profile == "other"
    assert settings(tmp_path, None, PREDEPLOY_HOST="shop").profile == "shop"
    assert settings(tmp_path, "other", PREDEPLOY_HOST="shop").profile == "other"


@pytest.mark.parametrize("name", ["../outside", "../../x", "/etc/passwd", ".", "..", "a\0b", "-x"])
def test_a_profile_name_never_leaves_the_profiles(name: str, tmp_path: Path, write: Write) -> None:
    write("outside.env", DATABASE)
    (tmp_path / "config").mkdir()
    assert "PREDEPLOY_HOST = " in refusal(tmp_path, name, DB_NAME="shop", DB_USER="owner")


def test_a_host_name_too_long_for_a_file_name_is_no_traceback(tmp_path: Path) -> None:
    name = ".".join(["ü" * 40] * 6)
    assert settings(tmp_path, name, DB_NAME="shop", DB_USER="owner").ssh_host == name


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        (
            "MAX_BACKUP=3",
            "unknown setting MAX_BACKUP in config/shop.env; did you mean MAX_BACKUPS?",
        ),
        ("max_backups=3", "did you mean MAX_BACKUPS?"),
        ("BACKUP_KEEP_DAYLY=3", "did you mean BACKUP_KEEP_DAILY?"),
        ("BACKUP_COLOUR=blue", "unknown setting BACKUP_COLOUR in config/shop.env"),
        ("PREDEPLOY_HOST=shop", "unknown setting PREDEPLOY_HOST"),
        ("COFFEE=black", "unknown setting COFFEE in config/shop.env\n"),
    ],
)
def test_an_unknown_setting_in_a_profile_is_refused(
    line: str, hint: str, tmp_path: Path, write: Write
) -> None:
    write("config/shop.env", f"{DATABASE}{line}\n")
    assert hint in refusal(tmp_path) + "\n"


def test_foreign_variables_in_dotenv_and_environment_are_fine(tmp_path: Path, write: Write) -> None:
    write(".env", DATABASE + "MAX_BACKUP=3\nDJANGO_SECRET=x\n")
    assert settings(tmp_path, COFFEE="black").max_backups == 5


@pytest.mark.parametrize("name", ["config/shop.env", ".env"])
@pytest.mark.parametrize(
    "line", ["SSH_PORT 22", "SSH_PORT", "DB_HOST='x", '="x"', "DB_HOST: hunter2"]
)
def test_a_line_that_makes_no_sense_is_named_by_file_and_number(
    name: str, line: str, tmp_path: Path, write: Write
) -> None:
    write(name, f"{DATABASE}\n# a comment\n\n{line}\n")
    message = refusal(tmp_path)
    assert f"{name} line 6 is not of the form NAME=value" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("name", ["config/shop.env", ".env"])
def test_a_file_that_is_not_utf_8_is_named_by_file_and_line(
    name: str, tmp_path: Path, write: Write
) -> None:
    write(name, DATABASE + "BACKUP_DIR=/b\udcfc\n")
    assert f"{name} line 3 is not UTF-8 text" in refusal(tmp_path)


def test_a_profile_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config/shop.env").mkdir(parents=True)
    assert "config/shop.env cannot be read: Is a directory" in refusal(tmp_path)


def test_a_dangling_dotenv_is_refused_even_when_no_host_is_given(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to("nowhere")
    assert ".env cannot be read: No such file" in refusal(tmp_path, None)


def test_a_virtual_environment_called_dotenv_is_no_settings_file(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert settings(tmp_path, DB_NAME="shop", DB_USER="owner").db_name == "shop"


def test_a_file_saved_by_a_windows_editor_is_read(tmp_path: Path, write: Write) -> None:
    write("config/shop.env", "\ufeff" + DATABASE.replace("\n", "\r\n"))
    assert settings(tmp_path).db_user == "owner"


def test_nothing_in_a_file_is_expanded(tmp_path: Path, write: Write) -> None:
    write(".env", DATABASE + "DB_PASSWORD='a$HOME ${DB_NAME} `id` #b'\n")
    assert settings(tmp_path).db_password == "a$HOME ${DB_NAME} `id` #b"


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1))
def test_any_password_in_single_quotes_survives_dotenv(
    tmp_path_factory: pytest.TempPathFactory, password: str
) -> None:
    directory = tmp_path_factory.mktemp("project")
    quoted = password.replace("\\", "\\\\").replace("'", "\\'")
    (directory / ".env").write_text(f"{DATABASE}DB_PASSWORD='{quoted}'\n", encoding="utf-8")
    assert settings(directory).db_password == password


def test_a_key_of_many_lines_may_stand_in_dotenv(tmp_path: Path, write: Write) -> None:
    key = "-----BEGIN X PRIVATE KEY-----\nabc=\n-----END X PRIVATE KEY-----\n"
    write(".env", f'{DATABASE}SSH_PRIVATE_KEY="{key}"\n')
    assert settings(tmp_path).ssh_private_key == key


LEAKS = {
    "DB_PASSWORD=hunter2": "DB_PASSWORD",
    "#DB_PASSWORD=hunter2": "DB_PASSWORD",
    "# export DB_PASSWORD = 'hunter2'": "DB_PASSWORD",
    "'DB_PASSWORD'=hunter2": "DB_PASSWORD",
    "DB_PASSWORD=#hunter2": "DB_PASSWORD",
    "SSH_KEY_PASSPHRASE=hunter2": "SSH_KEY_PASSPHRASE",
    'SSH_PRIVATE_KEY="hunter2"': "SSH_PRIVATE_KEY",
    "SSH_PRIVATE_KEY=-----BEGIN RSA PRIVATE KEY-----\nhunter2==": "SSH_PRIVATE_KEY",
    "SSH_KNOWN_HOSTS='-----BEGIN PRIVATE KEY-----\nhunter2'": "a private key",
    "# postgres://owner:hunter2@localhost/shop": "a password in a URL",
}


@pytest.mark.parametrize(("line", "leak"), LEAKS.items())
def test_a_profile_that_holds_a_secret_is_refused_without_showing_it(
    line: str, leak: str, tmp_path: Path, write: Write
) -> None:
    write("config/shop.env", f"{DATABASE}{line}\n")
    message = refusal(tmp_path)
    assert f"config/shop.env holds {leak}: a profile is committed" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    "line", ["DB_PASSWORD=", 'DB_PASSWORD=""', "#DB_PASSWORD=''", "# DB_PASSWORD: see the vault"]
)
def test_a_profile_may_mention_a_secret(line: str, tmp_path: Path, write: Write) -> None:
    write("config/shop.env", f"{DATABASE}{line}\n")
    assert settings(tmp_path).db_password is None


def committed_profiles() -> list[Path]:
    """What git tracks; in an unpacked release there is no git, and everything was committed."""
    listed = subprocess.run(
        ["git", "ls-files", "config/*.env"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    ).stdout.split()
    return sorted({*(ROOT / name for name in listed), *ROOT.glob("config/*.env")})


@pytest.mark.parametrize("path", committed_profiles(), ids=lambda path: path.name)
def test_no_committed_profile_holds_a_secret(path: Path) -> None:
    assert list(secrecy.leaks(path.read_text(encoding="utf-8"), SECRET_VARIABLES)) == []


def test_the_shipped_profile_is_among_those_checked_for_secrets() -> None:
    assert ROOT / "config/siteground.env" in committed_profiles()


def test_the_shipped_profile_mentions_every_variable() -> None:
    mentioned = set(re.findall(r"^#?\s?([A-Z_]+)=", SITEGROUND, re.MULTILINE))
    assert mentioned == set(VARIABLES)


def test_the_commented_settings_of_the_shipped_profile_are_the_defaults(
    tmp_path: Path, write: Write
) -> None:
    write("config/commented.env", SITEGROUND)
    write("config/uncommented.env", re.sub("(?m)^#(?=[A-Z_]+=)", "", SITEGROUND))
    commented, uncommented = (
        settings(tmp_path, name, PREDEPLOY_HOST="x", SSH_HOST="y")
        for name in ("commented", "uncommented")
    )
    assert {**vars(commented), "profile": "", "sources": ""} == {
        **vars(uncommented),
        "profile": "",
        "sources": "",
    }
    assert uncommented.sources["DB_PORT"] == "config/uncommented.env"


def test_the_example_of_dotenv_works_as_it_is(tmp_path: Path, write: Write) -> None:
    write(".env", (ROOT / ".env.example").read_text())
    assert settings(tmp_path, None, SSH_HOST="ssh.example.org").profile == "siteground"
