"""Certificates of OpenSSH: what they say, and why one does not count."""

import base64
import binascii
import re
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from ...config.errors import ConfigurationError

SUFFIX: Final = "-cert-v01@openssh.com"
_FOR_EVER: Final = 2**64 - 1
_LATEST: Final = 253_402_300_799  # the last second of the year 9999
_USER, _HOST = "user", "host"
# SHA-1: OpenSSH has taken none of a certificate authority since 8.2.
_WEAK: Final = frozenset({"ssh-rsa", "ssh-dss"})
_GIVE_CERTIFICATE: Final = "give the contents of the file KEY-cert.pub, one line"


@dataclass(frozen=True)
class Certificate:
    """`key` is the public key that is certified, `authority` the one that signed."""

    place: str
    kind: str
    blob: bytes
    key: bytes
    authority: bytes
    purpose: str
    key_id: str
    principals: tuple[str, ...]
    valid_after: int
    valid_before: int
    critical: tuple[str, ...]
    is_signed: bool

    @property
    def line(self) -> str:
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    def doubts(self, user: str) -> list[str]:
        """Say why a host may not take it for this user: it is the host that decides."""
        if self.purpose != _USER:
            return [f"{self.place} is a certificate for a host, not for a user"]
        found = [f"{self.place} {doubt}" for doubt in self._out_of_time()]
        if not self.principals:
            found.append(f"{self.place} names no user, so hosts take it for nobody")
        elif user not in self.principals:
            found.append(f"{self.place} is for {_listed(self.principals)}, not for {user}")
        if "force-command" in self.critical:
            found.append(f"{self.place} allows one command alone (force-command)")
        return found

    def faults(self, host: str) -> list[str]:
        """Say why it does not speak for a host of this name: none of this may be so."""
        found = self._out_of_time()
        if self.purpose != _HOST:
            found.append("is for a user, not for a host")
        names = [name.lower().replace("[", "[[]") for name in self.principals]
        if not any(fnmatchcase(host.lower(), name) for name in names):
            found.append(f"is for {_listed(self.principals) or 'no host'}, not for {host}")
        if self.critical:
            found.append(f"demands what is not known here: {_listed(self.critical)}")
        if not self.is_signed:
            found.append("is not signed by its certificate authority, or with SHA-1")
        return found

    def _out_of_time(self) -> list[str]:
        now = time.time()
        if now >= self.valid_before:
            return [f"expired on {_date(self.valid_before)}"]
        if now < self.valid_after:
            return [f"is valid from {_date(self.valid_after)} on only"]
        return []


def read(text: str, name: str) -> Certificate:
    """Read the line of a KEY-cert.pub; raise ConfigurationError (exit code 2) for what is none."""
    words = text.replace("\\n", "\n").split()
    kind = words[0] if words else ""
    if not kind.endswith(SUFFIX):
        raise _unusable(name, _what_it_is(text))
    try:
        return of_blob(base64.b64decode(words[1], validate=True), name)
    except (IndexError, ValueError):
        raise _unusable(name, "is damaged or incomplete") from None


def of_blob(blob: bytes, place: str) -> Certificate:
    """Raise ValueError for what is no certificate, or of a kind that is not supported."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        SSHCertificate,
        SSHCertificateType,
        load_ssh_public_identity,
    )

    kind = _string(blob, 0)[0].decode("ascii")
    try:
        found = load_ssh_public_identity(f"{kind} ".encode() + base64.b64encode(blob))
    except (UnsupportedAlgorithm, binascii.Error) as error:
        raise ValueError(str(error)) from None
    if not isinstance(found, SSHCertificate):
        raise ValueError("it is a plain public key")  # noqa: TRY004 - as said
    try:
        found.verify_cert_signature()
        is_signed = _signature_kind(blob) not in _WEAK
    except (InvalidSignature, UnsupportedAlgorithm):
        is_signed = False
    return Certificate(
        place,
        kind,
        blob,
        _public_blob(found.public_key()),
        _public_blob(found.signature_key()),
        _USER if found.type is SSHCertificateType.USER else _HOST,
        found.key_id.decode(errors="replace"),
        tuple(each.decode(errors="replace") for each in found.valid_principals),
        found.valid_after,
        found.valid_before,
        tuple(sorted(each.decode(errors="replace") for each in found.critical_options)),
        is_signed,
    )


def in_file(path: Path) -> Certificate | None:
    """Return what is in a file beside a key, and None where there is no file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(str(path), f"cannot be read: {error.strerror}") from None
    return read(text, str(path))


def _public_blob(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return base64.b64decode(line.split()[1])


def _signature_kind(blob: bytes) -> str:
    """The signature is the last field of a certificate, and begins with its kind."""
    start, last = 0, b""
    kind, start = _string(blob, start)
    name = kind.decode("ascii")
    # After the type: nonce, the fields of the key, serial, type, and the rest of the strings.
    parts = {"ssh-rsa": 3, "ssh-ed25519": 2}.get(name.removesuffix(SUFFIX), 3)
    for _ in range(parts):
        _, start = _string(blob, start)
    start += 8 + 4  # serial and type
    for _ in range(2):  # key id and principals
        _, start = _string(blob, start)
    start += 8 + 8  # valid after and before
    for _ in range(5):  # critical options, extensions, reserved, the authority, the signature
        last, start = _string(blob, start)
    return _string(last, 0)[0].decode("ascii")


def _string(blob: bytes, start: int) -> tuple[bytes, int]:
    end = start + 4 + int.from_bytes(blob[start : start + 4], "big")
    if len(blob) < end:
        raise ValueError("it is cut off")
    return blob[start + 4 : end], end


def _date(seconds: int) -> str:
    if seconds > _LATEST:
        return "a day that never comes"
    when = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return when.strftime("%Y-%m-%d %H:%M UTC")


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words)


def _what_it_is(text: str) -> str:
    if "PRIVATE KEY-----" in text:
        return "holds a private key, not a certificate"
    if re.match(r"\s*(ssh|ecdsa|sk)-\S+\s+AAAA", text):
        return "holds a plain public key, not a certificate"
    return "is not a certificate"


def _unusable(name: str, what: str) -> ConfigurationError:
    return ConfigurationError(f"{name} {what}", remedy=f"{_GIVE_CERTIFICATE}.")
