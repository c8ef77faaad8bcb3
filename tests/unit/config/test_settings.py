"""What `load` makes of command line, environment, profile, .env and defaults."""

import dataclasses
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fabric_predeploy.config.errors import ConfigurationError
from fabric_predeploy.config.loading import load
from fabric_predeploy.config.parsers import one_line
from fabric_predeploy.config.settings import SECRET_VARIABLES, SPECS, VARIABLES, Settings
from fabric_predeploy.config.spec import Flag, Spec, setting
from hypothesis import given
from hypothesis import strategies as st

DATABASE = {"DB_NAME": "shop", "DB_USER": "owner"}
PASSWORD = "p'w $HOME; x"
KNOWN_HOST = "[ssh.example]:18765 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDemo0Demo0Demo0Demo0Demo0"


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings for `web1`, which has no profile, with these variables in the environment."""

    def build(overrides: Mapping[str, str] | None = None, /, **environ: str) -> Settings:
        return load("web1", overrides, environ={**DATABASE, **environ}, directory=tmp_path)

    return build


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[..., str]:
    def refused(overrides: Mapping[str, str] | None = None, /, **environ: str) -> str:
        with pytest.raises(ConfigurationError) as caught:
            load("web1", overrides, environ={**DATABASE, **environ}, directory=tmp_path)
        assert caught.value.code == 2
        return str(caught.value)

    return refused


def test_an_ordinary_host_needs_only_a_database(settings: Callable[..., Settings]) -> None:
    assert settings() == Settings(
        profile="web1", ssh_host="web1", db_name="shop", db_user="owner", version="unversioned"
    )


def test_the_defaults_are_those_of_the_documentation(settings: Callable[..., Settings]) -> None:
    found = settings()
    assert (found.db_host, found.db_port) == ("localhost", 5432)
    assert found.backup_dir == "~/backups/postgres/pre-deployment"
    assert (found.max_backups, found.project, found.proof) == (5, "pricehawk", "auto")
    assert (found.lock_timeout_seconds, found.lock_wait_seconds) == (30, 0)
    assert found.sources["MAX_BACKUPS"] == "default"


def test_every_field_that_can_be_set_has_one_variable() -> None:
    fields = {field.name for field in dataclasses.fields(Settings)}
    assert (
        len(set(VARIABLES))
        == len(VARIABLES)
        == len(fields - {"git_commit", "sources", "version_note"})
    )


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.variable)
def test_the_help_names_each_word_that_a_setting_may_be(spec: Spec) -> None:
    words = [] if not isinstance(spec.parse, partial) else spec.parse.args
    for word in filter(lambda word: isinstance(word, str), words):
        assert f"`{word}`" in spec.help
        assert not spec.flag.help or word in spec.flag.help


@pytest.mark.parametrize(
    "more", [{"flag": Flag("--token", ("predeploy",))}, {"there": True}, {"default": "hunter2"}]
)
def test_a_secret_can_be_in_no_command_line_no_page_and_no_script(more: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="PING_TOKEN is a secret"):
        setting("PING_TOKEN", one_line, **{"default": None, "secret": True, **more})


@given(levels=st.sets(st.sampled_from(["--keep", "environment", "config/p.env", ".env"])))
def test_the_command_line_beats_environment_beats_profile_beats_dotenv_beats_default(
    levels: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("project")
    values = {"--keep": "11", "environment": "12", "config/p.env": "13", ".env": "14"}
    text = {level: values[level] if level in levels else "" for level in values}
    (directory / "config").mkdir()
    (directory / "config/p.env").write_text(f"MAX_BACKUPS={text['config/p.env']}\n")
    (directory / ".env").write_text(f"MAX_BACKUPS={text['.env']}\n")

    found = load(
        "p",
        {"MAX_BACKUPS": text["--keep"]},
        environ={**DATABASE, "MAX_BACKUPS": text["environment"]},
        directory=directory,
    )

    winner = next((level for level in values if level in levels), None)
    assert found.max_backups == int(values[winner] if winner else 5)
    assert found.sources["MAX_BACKUPS"] == (winner or "default")


def test_an_empty_string_is_not_set(settings: Callable[..., Settings]) -> None:
    found = settings({"BACKUP_VERSION": ""}, DB_PASSWORD="", SSH_PRIVATE_KEY="", DB_PORT="")
    assert (found.db_password, found.ssh_private_key, found.db_port) == (None, None, 5432)


@pytest.mark.parametrize("variable", ["DB_NAME", "DB_USER"])
def test_a_missing_database_or_user_is_refused_by_name(
    variable: str, refusal: Callable[..., str]
) -> None:
    assert f"{variable} is not set" in refusal(**{variable: ""})


def test_all_problems_are_reported_at_once_each_with_value_and_source(
    tmp_path: Path, refusal: Callable[..., str]
) -> None:
    (tmp_path / ".env").write_text("BACKUP_PROOF=proven\n")
    message = refusal({"MAX_BACKUPS": "0"}, DB_PORT="http", DB_NAME="")
    assert "nothing was contacted" in message
    assert "MAX_BACKUPS = '0' (from --keep) must be a whole number from 1" in message
    assert "DB_PORT = 'http' (from environment)" in message
    expected = "BACKUP_PROOF = 'proven' (from .env) must be auto, written, read, restored or equal"
    assert expected in message
    assert "DB_NAME is not set" in message


@pytest.mark.parametrize(
    ("variable", "flag"),
    [
        ("MAX_BACKUPS", "--keep"),
        ("BACKUP_VERSION", "--version"),
        ("BACKUP_PROOF", "--proof"),
        ("BACKUP_LOCK_TIMEOUT", "--lock-timeout"),
        ("BACKUP_LOCK_WAIT", "--lock-wait"),
        ("SSH_USER", "-H"),
        ("SSH_PORT", "-H"),
    ],
)
def test_a_wrong_flag_is_called_what_the_person_typed(
    variable: str, flag: str, refusal: Callable[..., str]
) -> None:
    assert f"{variable} = '-no such' (from {flag})" in refusal({variable: "-no such"})


@pytest.mark.parametrize("value", ["0", "-1", "abc", "1.5", "٣", "1_0", " 5", "+5", "9" * 5000])
def test_a_nonsensical_number_of_backups_is_refused(
    value: str, refusal: Callable[..., str]
) -> None:
    assert "MAX_BACKUPS" in refusal(MAX_BACKUPS=value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BACKUP_KEEP_DAYS", "0"),
        ("BACKUP_KEEP_DAILY", "-3"),
        ("BACKUP_KEEP_WEEKLY", "two"),
        ("BACKUP_KEEP_MONTHLY", "0"),
        ("SSH_PORT", "0"),
        ("DB_PORT", "65536"),
        ("BACKUP_LOCK_TIMEOUT", "0"),
        ("BACKUP_LOCK_TIMEOUT", "86401"),
        ("BACKUP_LOCK_WAIT", "-1"),
        ("BACKUP_COMPRESS", "zstd:23"),
        ("BACKUP_COMPRESS", "gzip:0"),
        ("BACKUP_COMPRESS", "lz4"),
        ("BACKUP_PROJECT", "p" * 51),
        ("SSH_HOST", "-oProxyCommand=x"),
        ("SSH_HOST", "a b"),
        ("SSH_USER", "-l"),
        ("SSH_USER", "me;reboot"),
        ("DB_NAME", "shop\nevil"),
        ("DB_NAME", "shop\x1b[2J"),
        ("DB_NAME", "shop\udcff"),
        ("DB_HOST", "a\u2028b"),
        ("BACKUP_DIR", "x" * 4097),
        ("BACKUP_DIR", "/"),
        ("BACKUP_DIR", "//./"),
        ("BACKUP_DIR", "~/a/../../b"),
        ("BACKUP_DIR", "~alice/backups"),
        ("DB_BIN_DIR", "~postgres/bin"),
        ("SSH_KNOWN_HOSTS", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDemoDemoDemo"),
        ("SSH_KNOWN_HOSTS", "# [h] ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDemo"),
        ("SSH_KEY_FILE", "/no/such/key"),
        ("SSH_KEY_FILE", "~no-such-user/key"),
        ("SSH_KEY_FILE", "."),
        ("SSH_KNOWN_HOSTS_FILE", "/no/such/known_hosts"),
    ],
)
def test_bad_input_is_refused_by_name(
    variable: str, value: str, refusal: Callable[..., str]
) -> None:
    message = refusal(**{variable: value})
    assert f"{variable} = " in message
    assert "(from environment) must" in message or "(from environment) names" in message


def test_a_message_stays_on_its_line_whatever_the_value_holds(refusal: Callable[..., str]) -> None:
    message = refusal(DB_NAME="x\n  - all is well\x1b[2J", BACKUP_DIR="/" + "x" * 9000)
    assert len(message.splitlines()) == 3
    assert "\x1b" not in message
    assert len(message) < 400


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("~", "~"),
        ("~/", "~"),
        ("~/x/", "~/x"),
        ("/var/back ups/ö'\";$(x)", "/var/back ups/ö'\";$(x)"),
        ("backups/postgres", "~/backups/postgres"),
        ("./-x", "~/-x"),
        ("-x", "~/-x"),
        ("./~alice", "~/~alice"),
        ("/a~b//c/./d", "/a~b/c/d"),
    ],
)
def test_a_backup_directory_is_absolute_or_below_the_remote_home(
    value: str, meaning: str, settings: Callable[..., Settings]
) -> None:
    assert settings(BACKUP_DIR=value).backup_dir == meaning


@pytest.mark.parametrize("name", ["a b", "sh'op\"", "x;drop", "Prüfung", "$(id)", "-d", "a=b", "~"])
def test_a_database_may_have_any_name_of_one_line(
    name: str, settings: Callable[..., Settings]
) -> None:
    assert settings(DB_NAME=name).db_name == name


@pytest.mark.parametrize(
    ("variable", "value", "field"),
    [
        ("BACKUP_COMPRESS", "zstd:22", "compress"),
        ("BACKUP_COMPRESS", "gzip:9", "compress"),
        ("BACKUP_COMPRESS", "none", "compress"),
        ("BACKUP_PROOF", "written", "proof"),
        ("SSH_HOST", "fe80::1%eth0", "ssh_host"),
        ("SSH_HOST", "xn--bcher-kva.example.", "ssh_host"),
        ("SSH_USER", "u1234-abcd", "ssh_user"),
        ("SSH_USER", "CORP\\deploy", "ssh_user"),
        ("SSH_KNOWN_HOSTS", f"# a comment\r\n{KNOWN_HOST} me@here\r\n", "ssh_known_hosts"),
        ("SSH_KNOWN_HOSTS", f"@cert-authority {KNOWN_HOST}", "ssh_known_hosts"),
        ("DB_PASSWORD", PASSWORD, "db_password"),
    ],
)
def test_good_input_arrives_as_it_is(
    variable: str, value: str, field: str, settings: Callable[..., Settings]
) -> None:
    assert getattr(settings(**{variable: value}), field) == value


def test_numbers_arrive_as_numbers(settings: Callable[..., Settings]) -> None:
    found = settings(SSH_PORT="65535", BACKUP_KEEP_DAILY="7", BACKUP_LOCK_WAIT="0", MAX_BACKUPS="1")
    assert (found.ssh_port, found.keep_daily) == (65535, 7)
    assert (found.lock_wait_seconds, found.max_backups) == (0, 1)


def test_a_key_file_is_found_from_the_working_directory(
    tmp_path: Path, settings: Callable[..., Settings]
) -> None:
    (tmp_path / "deploy_key").touch()
    assert settings(SSH_KEY_FILE="deploy_key").ssh_key_file == tmp_path / "deploy_key"


def test_a_key_file_is_found_in_the_local_home(
    tmp_path: Path, settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings(SSH_KEY_FILE="~/key").ssh_key_file == tmp_path / "key"


@pytest.fixture
def unprivileged_directory() -> Iterator[Path]:
    """A directory, and no right to read what is closed in it: root, too, becomes nobody."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        (directory / "key").touch(mode=0o000)
        root = os.geteuid() == 0
        if root:
            os.setresuid(65534, 65534, 0)
        yield directory
        if root:
            os.setresuid(0, 0, 0)


def test_a_key_file_that_may_not_be_read_is_refused(unprivileged_directory: Path) -> None:
    environ = {**DATABASE, "SSH_KEY_FILE": "key"}
    with pytest.raises(ConfigurationError, match=r"SSH_KEY_FILE = 'key' .* permission is denied"):
        load("web1", environ=environ, directory=unprivileged_directory)


def test_key_text_from_ci_beats_the_key_file_of_the_profile_which_need_not_exist(
    tmp_path: Path, settings: Callable[..., Settings]
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/web1.env").write_text("SSH_KEY_FILE=~/.ssh/not_on_this_machine\n")
    found = settings(SSH_PRIVATE_KEY="key text")
    assert (found.ssh_private_key, found.ssh_key_file) == ("key text", None)


def test_a_key_file_in_the_environment_beats_key_text_in_dotenv(
    tmp_path: Path, settings: Callable[..., Settings]
) -> None:
    (tmp_path / ".env").write_text("SSH_PRIVATE_KEY='key text'\n")
    (tmp_path / "key").touch()
    found = settings(SSH_KEY_FILE="key")
    assert (found.ssh_private_key, found.ssh_key_file) == (None, tmp_path / "key")


@pytest.mark.parametrize(
    ("text", "file"),
    [("SSH_PRIVATE_KEY", "SSH_KEY_FILE"), ("SSH_KNOWN_HOSTS", "SSH_KNOWN_HOSTS_FILE")],
)
def test_text_and_file_from_the_same_place_are_refused(
    text: str, file: str, tmp_path: Path, refusal: Callable[..., str]
) -> None:
    (tmp_path / "file").touch()
    message = refusal(**{text: KNOWN_HOST, file: "file"})
    assert f"{text} and {file} are both set (from environment)" in message


@pytest.mark.parametrize("variable", sorted(SECRET_VARIABLES))
def test_a_refused_secret_is_named_but_not_shown(
    variable: str, refusal: Callable[..., str]
) -> None:
    message = refusal(**{variable: "hunter2\n\udcff"})
    assert f"{variable} (from environment) must be" in message
    assert "hunter2" not in message


def test_a_line_break_at_the_end_of_a_pasted_password_is_explained(
    refusal: Callable[..., str],
) -> None:
    assert "ends with a line break" in refusal(DB_PASSWORD="hunter2\n")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSH_KEY_FILE", "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2"),
        ("DB_PORT", "postgres://owner:hunter2@localhost/shop"),
    ],
)
def test_a_secret_in_the_wrong_variable_is_not_shown(
    variable: str, value: str, refusal: Callable[..., str]
) -> None:
    message = refusal(**{variable: value})
    assert variable in message
    assert "hunter2" not in message


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example.com"])
def test_a_host_name_that_cannot_be_looked_up_is_told_before(
    refusal: Callable[..., str], host: str
) -> None:
    assert "SSH_HOST" in refusal(SSH_HOST=host)


def test_secrets_are_absent_from_the_representation(
    settings: Callable[..., Settings],
) -> None:
    found = settings(DB_PASSWORD="hunter2", SSH_PRIVATE_KEY="hunter3", SSH_KEY_PASSPHRASE="hunter4")
    assert "hunter" not in repr(found)
    assert "hunter" not in str(found.sources)


def test_settings_cannot_be_changed(settings: Callable[..., Settings]) -> None:
    found = settings()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.max_backups = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        found.sources["MAX_BACKUPS"] = "nowhere"  # type: ignore[index]


def test_a_setting_that_does_not_exist_cannot_come_from_the_command_line(
    settings: Callable[..., Settings],
) -> None:
    with pytest.raises(ValueError, match="MAX_BACKUP"):
        settings({"MAX_BACKUP": "3"})


def test_what_the_process_has_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in {**DATABASE, "PREDEPLOY_HOST": "web9"}.items():
        monkeypatch.setenv(variable, value)
    assert load(None).ssh_host == "web9"


def test_importing_the_configuration_loads_nothing_heavy() -> None:
    heavy = {"dotenv", "fabric", "paramiko", "cryptography"}
    code = f"import sys, fabric_predeploy.config; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"
