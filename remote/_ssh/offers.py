"""The keys that may be offered to a host, and the certificates that belong to them."""

import base64
import copy
import io
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import paramiko

from ...config.errors import ConfigurationError
from ...config.settings import Settings
from . import agent, certificates
from .certificates import Certificate
from .keys import own_key
from .known_lines import fingerprint

_KEY_CLASSES: Final = {
    "ed25519": paramiko.Ed25519Key,
    "ecdsa": paramiko.ECDSAKey,
    "rsa": paramiko.RSAKey,
}
_PUBLIC: Final = re.compile(r"\s*((?:ssh|ecdsa|sk)-\S+)\s+(AAAA[A-Za-z0-9+/]+=*)")


@dataclass(frozen=True)
class OwnKey:
    """The profile's key; `name` is the setting that holds it."""

    name: str
    key: paramiko.PKey
    certificate: Certificate | None = None

    def __str__(self) -> str:
        certified = " with a certificate" if self.certificate else ""
        return f"{self.name}, {described(self.key)}{certified}"


def own(settings: Settings) -> OwnKey | None:
    """Raise ConfigurationError (exit code 2) for a key or a certificate that cannot be used."""
    found = own_key(settings.ssh_private_key, settings.ssh_key_file, settings.ssh_key_passphrase)
    if found is None:
        return None
    name, kind, text = found
    key = loaded(kind, text)
    certificate = given_certificate(settings)
    if certificate is None and settings.ssh_key_file and not settings.ssh_private_key:
        certificate = certificates.in_file(Path(f"{settings.ssh_key_file}-cert.pub"))
        if certificate and certificate.key != key.asbytes():
            certificate = None  # of an earlier key of this name: ssh passes it over, too
    if certificate and certificate.key != key.asbytes():
        raise ConfigurationError(
            f"{certificate.place} is for another key than {name}",
            more=f"    it certifies: {fingerprint(certificate.key)}\n"
            f"    {name}: {fingerprint(key.asbytes())}",
            remedy="set the two that belong together.",
        )
    return OwnKey(name, key, certificate)


def given_certificate(settings: Settings) -> Certificate | None:
    text = settings.ssh_certificate
    found = certificates.read(text, "SSH_CERTIFICATE") if text else None
    if found and found.purpose != "user":
        raise ConfigurationError(
            "SSH_CERTIFICATE is a certificate for a host, not for a user",
            remedy="sign the public key without ssh-keygen's option -h.",
        )
    return found


def loaded(kind: str, text: str) -> paramiko.PKey:
    return _KEY_CLASSES[kind].from_private_key(io.StringIO(text))


def described(key: Any) -> str:
    kind = str(key.get_name()).removeprefix("ssh-")
    return f"{kind} {fingerprint(key.asbytes())}"


@dataclass(frozen=True)
class Offer:
    """One key, as a host is shown it."""

    name: str
    key: Any
    certificate: Certificate | None = None

    def certified(self, certificate: Certificate) -> "Offer":
        if isinstance(self.key, agent.HeldKey):
            key = self.key.certified(certificate.kind, certificate.blob)
        else:
            key = copy.copy(self.key)
            key.load_certificate(certificate.line)
        return Offer(f"{self.name} with {certificate.place}", key, certificate)


def shown_blob(key: Any) -> bytes:
    public = getattr(key, "public_blob", None)
    return bytes(public.key_blob if public else key.asbytes())


def certificate_of(key: Any) -> Certificate | None:
    with suppress(ValueError):
        return certificates.of_blob(key.asbytes(), "the ssh agent's certificate")
    return None


def certified_key(key: Any) -> bytes:
    """Return the key that a certificate of the agent is for, and b"" for a plain key."""
    if isinstance(key, agent.HeldKey) and key.name.endswith(certificates.SUFFIX):
        found = certificate_of(key)
        return found.key if found else b""
    return b""


def public_blob_of(file: str) -> bytes:
    with suppress(OSError, ValueError):
        found = _PUBLIC.match(Path(file).read_text(encoding="utf-8", errors="replace"))
        return base64.b64decode(found[2], validate=True) if found else b""
    return b""
