"""ssh_config means to us what it means to ssh: `ssh -G` is the judge."""

import functools
import itertools
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import fabric
import pytest
from fabric_predeploy.config.errors import ConfigurationError
from fabric_predeploy.config.settings import Settings
from fabric_predeploy.remote._ssh import ssh_config
from fabric_predeploy.remote._ssh.route import ways
from fabric_predeploy.remote._ssh.ssh_config import Reader
from fabric_predeploy.remote._ssh.ssh_config_lines import ConfigFile

needs_ssh = pytest.mark.skipif(not shutil.which("ssh"), reason="needs OpenSSH's client")
KEYWORDS = ["hostname", "port", "user", "proxyjump", "proxycommand", "hostkeyalias"]
KEYWORDS += ["identitiesonly", "userknownhostsfile", "certificatefile", "connecttimeout"]


@pytest.fixture
def config(tmp_path):
    """Write files, and name the first of them."""

    def write(text, **others):
        (tmp_path / "config").write_text(text.replace("HERE", str(tmp_path)))
        for name, content in others.items():
            (tmp_path / name).write_text(content.replace("HERE", str(tmp_path)))
        return tmp_path / "config"

    return write


def ours(path, host, user=None):
    return Reader([ConfigFile(path, path.parent)], user).lookup(host)


def of_ssh(path, host):
    command = ["ssh", "-G", "-F", path, "--", host]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    found = {"identityfile": [], "certificatefile": []}
    for line in done.stdout.splitlines():
        keyword, _, value = line.partition(" ")
        if keyword in found and isinstance(found[keyword], list):
            found[keyword].append(value)
        else:
            found[keyword] = value
    return found


@functools.cache
def defaults_of_ssh():
    found = of_ssh(os.devnull, "shop")
    return {**dict.fromkeys(KEYWORDS), **found}


CONFIGS = {
    "the first value wins": "Host *\n Port 1\nHost shop\n Port 2\n",
    "equals signs and quotes": 'Host shop\n Port=7\n User = "me"\n HostName "shop.example"\n',
    "comments": "# one\nHost shop # the shop\n  Port 23 # its port\n#Port 24\n",
    "patterns": "Host *.example !bad.example\n Port 5\nHost sh?p\n Port 6\n",
    "a pattern with brackets is no set of characters": "Host [sb]hop\n Port 5\n",
    "a comma is no end of a pattern": "Host shop,other\n Port 5\nHost other shop\n User x\n",
    "patterns of Host are in their own case": "Host SHOP\n Port 5\nHost Shop shop\n User x\n",
    "those of Match in any": "Match host SHOP\n Port 5\nMatch originalhost Sho?\n User x\n",
    "its users in their own": "User me\nMatch user ME\n Port 5\nMatch user !ME,m*\n Port 6\n",
    "a Match sees the name in full": "HostName %h.example\nMatch !host shop.example\n Port 4\n",
    "a per cent sign in a name": 'HostName a%%lo\nMatch exec "test %h = a%lo"\n Port 4\n'
    "Match final\n User me\n",
    "one reading where nobody asks for two": "Match !host shop\n Port 5\nMatch host shop\n"
    " HostName s.example\n",
    "two readings, as somebody asks for them": "Match !host shop\n Port 5\nMatch host shop\n"
    " HostName s.example\nMatch final host x\n User x\nMatch canonical\n ProxyJump a\n",
    "true for yes": "CanonicalizeHostname true\nMatch canonical\n Port 5\n",
    "a time of several units": "ConnectTimeout 1m30s\n",
    "a time of hours and minutes": "Host shop\n ConnectTimeout 1h1M\n",
    "Match": "Match host shop\n Port 5\nMatch originalhost other\n Port 6\n",
    "Match by the name that HostName gave": "Host shop\n HostName s.example\n"
    "Match host s.example\n Port 9\n",
    "Match of several": "Match originalhost shop,other user nobody\n Port 1\nMatch all\n Port 2\n",
    "Match that is negated": "Match !host shop\n Port 1\nMatch !host other\n Port 2\n",
    "Match exec": 'Match exec "test %n = shop"\n Port 3\nMatch !exec "true"\n Port 4\n',
    "Match final": "Match final host shop\n Port 3\nHost shop\n User me\n",
    "names are made canonical": "CanonicalizeHostname yes\nHost shop\n HostName s.example\n"
    "Host s.example\n Port 5\nMatch canonical\n User me\n",
    "Match of a user": "Host shop\n User deploy\nMatch user deploy\n Port 3\n",
    "words in any case": "HOST shop\n PORT 5\n hOsTnAmE s.example\nMATCH HOST s.example\n USER x\n",
    "ProxyJump none first": "Host shop\n ProxyJump none\nHost *\n ProxyJump bastion\n",
    "ProxyJump none before a ProxyCommand": "Host shop\n ProxyJump none\n ProxyCommand nc %h %p\n",
    "ProxyCommand none first": "Host shop\n ProxyCommand none\nHost *\n ProxyCommand nc %h %p\n",
    "ProxyCommand before ProxyJump": "Host shop\n ProxyCommand nc x 1\n ProxyJump bastion\n",
    "ProxyJump before ProxyCommand": "Host *\n ProxyJump bastion\n ProxyCommand nc x 1\n",
    "a token in HostName": "Host shop\n HostName %h.example\n",
    "files": "Host shop\n IdentityFile ~/a\n CertificateFile ~/a-cert.pub\nHost *\n"
    ' IdentityFile "~/b c"\n IdentitiesOnly yes\n CertificateFile ~/c\n IdentityFile ~/a\n',
    "known hosts": "Host shop\n UserKnownHostsFile ~/one ~/two\n HostKeyAlias s\n",
    "a time in minutes": "Host shop\n ConnectTimeout 2m\n",
    "tabs, and no last line break": "Host\tshop\n\tPort\t9",
    "Include": "Include HERE/more\nHost shop\n Port 2\n",
    "Include of a pattern": "Include HERE/mor*\nPort 7\n",
    "Include of several": 'Include HERE/none "HERE/more" HERE/second\n',
    "Include below Host": "Host shop\n Include HERE/more\nPort 8\nHost other\n Include HERE/more\n",
    "Include below another Host": "Host other\n Include HERE/more\n Port 9\nHost *\n User z\n",
    "Include below Match": "Match originalhost shop\n Include HERE/more\n Port 8\n",
    "Include that ends below its own Host": "Include HERE/more\nUser here\n",
    "Include in an Include": "Host sh*\n Include HERE/second\n User here\n",
    "Include of what is not there": "Include HERE/not_there /not/there/*\nHost shop\n Port 3\n",
}
MORE = "User of_more\nHost shop\n Port 4\n ProxyJump a,b\nHost other\n Port 5\n"
SECOND = "Include HERE/more\nHost *p\n HostName second.example\n"


@needs_ssh
@pytest.mark.parametrize("text", CONFIGS.values(), ids=CONFIGS)
def test_what_a_file_says_is_what_ssh_takes_it_to_say(config, text):
    path = config(text, more=MORE, second=SECOND)
    for host in ("shop", "other", "b.example", "bad.example"):
        said_alike(path, host, ours(path, host))


def said_alike(path, host, said):
    expected, defaults = of_ssh(path, host), defaults_of_ssh()
    for keyword in KEYWORDS:
        if keyword in said and said[keyword] not in ("none", []):
            value = said[keyword]
            if "known" in keyword:
                value = value.replace("'", "").replace("~", str(Path.home()))
            assert value == expected.get(keyword), (host, keyword)
        else:
            assert expected.get(keyword) == defaults.get(keyword, host), (host, keyword)
    if "identityfile" in said:
        assert said["identityfile"] == expected["identityfile"]


def test_a_relative_include_begins_in_the_directory_of_ssh(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh/conf.d").mkdir(parents=True)
    (tmp_path / ".ssh/config").write_text("Include conf.d/*.conf\nInclude ~/more\n")
    (tmp_path / ".ssh/conf.d/one.conf").write_text("Host shop\n  Port 7\n")
    (tmp_path / "more").write_text("Host shop\n  User me\n")
    said = way("shop").connection
    assert (said.port, said.user) == (7, "me")


def settings(**given):
    return Settings(profile="test", db_name="shop", db_user="shop", **given)


def way(host, **given):
    """The last hop, by the files of this HOME."""
    config = fabric.Config(system_ssh_path="/nonexistent")
    return ways(settings(ssh_host=host, **given), config)[-1]


def test_the_user_that_is_set_is_the_one_that_match_asks_for(config):
    path = config("Match user deploy\n  Port 7\n")
    assert ours(path, "shop", "deploy")["port"] == "7"
    assert "port" not in ours(path, "shop", "other")


def test_an_include_that_leads_back_is_named(config):
    with pytest.raises(ConfigurationError, match="included by itself"):
        ours(config("Include HERE/config\n"), "shop")


@needs_ssh
def test_ssh_is_asked_where_a_match_is_beyond_us(config):
    path = config("Host shop\n  User me\nMatch localnetwork 0.0.0.0/0\n  Port 77\n")
    asked = subprocess.run(["ssh", "-G", "-F", path, "x"], capture_output=True, check=False)
    if asked.returncode:
        pytest.skip("an older ssh")
    assert ours(path, "shop")["port"] == of_ssh(path, "shop")["port"]


def test_a_match_that_nobody_can_decide_is_named(config, monkeypatch):
    path = config("Match host other localnetwork 10.0.0.0/8\n  Port 5\nMatch version 99\n Port 6\n")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError, match=r"Match version 99.*no ssh client"):
        ours(path, "shop")


def test_what_no_token_is_is_said_before_anything_is_contacted(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text("Host shop\n  HostName %q\n")
    with pytest.raises(ConfigurationError, match="%q, which is no token"):
        way("shop")


def test_tokens_stand_for_what_they_stand_for_to_ssh(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    text = "Host shop\n HostName s.example\n Port 7\n HostKeyAlias key\n"
    (tmp_path / ".ssh/config").write_text(text)
    tokens = way("shop", ssh_user="deploy").tokens
    told = {name: tokens[name] for name in "hnkprd%"}
    assert told == {
        "h": "s.example",
        "n": "shop",
        "k": "key",
        "p": "7",
        "r": "deploy",
        "d": str(tmp_path),
        "%": "%",
    }
    assert tokens["u"] == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize(
    ("jumps", "expected"),
    [
        ("one", ["one:22"]),
        ("one,two:5", ["one:22", "two:5"]),
        ("me@one:4,two", ["one:4", "two:22"]),
        ("ssh://me@one:4,[::1]:6", ["one:4", "::1:6"]),
        ("none", []),
        ("with_a_jump", ["far:22", "with_a_jump:22"]),
        ("itself", ["itself:22"]),
    ],
)
def test_jump_hosts_are_met_in_the_order_in_which_they_stand(
    monkeypatch, tmp_path, jumps, expected
):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text(
        f"Host shop\n ProxyJump {jumps}\nHost with_a_jump\n ProxyJump far\nHost itself\n"
        " ProxyJump itself\n"
    )
    config = fabric.Config(system_ssh_path="/nonexistent")
    hops = [each.connection for each in ways(settings(ssh_host="shop"), config)]
    assert [f"{hop.host}:{hop.port}" for hop in hops[:-1]] == expected
    for before, behind in itertools.pairwise(hops):
        assert behind.gateway is before
    assert hops[0].gateway is False or hops[0].gateway is None


def test_an_object_that_was_given_to_fabric_is_asked_and_no_file(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text("Host shop\n  Port 7\n")
    given = ssh_config.paramiko.SSHConfig.from_text("Host shop\n  Port 9\n")
    config = fabric.Config(ssh_config=given)
    assert ways(settings(ssh_host="shop"), config)[-1].connection.port == 9


def test_a_file_that_may_not_be_read_is_named(config, monkeypatch):
    path = config("Include HERE/more\n", more="")

    def refused(self, **_):
        if self.name == "more":
            raise PermissionError(13, "Permission denied")
        return "Include " + str(self.parent / "more")

    monkeypatch.setattr(Path, "read_text", refused)
    with pytest.raises(ConfigurationError, match="more cannot be read: Permission denied"):
        ours(path, "shop")
