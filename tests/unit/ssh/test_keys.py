"""Whatever shape a private key arrives in from a CI secret, it is one that paramiko can use."""

import io
import re
import subprocess
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization as formats
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from fabric_predeploy.config.errors import ConfigurationError
from fabric_predeploy.remote._ssh import keys

PASSPHRASE = 'a "pass" phrase é'
KEYS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ecdsa": ec.generate_private_key(ec.SECP384R1()),
    "rsa": rsa.generate_private_key(65537, 2048),
}
FORMATS = {
    "OpenSSH": formats.PrivateFormat.OpenSSH,
    "PEM": formats.PrivateFormat.TraditionalOpenSSL,
    "PKCS#8": formats.PrivateFormat.PKCS8,
}
SHAPES = [(kind, form) for kind in KEYS for form in FORMATS if (kind, form) != ("ed25519", "PEM")]
CLASSES = {
    "ed25519": paramiko.Ed25519Key,
    "ecdsa": paramiko.ECDSAKey,
    "rsa": paramiko.RSAKey,
}


def written(kind: str, form: str = "OpenSSH", passphrase: str | None = None) -> str:
    encryption: formats.KeySerializationEncryption = formats.NoEncryption()
    if passphrase:
        encryption = formats.BestAvailableEncryption(passphrase.encode())
    return KEYS[kind].private_bytes(formats.Encoding.PEM, FORMATS[form], encryption).decode()


def public(kind: str) -> str:
    openssh = formats.Encoding.OpenSSH, formats.PublicFormat.OpenSSH
    return KEYS[kind].public_key().public_bytes(*openssh).decode()


def is_accepted(kind: str, text: str, passphrase: str | None = None) -> bool:
    found, openssh = keys.normalise(text, passphrase)
    key = CLASSES[found].from_private_key(io.StringIO(openssh))
    return found == kind and f"{key.get_name()} {key.get_base64()}" == public(kind)


def refusal(text: str, passphrase: str | None = None) -> str:
    with pytest.raises(ConfigurationError) as refused:
        keys.normalise(text, passphrase)
    assert refused.value.code == 2
    message = str(refused.value)
    for line in text.replace("\\n", "\n").splitlines():
        base64_text = re.fullmatch(r"\s*([A-Za-z0-9+/]{16,}=*)\s*", line)
        assert base64_text is None or base64_text[1] not in message
    assert passphrase is None or passphrase not in message
    silent = refused.value.__context__ is None or refused.value.__suppress_context__
    assert silent, "the cause may quote what was pasted"
    return message


@pytest.mark.parametrize(("kind", "form"), SHAPES)
def test_every_kind_and_format_is_accepted(kind: str, form: str) -> None:
    assert is_accepted(kind, written(kind, form))


@pytest.mark.parametrize(("kind", "form"), SHAPES)
def test_every_kind_and_format_is_accepted_with_its_passphrase(kind: str, form: str) -> None:
    assert is_accepted(kind, written(kind, form, PASSPHRASE), PASSPHRASE)


@pytest.mark.parametrize("form", FORMATS)
def test_a_passphrase_that_the_key_does_not_need_is_ignored(form: str) -> None:
    assert is_accepted("rsa", written("rsa", form), PASSPHRASE)


@pytest.mark.parametrize(("kind", "form"), SHAPES)
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="CRLF line ends"),
        pytest.param(lambda text: text.replace("\n", "\r"), id="CR line ends"),
        pytest.param(lambda text: text.rstrip("\n"), id="no final newline"),
        pytest.param(lambda text: f"\n\n  {text}\t\n\n", id="blank space around it"),
        pytest.param(lambda text: text.replace("\n", "\n    "), id="indented lines"),
        pytest.param(lambda text: text.replace("\n", "\\n"), id="literal backslash-n"),
        pytest.param(lambda text: text.replace("\n", "\\r\\n"), id="literal backslash-r-n"),
        pytest.param(lambda text: text.replace("\n", " "), id="spaces for newlines"),
        pytest.param(lambda text: text.replace("\n", "\n\n"), id="doubled newlines"),
        pytest.param(lambda text: f'"{text}"', id="quotes around it"),
        pytest.param(lambda text: f"\ufeff{text}", id="byte order mark"),
    ],
)
def test_what_a_secret_store_does_to_line_ends_is_undone(kind: str, form: str, damage) -> None:  # type: ignore[no-untyped-def]
    assert is_accepted(kind, damage(written(kind, form)))


@pytest.mark.parametrize("damage", [lambda text: text, lambda text: text.replace("\n", "\r\n\t")])
def test_a_pem_key_with_encryption_headers_is_accepted(damage) -> None:  # type: ignore[no-untyped-def]
    text = written("ecdsa", "PEM", PASSPHRASE)
    assert "\nDEK-Info: " in text
    assert is_accepted("ecdsa", damage(text), PASSPHRASE)


def test_a_key_made_by_ssh_keygen_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ecdsa", "-N", PASSPHRASE, "-C", "comment", "-f", file],
        check=True,
    )
    kind, _text = keys.normalise(file.read_text(), PASSPHRASE)
    assert kind == "ecdsa"


@pytest.mark.parametrize(("kind", "form"), SHAPES)
def test_a_missing_passphrase_is_named(kind: str, form: str) -> None:
    message = refusal(written(kind, form, PASSPHRASE))
    assert "SSH_PRIVATE_KEY is encrypted" in message
    assert "SSH_KEY_PASSPHRASE is not set" in message


@pytest.mark.parametrize(("kind", "form"), SHAPES)
def test_a_wrong_passphrase_is_named(kind: str, form: str) -> None:
    assert "SSH_KEY_PASSPHRASE does not" in refusal(written(kind, form, PASSPHRASE), "wrong one")


@pytest.mark.parametrize("kind", KEYS)
def test_a_public_key_in_place_of_the_private_one_is_recognised(kind: str) -> None:
    assert "SSH_PRIVATE_KEY holds a public key" in refusal(public(kind))


def test_a_public_key_in_pem_is_recognised() -> None:
    pem = formats.Encoding.PEM, formats.PublicFormat.SubjectPublicKeyInfo
    text = KEYS["rsa"].public_key().public_bytes(*pem).decode()
    assert "holds a public key" in refusal(text)


@pytest.mark.parametrize("text", ["", "hunter2", "~/.ssh/id_ed25519", "-----BEGIN x-----"])
def test_text_that_is_no_key_is_refused_without_quoting_it(text: str) -> None:
    message = refusal(text)
    assert "SSH_PRIVATE_KEY is not a private key" in message
    assert text == "" or text not in message


def test_a_key_in_puttys_format_comes_with_the_command_that_converts_it() -> None:
    assert "puttygen" in refusal("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n")


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_without_its_last_line_is_called_cut_off(kind: str) -> None:
    assert "cut off" in refusal(written(kind).split("-----END")[0])


@pytest.mark.parametrize(("kind", "form"), SHAPES)
def test_a_key_that_lost_a_line_is_called_damaged(kind: str, form: str) -> None:
    lines = written(kind, form).splitlines()
    assert "damaged" in refusal("\n".join([*lines[:-2], lines[-1]]))


def test_text_between_the_marks_that_is_not_base64_is_called_damaged() -> None:
    text = "-----BEGIN OPENSSH PRIVATE KEY-----\n***\n-----END OPENSSH PRIVATE KEY-----"
    assert "damaged" in refusal(text)


def test_kinds_that_ssh_gave_up_or_never_had_are_refused_with_those_it_has() -> None:
    for key in (
        dsa.generate_private_key(2048),
        ed448.Ed448PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256K1()),
    ):
        pkcs8 = formats.Encoding.PEM, formats.PrivateFormat.PKCS8, formats.NoEncryption()
        message = refusal(key.private_bytes(*pkcs8).decode())
        assert "not supported" in message
        assert "ed25519" in message


def test_no_key_at_all_is_none() -> None:
    assert keys.own_key(None, None, None) is None


def test_the_key_in_the_environment_comes_before_the_key_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(written("rsa"))
    from_file = keys.own_key(None, file, None)
    from_text = keys.own_key(written("ed25519"), file, None)
    assert from_file
    assert from_file[:2] == (f"SSH_KEY_FILE ({file})", "rsa")
    assert from_text
    assert from_text[:2] == ("SSH_PRIVATE_KEY", "ed25519")


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"SSH_KEY_FILE \(.*nope\) cannot be read: No such"
    ):
        keys.own_key(None, tmp_path / "nope", None)


def test_an_encrypted_key_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(written("ecdsa", passphrase=PASSPHRASE))
    with pytest.raises(ConfigurationError, match=r"SSH_KEY_FILE \(.*key\) is encrypted"):
        keys.own_key(None, file, None)


def test_key_files_of_the_command_line_must_exist_and_others_may(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.touch()
    assert keys.chosen_files({"key_filename": str(file)}) == [str(file)]
    assert keys.chosen_files({}) == []
    assert keys.existing([str(file), str(tmp_path / "nope")]) == [str(file)]
    with pytest.raises(ConfigurationError, match=r"key file not found: .*nope"):
        keys.chosen_files({"key_filename": [str(tmp_path / "nope")]})
