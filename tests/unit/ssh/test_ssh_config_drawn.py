"""Files that are drawn: `ssh -G` is the judge of what they say."""

import random

import pytest

from tests.unit.ssh.test_ssh_config import MORE, SECOND, config, needs_ssh, ours, said_alike

__all__ = ["config"]  # a fixture
VALUES = {
    "HostName": ["s.example", "%h.example", "a%%b", "10.0.0.1", "::1"],
    "Port": ["23", "65535"],
    "User": ["deploy", "me", '"a b"'],
    "ProxyJump": ["none", "bastion", "u@bastion:2200", "a,b", "[::1]:22"],
    "ProxyCommand": ["none", "nc %h %p", "exec nc '%h' \"%p\""],
    "HostKeyAlias": ["alias"],
    "IdentitiesOnly": ["yes", "no"],
    "IdentityFile": ["~/a", "~/%h_key", "'~/b c'", "/a/%u-%n"],
    "CertificateFile": ["~/c"],
    "ConnectTimeout": ["5", "2m", "1m30s"],
    "UserKnownHostsFile": ["~/one ~/two", "/dev/null"],
    "CanonicalizeHostname": ["yes", "no", "always"],
    "RemoteCommand": ["tmux attach"],
    "ControlPath": ["~/%C"],
    "SetEnv": ["A=b"],
}
PATTERNS = ["shop", "sh?p", "*", "!shop", "*.example", "sh*,other", "SHOP", "shop !other"]
PATTERNS += ["[sb]hop", "other shop", '"shop"', "* !*.example", "10.0.0.*"]
CRITERIA = ["all", "host shop", "originalhost SHOP", "user deploy", "!host shop", "host *.example"]
CRITERIA += ["exec true", 'exec "test %n = shop"', '!exec "false"', "user !me,*", "host !shop,*"]
CRITERIA += ["host shop,other user me", "localuser *", "localuser nobody", "!user me"]
CRITERIA += ["HOST=shop", "final", "canonical", "final host shop", "canonical all"]
CRITERIA += ["originalhost shop exec true"]
INCLUDES = ["HERE/more", "HERE/mor*", '"HERE/second"', "HERE/nothing HERE/more", "~/not/there/*"]


def line(drawn: random.Random) -> str:
    kind = drawn.choices(("value", "Host", "Match", "Include"), weights=(55, 20, 15, 10))[0]
    if kind != "value":
        choices = {"Host": PATTERNS, "Match": CRITERIA, "Include": INCLUDES}[kind]
        # A Match without a line below it wants a second reading, too; that is left to ssh.
        below = "\n Compression yes" if kind == "Match" else ""
        return f"{drawn.choice((kind, kind.upper()))} {drawn.choice(choices)}{below}"
    name = drawn.choice(list(VALUES))
    keyword = drawn.choice((name, name.lower(), name.upper()))
    between = drawn.choice((" ", "\t", "=", " = "))
    return f"{drawn.choice(('', ' '))}{keyword}{between}{drawn.choice(VALUES[name])}"


@needs_ssh
@pytest.mark.parametrize("seed", range(40))
def test_what_is_drawn_says_what_ssh_takes_it_to_say(config, seed):
    drawn = random.Random(seed)  # noqa: S311 - nothing secret
    text = "\n".join(line(drawn) for _ in range(drawn.randint(2, 10)))
    path = config(text, more=MORE, second=SECOND)
    for host in ("shop", "other", "a.example"):
        said_alike(path, host, ours(path, host))
