"""SSH_HOST as people write it."""

import pytest
from fabric_predeploy.config.address import Address, address
from fabric_predeploy.config.errors import ConfigurationError
from fabric_predeploy.config.loading import load

REQUIRED = {"DB_NAME": "shop", "DB_USER": "shop"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web1", Address("web1")),
        ("web1:2222", Address("web1", None, 2222)),
        ("me@web1", Address("web1", "me")),
        ("me@web1:2222", Address("web1", "me", 2222)),
        ("CORP\\me@web1", Address("web1", "CORP\\me")),
        ("u@example.com@web1", Address("web1", "u@example.com")),
        ("::1", Address("::1")),
        ("[::1]", Address("::1")),
        ("[::1]:2222", Address("::1", None, 2222)),
        ("me@[2001:db8::1]:2222", Address("2001:db8::1", "me", 2222)),
        ("fe80::1%eth0", Address("fe80::1%eth0")),
        ("[10.0.0.1]:2222", Address("10.0.0.1", None, 2222)),
        ("ssh://web1", Address("web1")),
        ("ssh://me@web1:2222/", Address("web1", "me", 2222)),
        ("SSH://me@[::1]:2222", Address("::1", "me", 2222)),
    ],
)
def test_an_address_is_taken_apart(text, expected):
    assert address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "web1:",
        "web1:0",
        "web1:65536",
        "web1:ssh",
        "web1:22:23",
        "[::1]2222",
        "[::1",
        "::1]",
        "[]:22",
        "::1:22222",
        "me@",
        "-l@web1",
        "me:secret@web1",
        "https://web1",
        "ssh://web1/path",
        "ssh://",
        "me;reboot@web1",
        "web1 22",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ConfigurationError) as refused:
        load("shop", environ={**REQUIRED, "SSH_HOST": text})
    assert refused.value.code == 2
    assert "SSH_HOST = " in str(refused.value)
    assert "nothing was contacted" in str(refused.value)


def test_a_password_in_an_address_is_not_shown():
    with pytest.raises(ConfigurationError) as refused:
        load("shop", environ={**REQUIRED, "SSH_HOST": "ssh://me:Tr0ub4dor@web1"})
    assert "Tr0ub4dor" not in str(refused.value)


def loaded(directory, environ=None, overrides=None, profile="SSH_HOST=me@web1:2222\n"):
    (directory / "config").mkdir(exist_ok=True)
    (directory / "config/shop.env").write_text(profile + "DB_NAME=shop\nDB_USER=shop\n")
    found = load("shop", overrides, environ=environ or {}, directory=directory)
    return found.ssh_host, found.ssh_user, found.ssh_port


def test_user_and_port_may_stand_in_the_host(tmp_path):
    assert loaded(tmp_path) == ("web1", "me", 2222)


def test_what_a_higher_level_says_wins(tmp_path):
    assert loaded(tmp_path, {"SSH_PORT": "7"}) == ("web1", "me", 7)
    assert loaded(tmp_path, overrides={"SSH_USER": "other"}) == ("web1", "other", 2222)
    lower = "SSH_HOST=web0\nSSH_USER=other\nSSH_PORT=7\n"
    assert loaded(tmp_path, {"SSH_HOST": "me@web1:2222"}, profile=lower) == ("web1", "me", 2222)


def test_the_same_said_twice_is_said_once_and_something_else_is_refused(tmp_path):
    twice = "SSH_HOST=me@web1:2222\nSSH_USER=me\nSSH_PORT=2222\n"
    assert loaded(tmp_path, profile=twice) == ("web1", "me", 2222)
    with pytest.raises(ConfigurationError, match=r"SSH_PORT = '7' .* say different things"):
        loaded(tmp_path, profile="SSH_HOST=web1:2222\nSSH_PORT=7\n")
