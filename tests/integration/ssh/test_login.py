"""How one is let in: agents, certificates of users and hosts, second factors, odd addresses."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager

import pytest
from fabric_predeploy.config.errors import ConfigurationError
from fabric_predeploy.remote._ssh import channel, connection

from sandbox import sshd
from tests.integration.ssh.test_connection import (
    an_alias,
    caller,
    is_true_soon,
    logins,
    nobodys_home,
    refusal,
    says,
    settings,
)

__all__ = ["nobodys_home"]  # a fixture
pytestmark = pytest.mark.skipif(
    not (sshd.available() and shutil.which("ssh-agent")), reason="needs OpenSSH"
)


def run(*command, **options):
    words = [str(each) for each in command]
    return subprocess.run(words, check=True, capture_output=True, **options)


def a_key(file, kind="ed25519", passphrase=""):
    run("ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", file)
    return file


def public(file):
    return file.with_name(file.name + ".pub").read_text().strip()


def sign(authority, file, *options):
    """Make FILE-cert.pub, and return it."""
    run("ssh-keygen", "-q", "-s", authority, "-I", "an id", *options, f"{file}.pub")
    return file.with_name(f"{file.name}-cert.pub")


@contextmanager
def an_agent(directory, *keys):
    path = directory / f"agent-{len(list(directory.iterdir()))}"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    there = {**os.environ, "SSH_AUTH_SOCK": str(path)}

    def answers():
        """Its socket is there before it listens: ssh-add ends with 2 as long as it does not."""
        return subprocess.run(["ssh-add", "-l"], env=there, capture_output=True).returncode != 2  # noqa: PLW1510

    try:
        assert is_true_soon(answers)
        for key in keys:
            run("ssh-add", "-q", key, env=there)
        yield path
        connection.close_all()
    finally:
        agent.terminate()
        agent.wait()


@pytest.fixture(scope="module")
def server(ground):
    with sshd.openssh(ground, extra_config="MaxAuthTries 3") as running:
        yield running


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return a_key(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture(scope="module")
def trusting(ground, authority):
    """A server that lets in whom the authority vouches for, and no key by itself."""
    file = ground / "user_ca.pub"
    file.write_text(public(authority))
    extra = f"TrustedUserCAKeys {file}\nAuthorizedKeysFile none"
    with sshd.openssh(ground, extra_config=extra) as running:
        yield running


def keyless(server, **changes):
    return settings(server, ssh_private_key=None, **changes)


# More keys than one may try


def test_more_keys_in_the_agent_than_a_host_lets_one_try_is_said(server, tmp_path, monkeypatch):
    keys = [a_key(tmp_path / f"key{number}") for number in range(5)]
    with an_agent(tmp_path, *keys) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        message = refusal(keyless(server))
    assert "hung up after 3 keys: too many keys" in message
    assert "IdentitiesOnly yes" in message
    assert "SSH_KEY_FILE" in message


def test_the_key_that_ssh_config_names_is_tried_before_those_of_the_agent(
    server, tmp_path, monkeypatch
):
    keys = [a_key(tmp_path / f"key{number}") for number in range(5)]
    mine = tmp_path / "mine"
    mine.write_text(server.private_key)
    config = an_alias(server, tmp_path, f"IdentityFile {mine}")
    with an_agent(tmp_path, *keys) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        given = keyless(server, ssh_host="shop")
        assert channel.is_alive(connection.connect(given, caller(config)))


def test_identities_only_keeps_the_keys_of_the_agent_back(server, tmp_path, monkeypatch):
    keys = [a_key(tmp_path / f"key{number}") for number in range(5)]
    config = an_alias(server, tmp_path, f"IdentityFile {keys[0]}", "IdentitiesOnly yes")
    with an_agent(tmp_path, *keys) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        message = refusal(keyless(server, ssh_host="shop"), caller(config))
    assert f"tried: {keys[0]}" in message
    assert "too many" not in message


def test_a_key_of_the_agent_is_found_by_its_public_half(server, tmp_path, monkeypatch):
    """As people have it whose private keys are in a password manager."""
    mine = tmp_path / "mine"
    mine.write_text(server.private_key)
    mine.chmod(0o600)
    (tmp_path / "half.pub").write_bytes(run("ssh-keygen", "-y", "-f", mine).stdout)
    keys = [a_key(tmp_path / f"key{number}") for number in range(4)]
    config = an_alias(server, tmp_path, f"IdentityFile {tmp_path}/half.pub", "IdentitiesOnly yes")
    with an_agent(tmp_path, *keys, mine) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        given = keyless(server, ssh_host="shop")
        assert channel.is_alive(connection.connect(given, caller(config)))


def test_the_agent_that_ssh_config_names_is_asked(server, tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    mine.write_text(server.private_key)
    mine.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    with an_agent(tmp_path, mine) as path:
        config = an_alias(server, tmp_path, f"IdentityAgent ~/{path.name}")
        given = keyless(server, ssh_host="shop")
        assert channel.is_alive(connection.connect(given, caller(config)))
        config = an_alias(server, tmp_path, "IdentityAgent none")
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        assert "no key to offer" in refusal(given, caller(config))


def test_an_agent_that_does_not_answer_is_no_agent(server, tmp_path, monkeypatch):
    (tmp_path / "nobody").write_text("")
    for path in (tmp_path / "nobody", tmp_path / "not there", tmp_path / ("x" * 200)):
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        assert "no key to offer" in refusal(keyless(server))


def test_a_key_file_is_named_by_the_tokens_of_ssh(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / f"shop-key.example-{server.user}").write_text(server.private_key)
    config = an_alias(server, tmp_path, "HostKeyAlias key.example", "IdentityFile %d/%n-%k-%r")
    line = f"key.example {server.known_hosts_line.split(' ', 1)[1]}"
    given = keyless(server, ssh_host="shop", ssh_known_hosts=line)
    assert channel.is_alive(connection.connect(given, caller(config)))


def test_an_encrypted_key_of_ssh_config_is_named_as_such(server, tmp_path):
    key = a_key(tmp_path / "key", passphrase="a passphrase")
    config = an_alias(server, tmp_path, f"IdentityFile {key}")
    message = refusal(keyless(server, ssh_host="shop"), caller(config))
    assert f"{key} is encrypted, and SSH_KEY_PASSPHRASE is not set" in message


# Certificates of users


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_certificate_beside_the_key_file_is_shown(trusting, authority, tmp_path, kind):
    key = a_key(tmp_path / "key", kind)
    sign(authority, key, "-n", trusting.user)
    given = keyless(trusting, ssh_key_file=key)
    assert says(connection.connect(given, caller()), "echo in") == "in"


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("alone", [True, False])
def test_a_certificate_of_the_agent_is_shown(
    trusting, authority, tmp_path, monkeypatch, kind, alone
):
    key = a_key(tmp_path / "key", kind)
    certificate = sign(authority, key, "-n", trusting.user)
    with an_agent(tmp_path, key) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        if alone:  # as where a program has put only the certificate there
            rest = certificate.with_name("without.pub")
            rest.write_text(public(key))
            run("ssh-add", "-q", "-d", rest)
        assert channel.is_alive(connection.connect(keyless(trusting), caller()))


def test_a_certificate_by_the_environment_goes_with_the_key(trusting, authority, tmp_path):
    key = a_key(tmp_path / "key")
    certificate = sign(authority, key, "-n", trusting.user)
    given = settings(
        trusting, ssh_private_key=key.read_text(), ssh_certificate=certificate.read_text()
    )
    assert channel.is_alive(connection.connect(given, caller()))


@pytest.mark.parametrize("where", ["beside", "CertificateFile"])
def test_ssh_config_names_key_and_certificate(trusting, authority, tmp_path, where):
    key = a_key(tmp_path / "key")
    certificate = sign(authority, key, "-n", trusting.user)
    lines = [f"IdentityFile {key}"]
    if where != "beside":
        certificate = certificate.rename(tmp_path / "elsewhere.pub")
        lines.append(f"CertificateFile {certificate}")
    config = an_alias(trusting, tmp_path, *lines)
    given = keyless(trusting, ssh_host="shop")
    assert channel.is_alive(connection.connect(given, caller(config)))


def test_a_key_of_the_agent_shows_the_certificate_of_a_file(
    trusting, authority, tmp_path, monkeypatch
):
    key = a_key(tmp_path / "key")
    certificate = sign(authority, key, "-n", trusting.user).rename(tmp_path / "elsewhere.pub")
    config = an_alias(trusting, tmp_path, f"CertificateFile {certificate}")
    with an_agent(tmp_path, key) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        given = keyless(trusting, ssh_host="shop")
        assert channel.is_alive(connection.connect(given, caller(config)))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-n", "USER", "-V", "20200101:20200102"], "expired on 2020-01-02"),
        (["-n", "USER", "-V", "20990101:20990102"], "is valid from 2099-01-01"),
        (["-n", "root,other"], "is for root, other, not for USER"),
        ([], "names no user"),
        (["-h", "-n", "USER"], "is a certificate for a host"),
    ],
    ids=["expired", "not yet", "of others", "of nobody", "of a host"],
)
def test_why_a_certificate_does_not_count_is_said(trusting, authority, tmp_path, options, said):
    key = a_key(tmp_path / "key")
    sign(authority, key, *(each.replace("USER", trusting.user) for each in options))
    message = refusal(keyless(trusting, ssh_key_file=key))
    assert f"{key}-cert.pub {said.replace('USER', trusting.user)}" in message


def test_a_key_that_is_known_by_itself_needs_no_valid_certificate(server, authority, tmp_path):
    key = tmp_path / "key"
    key.write_text(server.private_key)
    key.chmod(0o600)
    (tmp_path / "key.pub").write_bytes(run("ssh-keygen", "-y", "-f", key).stdout)
    sign(authority, key, "-n", "somebody", "-V", "20200101:20200102")
    assert channel.is_alive(connection.connect(keyless(server, ssh_key_file=key), caller()))


def test_a_certificate_of_another_key_is_refused_before_any_contact(authority, tmp_path, server):
    certificate = sign(authority, a_key(tmp_path / "other"), "-n", "x")
    given = settings(server, ssh_port=1, ssh_certificate=certificate.read_text())
    with pytest.raises(ConfigurationError, match="SSH_CERTIFICATE is for another key than SSH_PRI"):
        connection.connect(given, caller())


def test_what_is_no_certificate_is_refused_before_any_contact(server, tmp_path):
    key = a_key(tmp_path / "key")
    for text, said in (
        (public(key), "holds a plain public key"),
        (key.read_text(), "holds a private key"),
        ("rubbish", "is not a certificate"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "is damaged"),
    ):
        with pytest.raises(ConfigurationError, match=f"SSH_CERTIFICATE {said}") as refused:
            connection.connect(settings(server, ssh_port=1, ssh_certificate=text), caller())
        assert key.read_text().splitlines()[2] not in str(refused.value)


# Certificates of hosts


@pytest.fixture(scope="module")
def certified(ground, authority, tmp_path_factory):
    """A server with a certificate for its ed25519 key, made with the options that are given."""

    @contextmanager
    def start(*options, signed_by=authority, certify="ed25519"):
        place = tmp_path_factory.mktemp("host")
        with sshd.openssh(ground) as probe:
            keys = {kind: probe.home.parents[1] / f"host_{kind}" for kind in ("ed25519", "rsa")}
            for kind, file in keys.items():
                shutil.copy(file, place / kind)
        key = place / certify
        key.chmod(0o600)
        (place / f"{certify}.pub").write_bytes(run("ssh-keygen", "-y", "-f", key).stdout)
        certificate = sign(signed_by, key, "-h", *options)
        extra = f"HostKey {key}\nHostCertificate {certificate}"
        place.chmod(0o755)
        with sshd.openssh(ground, extra_config=extra) as running:
            yield running

    return start


def vouching(authority, server, pattern=None):
    return f"@cert-authority {pattern or f'[{server.host}]:{server.port}'} {public(authority)}"


@pytest.mark.parametrize("certify", ["ed25519", "rsa"])
def test_a_host_is_believed_that_a_known_authority_vouches_for(certified, authority, certify):
    with certified("-n", "127.0.0.1,shop.example", certify=certify) as server:
        for pattern in (None, "127.0.0.*", "*"):
            line = vouching(authority, server, pattern)
            connected = connection.connect(settings(server, ssh_known_hosts=line), caller())
            assert says(connected, "echo in") == "in"
            connection.close_all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-n", "other.example"], "is for other.example, not for 127.0.0.1"),
        ([], "is for no host"),
        (["-n", "127.0.0.1", "-V", "20200101:20200102"], "expired on 2020-01-02"),
        (["-n", "127.0.0.1", "-V", "20990101:20990102"], "is valid from 2099-01-01"),
        (["-n", "127.0.0.1", "-O", "critical:x@example=y"], "demands what is not known"),
    ],
    ids=["another name", "no name", "expired", "not yet", "a critical option"],
)
def test_a_host_certificate_that_does_not_count_is_refused(certified, authority, options, said):
    with certified(*options) as server:
        before = logins(server)
        message = refusal(settings(server, ssh_known_hosts=vouching(authority, server)))
        assert said in message
        assert "nothing was sent" in message
        assert logins(server) == before


def test_an_authority_that_is_not_known_vouches_for_nobody(certified, authority, tmp_path):
    stranger = a_key(tmp_path / "stranger")
    with certified("-n", "127.0.0.1", signed_by=stranger) as server:
        message = refusal(settings(server, ssh_known_hosts=vouching(authority, server)))
        assert "is not known" in message
        assert "signed by SHA256:" in message


def test_an_authority_vouches_only_for_the_hosts_of_its_line(certified, authority):
    with certified("-n", "127.0.0.1") as server:
        line = vouching(authority, server, "*.example")
        message = refusal(settings(server, ssh_known_hosts=line))
        assert "is not known" in message
        assert "certificate" not in message


def test_a_revoked_authority_and_a_revoked_key_are_refused(certified, authority):
    with certified("-n", "127.0.0.1") as server:
        line = vouching(authority, server)
        scanned = run("ssh-keyscan", "-t", "ed25519", "-p", server.port, server.host).stdout
        own = scanned.decode().split(" ", 1)[1]
        for revoked in (public(authority), own):
            lines = f"{line}\n@revoked * {revoked}"
            assert "marked as revoked" in refusal(settings(server, ssh_known_hosts=lines))


def test_a_host_without_a_certificate_is_told_apart(server, authority):
    message = refusal(settings(server, ssh_known_hosts=vouching(authority, server)))
    assert "it showed no certificate, though its certificate authority is known" in message
    assert "SSH_KNOWN_HOSTS line 1" in message


def test_a_key_that_is_known_itself_needs_no_certificate(server, authority):
    lines = f"{vouching(authority, server)}\n{server.known_hosts_line}"
    assert channel.is_alive(connection.connect(settings(server, ssh_known_hosts=lines), caller()))


# More than a key


def test_a_second_factor_is_named_and_nobody_is_asked(ground, capfd):
    extra = "AuthenticationMethods publickey,keyboard-interactive\nKbdInteractiveAuthentication yes"
    with sshd.openssh(ground, extra_config=extra) as server:
        before = time.monotonic()
        message = refusal(settings(server))
    assert "it took the key, and demands a second factor (keyboard-interactive)" in message
    assert "AuthenticationMethods publickey" in message
    assert "authorized_keys" not in message
    assert time.monotonic() - before < 30
    assert capfd.readouterr() == ("", "")


def test_a_host_that_takes_no_keys_is_named(ground):
    extra = "AuthenticationMethods keyboard-interactive\nKbdInteractiveAuthentication yes"
    with sshd.openssh(ground, extra_config=extra) as server:
        message = refusal(settings(server))
    assert "this host takes no keys from this account" in message


def test_two_keys_are_given_where_two_are_demanded(ground, tmp_path, monkeypatch):
    with sshd.openssh(ground, extra_config="AuthenticationMethods publickey,publickey") as server:
        mine = tmp_path / "mine"
        mine.write_text(server.private_key)
        mine.chmod(0o600)
        second = a_key(tmp_path / "second")
        with (server.home.parents[1] / "authorized_keys").open("a") as file:
            file.write(public(second) + "\n")
        assert "second factor" in refusal(settings(server))
        with an_agent(tmp_path, mine, second) as path:
            monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
            assert channel.is_alive(connection.connect(keyless(server), caller()))


# Addresses and proxies


FORMS = ["{user}@{host}:{port}", "ssh://{user}@{host}:{port}", "{host}:{port}"]


@pytest.mark.parametrize("form", FORMS)
def test_the_host_may_be_written_with_user_and_port(server, form):
    host = form.format(user=server.user, host=server.host, port=server.port)
    user = None if "@" in host else server.user
    given = settings(server, ssh_host=host, ssh_port=None, ssh_user=user)
    assert channel.is_alive(connection.connect(given, caller()))


def test_a_proxy_command_has_a_shell(server, tmp_path):
    """`2>/dev/null` in a ProxyCommand is what many tutorials write."""
    relay = tmp_path / "relay"
    relay.write_text(
        "import os,socket,sys,threading\n"
        "link = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
        "def up():\n    while data := os.read(0, 65536): link.sendall(data)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while data := link.recv(65536): os.write(1, data)\n"
    )
    config = an_alias(server, tmp_path, f"ProxyCommand python3 {relay} %h %p 2>/dev/null")
    connected = connection.connect(settings(server, ssh_host="shop"), caller(config))
    assert says(connected, "echo relayed") == "relayed"


def test_what_a_proxy_command_says_when_it_fails_is_told(server, tmp_path):
    config = an_alias(server, tmp_path, "ProxyCommand echo the bastion is closed >&2; exit 7")
    message = refusal(settings(server, ssh_host="shop"), caller(config))
    assert "the ProxyCommand for it failed: the bastion is closed" in message


def test_an_ipv6_address_is_written_with_brackets_or_without(server):
    """The port is closed: what counts is which address was tried."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
        port = probe.getsockname()[1]
        for host, also in (("[::1]", port), ("::1", port), (f"[::1]:{port}", None)):
            message = refusal(settings(server, ssh_host=host, ssh_port=also))
            assert f"{server.user}@::1:{port} after 3 tries: connection refused" in message
