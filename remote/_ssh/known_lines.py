"""The lines of known_hosts, sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT", and how keys are written."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from ...config.errors import ConfigurationError

_PORT: Final = 22
_MARKERS: Final = {"@revoked", "@cert-authority"}


@dataclass(frozen=True)
class KnownKey:
    """One known_hosts line, sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT"; `place` is where it stands."""

    marker: str
    patterns: tuple[str, ...]
    kind: str
    blob: bytes
    place: str

    def names(self, host: str) -> bool:
        if self.patterns[0].startswith("|1|"):
            return _is_hash_of(self.patterns[0], host)
        wanted = [p for p in self.patterns if not p.startswith("!")]
        unwanted = [p[1:] for p in self.patterns if p.startswith("!")]
        return _any_matches(wanted, host) and not _any_matches(unwanted, host)


def parse(text: str, place: str, *, strict: bool) -> Iterator[KnownKey]:
    """Read known_hosts lines; a line that is none is skipped, or raises when `strict`."""
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        marker = fields.pop(0) if fields[0] in _MARKERS else ""
        blob = _blob(fields)
        if blob is not None:
            patterns = tuple(fields[0].lower().split(",") if fields[0][0] != "|" else fields[:1])
            yield KnownKey(marker, patterns, fields[1], blob, f"{place} line {number}")
        elif strict:
            raise ConfigurationError(
                f"{place} line {number} is not a known_hosts line",
                remedy=(
                    "give host, key type and key, as `ssh-keyscan HOST` prints"
                    " them; compare the fingerprint with the host's."
                ),
            )


def known_line(host: str, port: int, kind: str, blob: bytes) -> str:
    return f"{address(host, port)} {kind} {base64.b64encode(blob).decode()}"


def address(host: str, port: int) -> str:
    return host if port == _PORT else f"[{host}]:{port}"


def fingerprint(blob: bytes) -> str:
    """As `ssh-keygen -l` prints it."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
    return "SHA256:" + digest.rstrip("=")


def family(kind: str) -> str:
    return next((name for name in ("ed25519", "ecdsa", "rsa") if name in kind), kind)


def _blob(fields: list[str]) -> bytes | None:
    """Return the key of a line, if its type stands in it, as RFC 4253 section 6.6 demands."""
    if len(fields) < 3:  # noqa: PLR2004 - host, type and key
        return None
    kind = fields[1].encode()
    try:
        blob = base64.b64decode(fields[2], validate=True)
    except (binascii.Error, ValueError):
        return None
    return blob if blob.startswith(len(kind).to_bytes(4, "big") + kind) else None


def _is_hash_of(pattern: str, host: str) -> bool:
    try:
        _, _, salt, digest = pattern.split("|")
        expected = base64.b64decode(digest)
        found = hmac.digest(base64.b64decode(salt), host.encode(), "sha1")
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(expected, found)


def _any_matches(patterns: Iterable[str], host: str) -> bool:
    # In known_hosts only * and ? are special, while [host]:port would be a set to fnmatch.
    return any(fnmatchcase(host, pattern.replace("[", "[[]")) for pattern in patterns)
