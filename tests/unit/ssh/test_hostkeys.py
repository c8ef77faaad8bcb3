"""known_hosts as ssh understands it: names, patterns, hashes, ports, revoked keys."""

import base64
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from fabric_predeploy.config.errors import ConfigurationError, HostError
from fabric_predeploy.remote._ssh import hostkeys

from sandbox.keys import public_line

ONE, OTHER = (public_line(ed25519.Ed25519PrivateKey.generate()) for _ in range(2))
RSA_BLOB = b"\0\0\0\x07ssh-rsa and more"
RSA = f"ssh-rsa {base64.b64encode(RSA_BLOB).decode()}"


def known(*lines: str) -> hostkeys.KnownHosts:
    return hostkeys.known_in_text("\n".join(lines), "SSH_KNOWN_HOSTS")


def check(hosts: hostkeys.KnownHosts, host: str, port: int = 22, key: str = ONE) -> None:
    kind, text = key.split()
    hosts.check(host, port, kind, base64.b64decode(text))


def refusal(hosts: hostkeys.KnownHosts, host: str, port: int = 22, key: str = ONE) -> str:
    with pytest.raises(HostError) as refused:
        check(hosts, host, port, key)
    assert refused.value.code == 3
    return str(refused.value)


@pytest.mark.parametrize(
    ("names", "host", "port"),
    [
        ("example.org", "example.org", 22),
        ("example.org", "EXAMPLE.org", 22),
        ("Example.ORG", "example.org", 22),
        ("other,example.org,192.0.2.1", "192.0.2.1", 22),
        ("[example.org]:18765", "example.org", 18765),
        ("[2001:db8::1]:18765", "2001:db8::1", 18765),
        ("*.example.org", "shop.example.org", 22),
        ("host?", "host1", 22),
        ("[*.example.org]:18765", "shop.example.org", 18765),
        ("!bad.example.org,*.example.org", "good.example.org", 22),
        ("example.org", "example.org", 18765),
    ],
)
def test_a_line_names_the_hosts_that_it_names_for_ssh(names: str, host: str, port: int) -> None:
    check(known(f"{names} {ONE} comment here"), host, port)


@pytest.mark.parametrize(
    ("names", "host", "port"),
    [
        ("example.org", "shop.example.org", 22),
        ("[example.org]:18765", "example.org", 22),
        ("[example.org]:18765", "example.org", 18766),
        ("*.example.org", "example.org", 22),
        ("!bad.example.org,*.example.org", "bad.example.org", 22),
        ("!example.org", "other.org", 22),
        ("[abc].org", "a.org", 22),
    ],
)
def test_a_line_names_no_other_host(names: str, host: str, port: int) -> None:
    assert "is not known" in refusal(known(f"{names} {ONE}"), host, port)


def test_names_that_ssh_keygen_hashed_are_found(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"example.org {ONE}\n[example.org]:18765 {OTHER}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    assert "example.org" not in file.read_text()
    hosts = hostkeys.known_in_files([file], "")
    check(hosts, "example.org", key=ONE)
    check(hosts, "Example.org", 18765, key=OTHER)
    assert "is not known" in refusal(hosts, "example.com")


def test_a_malformed_hash_names_nobody() -> None:
    assert "is not known" in refusal(known(f"|1|x|y {ONE}", f"|1|abc {ONE}"), "example.org")


def test_another_key_of_the_same_kind_is_a_changed_one() -> None:
    message = refusal(known("# comment", f"example.org {OTHER}"), "example.org")
    assert "host key of example.org has CHANGED" in message
    for key in (ONE, OTHER):
        assert hostkeys.fingerprint(base64.b64decode(key.split()[1])) in message
    assert "SSH_KNOWN_HOSTS line 2" in message


def test_another_key_of_another_kind_is_a_changed_one() -> None:
    assert "has CHANGED" in refusal(known(f"example.org {RSA}"), "example.org")


def test_of_several_keys_any_will_do() -> None:
    hosts = known(f"example.org {OTHER}", f"example.org {RSA}", f"example.org {ONE}")
    for key in (ONE, OTHER, RSA):
        check(hosts, "example.org", key=key)


def test_the_host_is_asked_first_for_keys_that_are_known() -> None:
    hosts = known(f"example.org {RSA}", f"[example.org]:18765 {ONE}")
    offers = ["ecdsa-sha2-nistp256", "ssh-ed25519", "rsa-sha2-512", "ssh-rsa"]
    rsa_first = ["rsa-sha2-512", "ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519"]
    assert hosts.preferred("example.org", 22, offers) == tuple(rsa_first)
    assert hosts.preferred("example.org", 18765, offers)[0] == "ssh-ed25519"
    assert hosts.preferred("example.com", 22, offers) == tuple(offers)


def test_a_revoked_key_is_refused_even_if_it_is_known_too() -> None:
    hosts = known(f"example.org {ONE}", f"@revoked * {ONE}")
    assert "revoked: SSH_KNOWN_HOSTS line 2" in refusal(hosts, "example.org")
    assert "revoked" in refusal(hosts, "example.org", 18765)


def test_a_certificate_authority_is_no_host_key() -> None:
    assert "is not known" in refusal(known(f"@cert-authority * {ONE}"), "example.org")


@pytest.mark.parametrize("port", [22, 18765])
def test_the_line_in_the_message_makes_the_host_known(port: int) -> None:
    message = refusal(known(f"other {ONE}"), "example.org", port)
    line = message.splitlines()[-1]
    assert line.endswith(ONE)
    check(known(line), "example.org", port)


def test_the_fingerprint_is_the_one_that_ssh_keygen_prints(tmp_path: Path) -> None:
    file = tmp_path / "key.pub"
    file.write_text(ONE)
    printed = subprocess.run(["ssh-keygen", "-lf", file], check=True, capture_output=True)
    assert printed.stdout.decode().split()[1] in refusal(known(), "example.org")


@pytest.mark.parametrize("change", ["\r\n", "\\n", "\\r\\n", "\n   \n\t"])
def test_line_ends_from_a_secret_store_are_undone(change: str) -> None:
    hosts = known(change.join([f"a {ONE}", "# comment", f"b {OTHER}", ""]))
    check(hosts, "a", key=ONE)
    check(hosts, "b", key=OTHER)


@pytest.mark.parametrize(
    "line",
    [
        "example.org",
        ONE,
        f"{ONE} root@example.org",
        "example.org ssh-ed25519 not-base64!",
        f"example.org ssh-rsa {ONE.split()[1]}",
        f"@unknown example.org {ONE}",
    ],
    ids=["only a host", "only a key", "a .pub file", "no base64", "wrong type", "wrong marker"],
)
def test_a_malformed_line_is_named_and_not_quoted(line: str) -> None:
    with pytest.raises(ConfigurationError, match="SSH_KNOWN_HOSTS line 2 is not") as refused:
        known(f"example.org {ONE}", line)
    assert refused.value.code == 2
    assert line not in str(refused.value)


def test_a_malformed_line_in_a_file_is_skipped_like_ssh_does(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_bytes(b"rubbish \xff\nexample.org " + ONE.encode())
    check(hostkeys.known_in_files([tmp_path / "nope", file], ""), "example.org")


def settings(**changes: object) -> SimpleNamespace:
    return SimpleNamespace(**{"ssh_known_hosts": None, "ssh_known_hosts_file": None, **changes})


def test_lines_come_before_the_file_and_the_file_before_those_of_ssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    places = {name: tmp_path / name for name in ("mine", ".ssh/known_hosts", "of_ssh_config")}
    for name, file in places.items():
        file.write_text(f"{file.name} {ONE}\n{name} {ONE}\n")
    chosen = settings(ssh_known_hosts=f"text {ONE}", ssh_known_hosts_file=places["mine"])
    check(hostkeys.known_hosts(chosen, {}, {}), "text")
    assert "to SSH_KNOWN_HOSTS:" in refusal(hostkeys.known_hosts(chosen, {}, {}), "mine")
    only_file = settings(ssh_known_hosts_file=places["mine"])
    check(hostkeys.known_hosts(only_file, {}, {}), "mine")
    assert "SSH_KNOWN_HOSTS_FILE" in refusal(hostkeys.known_hosts(only_file, {}, {}), "known_hosts")
    check(hostkeys.known_hosts(settings(), {}, {}), "known_hosts")
    ssh_config = {"userknownhostsfile": "~/of_ssh_config"}
    check(hostkeys.known_hosts(settings(), ssh_config, {}), "of_ssh_config")
    assert "of_ssh_config, or in CI" in refusal(
        hostkeys.known_hosts(settings(), ssh_config, {}), "x"
    )
