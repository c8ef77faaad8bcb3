"""Private keys as people paste them into a CI secret, made into what every paramiko reads."""

import base64
import binascii
import functools
import os
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...config.errors import ConfigurationError

_PEM: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_HEADER: Final = re.compile(r"[A-Za-z-]+: ")
_PUBLIC: Final = re.compile(r"\s*(ssh|ecdsa|sk)-\S+\s+AAAA|-----BEGIN [A-Z0-9 ]*PUBLIC KEY-----")
_NOT_ENCRYPTED: Final = b"openssh-key-v1\0\0\0\0\x04none"
_GIVE_ALL: Final = (
    "give all of the private key's file, from its BEGIN to its END line;"
    " `ssh-keygen -t ed25519` creates one"
)


@dataclass(frozen=True)
class _Pem:
    label: str
    headers: list[str]
    base64: str

    @property
    def encrypted(self) -> bool:
        if self.label == "OPENSSH PRIVATE KEY":
            return not base64.b64decode(self.base64).startswith(_NOT_ENCRYPTED)
        return self.label.startswith("ENCRYPTED") or any("ENCRYPTED" in h for h in self.headers)

    def __bytes__(self) -> bytes:
        head = [*self.headers, ""] if self.headers else []
        lines = [*head, *textwrap.wrap(self.base64, 64)]
        begin, end = (f"-----{word} {self.label}-----" for word in ("BEGIN", "END"))
        return "\n".join([begin, *lines, end, ""]).encode()


def normalise(text: str, passphrase: str | None, name: str = "SSH_PRIVATE_KEY") -> tuple[str, str]:
    """Return the kind (ed25519, ecdsa or rsa) and the key in OpenSSH's format, without passphrase.

    Takes OpenSSH, PKCS#1, SEC1 and PKCS#8, whatever a secret store did to the line ends. Raises
    ConfigurationError (exit code 2) naming `name` or SSH_KEY_PASSPHRASE, never a part of the key.
    """
    pem = _pem(text, name)
    if pem.encrypted and not passphrase:
        raise ConfigurationError(
            f"{name} is encrypted, and SSH_KEY_PASSPHRASE is not set",
            remedy=(
                f"set SSH_KEY_PASSPHRASE, or leave {name} unset and add the key to your ssh agent."
            ),
        )
    return _openssh(_load(pem, passphrase if pem.encrypted else None, name), name)


@functools.cache
def own_key(
    text: str | None, file: Path | None, passphrase: str | None
) -> tuple[str, str, str] | None:
    """Return the setting that holds the key, and the key as `normalise` does; None if none is set.

    Cached: a file like bash's <(…) can be read only once, and a passphrase is slow on purpose.
    """
    name = "SSH_PRIVATE_KEY"
    if not text and file:
        name = f"SSH_KEY_FILE ({file})"
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise _unusable(name, f"cannot be read: {error.strerror}", "correct it") from None
    return (name, *normalise(text, passphrase, name)) if text else None


def chosen_files(connect_kwargs: Mapping[str, Any]) -> list[str]:
    """Return the key files that fab's -i or a fabric.yaml names, which have to be there."""
    names = connect_kwargs.get("key_filename") or []
    names = [names] if isinstance(names, str) else list(names)
    missing = [name for name in names if not existing(name)]
    if missing:
        raise ConfigurationError(
            f"key file not found: {', '.join(missing)}",
            remedy="correct fab's -i (or connect_kwargs.key_filename in fabric.yaml).",
        )
    return names


def existing(names: str | Iterable[str]) -> list[str]:
    """Leave out the files that are not there, like ssh: an IdentityFile is often only a default."""
    # Not Path, which raises for a user that is not there and a directory that one may not search.
    paths = map(os.path.expanduser, [names] if isinstance(names, str) else names)
    return [path for path in paths if os.path.isfile(path)]  # noqa: PTH113 - as said


def _pem(text: str, name: str) -> _Pem:
    unescaped = text.replace("\\r", "").replace("\\n", "\n")
    found = _PEM.search(unescaped)
    if found is None or not found[1].endswith("PRIVATE KEY"):
        raise _unusable(name, *_what_it_is(unescaped))
    lines = [line.strip() for line in found[2].splitlines()]
    headers = [line for line in lines if _HEADER.match(line)]
    body = "".join("".join(line.split()) for line in lines if line not in headers)
    try:
        base64.b64decode(body, validate=True)
    except binascii.Error:
        raise _unusable(name, "is damaged: its text is not base64", _GIVE_ALL) from None
    return _Pem(found[1], headers, body)


def _openssh(key: Any, name: str) -> tuple[str, str]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    kinds = {
        "ed25519": ed25519.Ed25519PrivateKey,
        "ecdsa": ec.EllipticCurvePrivateKey,
        "rsa": rsa.RSAPrivateKey,
    }
    try:
        kind = next(kind for kind, of_kind in kinds.items() if isinstance(key, of_kind))
        text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
    except (StopIteration, ValueError):  # ValueError: a curve that SSH does not have
        raise _unsupported(name) from None
    return kind, text.decode()


def _load(pem: _Pem, passphrase: str | None, name: str) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    openssh = pem.label == "OPENSSH PRIVATE KEY"
    load = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    try:
        return load(bytes(pem), passphrase.encode() if passphrase else None)
    except UnsupportedAlgorithm:
        raise _unsupported(name) from None
    except (ValueError, TypeError):
        if passphrase is None:
            raise _unusable(name, "is damaged or incomplete", _GIVE_ALL) from None
        raise ConfigurationError(
            f"SSH_KEY_PASSPHRASE does not open the key in {name}",
            remedy="try it with `ssh-keygen -y -f` on the key's file.",
        ) from None


def _what_it_is(text: str) -> tuple[str, str]:
    if _PUBLIC.match(text.strip()):
        return (
            "holds a public key, but the private one is needed",
            "give the contents of the file without .pub",
        )
    if text.lstrip().startswith("PuTTY-User-Key-File"):
        return (
            "is in PuTTY's format",
            "export it: `puttygen key.ppk -O private-openssh -o key`, or Conversions in PuTTYgen",
        )
    if "PRIVATE KEY-----" in text:
        return "is cut off: its BEGIN or END line is missing", _GIVE_ALL
    return "is not a private key", _GIVE_ALL


def _unsupported(name: str) -> ConfigurationError:
    return _unusable(
        name,
        "is of a kind that is not supported",
        "use ed25519, ecdsa (nistp256, 384, 521) or rsa; `ssh-keygen -t ed25519` creates one",
    )


def _unusable(name: str, what: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"{name} {what}", remedy=f"{remedy}.")
