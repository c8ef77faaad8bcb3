"""Which host keys are known, and what to say to a person when a host shows another one."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ...config.errors import HostError
from ...config.settings import Settings
from .certificates import SUFFIX, Certificate, of_blob
from .known_lines import KnownKey, address, family, fingerprint, known_line, parse
from .tokens import file_name


class UnknownKeyError(HostError):
    """No key of this host is known: nothing speaks for this one, or against it."""


@dataclass(frozen=True)
class KnownHosts:
    """All lines of all places; `remedy` says where a missing line belongs."""

    keys: tuple[KnownKey, ...] = field(repr=False)
    remedy: str

    def preferred(self, host: str, port: int, algorithms: Iterable[str]) -> tuple[str, ...]:
        """Put first what makes the host show a key that one can compare; keep the order else.

        Certificates are asked for only where an authority is known that may speak for the host.
        """
        kinds = {key.kind for key in self._trusted(host, port)}
        algorithms = list(algorithms)
        certified = [each for each in algorithms if each.endswith(SUFFIX)]
        plain = [each for each in algorithms if not each.endswith(SUFFIX)]
        plain.sort(key=lambda algorithm: _key_type(algorithm) not in kinds)
        return (*certified, *plain) if self._authorities(host, port) else tuple(plain)

    def check(
        self, host: str, port: int, kind: str, blob: bytes, *, certificate: bytes = b""
    ) -> str:
        """Return where this key is known for this host; raise HostError (3) if not, or revoked.

        `certificate` is what the host has shown for its key, if it has.
        """
        name = address(host, port)
        trusted = self._trusted(host, port)
        shown = f"{fingerprint(blob)} ({family(kind).upper()})"
        found = _certificate(certificate, blob)
        for key in self._naming(name, host):
            if key.marker == "@revoked" and key.blob in (blob, found and found.authority):
                raise _revoked(name, shown, key.place)
        for key in trusted:
            if key.blob == blob:
                return key.place
        authorities = self._authorities(host, port)
        for key in authorities:
            if found and found.authority == key.blob:
                return _vouched(found, key, host)
        if authorities:
            shown += _not_vouched(found, authorities[0])
        same_name = [key for key in trusted if key.names(name.lower())]
        if same_name:
            known = "\n".join(
                f"    known: {fingerprint(key.blob)} ({family(key.kind).upper()}), {key.place}"
                for key in same_name
            )
            raise _changed(name, shown, known, family(kind))
        line = known_line(host, port, kind, blob)
        raise _unknown(name, shown, f"{self.remedy}:\n{line}", family(kind))

    def _authorities(self, host: str, port: int) -> list[KnownKey]:
        names = address(host, port), host
        return [key for key in self._naming(*names) if key.marker == "@cert-authority"]

    def _naming(self, *names: str) -> Iterator[KnownKey]:
        return (key for key in self.keys if any(key.names(name.lower()) for name in names))

    def _trusted(self, host: str, port: int) -> list[KnownKey]:
        # Like ssh: a line without the port will do, if there is none with it.
        for name in (address(host, port), host):
            found = [key for key in self._naming(name) if not key.marker]
            if found:
                return found
        return []


_FINGERPRINT: Final = "    ssh-keygen -lf /etc/ssh/ssh_host_{}_key.pub"

_NO_CERTIFICATE: Final = """
    it showed no certificate, though its certificate authority is known: {place}"""

_OTHER_AUTHORITY: Final = """
    its certificate is signed by {by}, which is not the authority of {place}"""


def _unknown(name: str, shown: str, place: str, family: str) -> UnknownKeyError:
    compare = "compare that with what the host says, logged in there or in the hoster's panel:"
    return UnknownKeyError(
        f"the host key of {name} is not known, so nothing was sent",
        more=f"    it showed: {shown}",
        remedy=f"{compare}\n{_FINGERPRINT.format(family)}\n"
        f"  Only if they are equal, add this line to {place}",
    )


def _changed(name: str, shown: str, known: str, family: str) -> HostError:
    compare = "ask whoever runs the host, or compare, logged in there or in the hoster's panel:"
    return HostError(
        f"the host key of {name} has CHANGED, so nothing was sent",
        more=f"    it showed: {shown}\n{known}\n  Either the host was set up anew, or someone is"
        " between you and it and would read your passwords.",
        remedy=f"{compare}\n{_FINGERPRINT.format(family)}\n"
        "  Only if it really has a new key, replace the known lines.",
    )


def _revoked(name: str, shown: str, place: str) -> HostError:
    return HostError(
        f"the host key of {name} is marked as revoked, so nothing was sent",
        more=f"    it showed: {shown}\n    revoked: {place}",
        remedy="ask whoever runs the host for its new key; who holds this one can pose as it.",
    )


def _no_good(name: str, faults: str, certificate: str) -> HostError:
    return HostError(
        f"the host certificate of {name} does not count, so nothing was sent",
        more=f"    it {faults}\n    certificate: {certificate}",
        remedy="ask whoever runs the host for a new certificate, made for this name:\n"
        f"    ssh-keygen -s CA_KEY -I ID -h -n {name} /etc/ssh/ssh_host_ed25519_key.pub",
    )


def known_hosts(
    settings: Settings, ssh_config: Mapping[str, str], tokens: Mapping[str, str]
) -> KnownHosts:
    """Read SSH_KNOWN_HOSTS, else SSH_KNOWN_HOSTS_FILE, else the files that ssh would."""
    if settings.ssh_known_hosts:
        return known_in_text(settings.ssh_known_hosts, "SSH_KNOWN_HOSTS")
    if settings.ssh_known_hosts_file:
        file = settings.ssh_known_hosts_file
        return known_in_files([file], f"{file} (SSH_KNOWN_HOSTS_FILE)")
    user = ssh_config.get("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2")
    system = ssh_config.get(
        "globalknownhostsfile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"
    )
    files = [
        Path(file_name(name, "UserKnownHostsFile", tokens))
        for name in shlex.split(f"{user} {system}")
        if name != "none"
    ]
    belongs = files[0] if files else "a file that UserKnownHostsFile in ssh_config names"
    return known_in_files(files, f"{belongs}, or in CI to the variable SSH_KNOWN_HOSTS")


def known_in_text(text: str, name: str) -> KnownHosts:
    """Raise ConfigurationError (exit code 2) at the first line that is not a known_hosts line."""
    lines = text.replace("\\r", "").replace("\\n", "\n")
    return KnownHosts(tuple(parse(lines, name, strict=True)), name)


def known_in_files(paths: Iterable[Path], remedy: str) -> KnownHosts:
    """Read what is there of these files: like ssh, which goes on without those it cannot read."""
    keys: list[KnownKey] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        keys += parse(text, str(path), strict=False)
    return KnownHosts(tuple(keys), remedy)


def _certificate(blob: bytes, key: bytes) -> Certificate | None:
    """Return None for one that cannot be read, or is for another key: it speaks for nobody."""
    with suppress(ValueError):
        found = of_blob(blob, "") if blob else None
        return found if found and found.key == key else None
    return None


def _vouched(found: Certificate, authority: KnownKey, host: str) -> str:
    faults = found.faults(host)
    if not faults:
        return authority.place
    raise _no_good(host, "; it ".join(faults), f"{found.key_id}; its authority: {authority.place}")


def _not_vouched(found: Certificate | None, authority: KnownKey) -> str:
    if found is None:
        return _NO_CERTIFICATE.format(place=authority.place)
    return _OTHER_AUTHORITY.format(by=fingerprint(found.authority), place=authority.place)


def _key_type(algorithm: str) -> str:
    """RFC 8332: the rsa-sha2 algorithms use keys of the type ssh-rsa."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm
