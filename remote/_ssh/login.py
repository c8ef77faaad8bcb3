"""Which keys a host is shown, in which order, and what its answers mean.

Paramiko's own way asks for a password where a host wants a second factor, shows a certificate
of a key beside it only for its own file names, and has no words for a host that hangs up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import paramiko

from ...config.errors import ConfigurationError
from ...config.settings import Settings
from . import agent, certificates
from .certificates import Certificate
from .keys import existing, normalise
from .known_lines import fingerprint
from .offers import (
    Offer,
    OwnKey,
    certificate_of,
    certified_key,
    described,
    given_certificate,
    loaded,
    public_blob_of,
    shown_blob,
)
from .tokens import below_home
from .transport import FAILURES
from .unreachable import RefusedError, second_factor, too_many_keys

_NO_KEY: Final = (
    "there is no key to offer: none is set, the ssh agent has none, and there is no ~/.ssh/id_*"
)
_DEFAULTS: Final = ("id_ed25519", "id_ecdsa", "id_rsa")


@dataclass
class Login:
    """What is offered to one host. `files` are the key files, `own` the one key that is set."""

    own: OwnKey | None
    files: Sequence[str] = ()
    certificate_files: Sequence[str] = ()
    certificate: Certificate | None = None
    agent_path: str = ""
    only_these: bool = False  # IdentitiesOnly
    looks_for_keys: bool = True
    passphrase: str | None = None
    password: str | None = None
    used: Offer | None = None
    tried: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    agent: Any = None

    @property
    def identity(self) -> tuple[Any, ...]:
        return (str(self.own), *self.files, *self.certificate_files, self.agent_path)

    def run(self, transport: Any, user: str) -> None:
        """Log in, or raise RefusedError, or what paramiko raises for a link that breaks."""
        self.used, self.tried, self.notes = None, [], []
        failure = self._by_keys(transport, user)
        if failure and self.password is not None and transport.is_active():
            more = list(transport.auth_password(user, self.password))
            failure = second_factor(more) if more else None
        if failure is None:
            return
        if self.certificate and not any("SSH_CERTIFICATE" in name for name in self.tried):
            key = fingerprint(self.certificate.key)
            self.notes.append(f"SSH_CERTIFICATE is for the key {key}, which is not among these")
        raise failure

    def _by_keys(self, transport: Any, user: str) -> Exception | None:
        failure: Exception = RefusedError(_NO_KEY)
        shown: set[bytes] = set()
        for offer in self._offers():
            blob = shown_blob(offer.key)
            if blob in shown:
                continue
            shown.add(blob)
            self.tried.append(offer.name)
            if offer.certificate:
                self.notes += offer.certificate.doubts(user)
            try:
                more = list(transport.auth_publickey(user, offer.key))
            except FAILURES as refusal:
                failure = _last_words(transport, refusal, len(shown))
                if not transport.is_active() or isinstance(refusal, paramiko.BadAuthenticationType):
                    break
                continue
            self.used = offer
            if not more:
                return None
            # Never ask a person: a gate runs where nobody answers. A second key may do.
            failure = second_factor(more)
            if "publickey" not in more:
                break
        return failure

    def _offers(self) -> Iterator[Offer]:
        if self.own:  # alone, since hosts hang up on those who offer many keys
            name = f"{self.own.name}, {described(self.own.key)}"
            yield from self._with_certificates(Offer(name, self.own.key))
            return
        held = self._held()
        files = existing(self.files)
        defaults = existing(str(below_home(f".ssh/{name}")) for name in _DEFAULTS)
        if not self.files and self.only_these:
            files, defaults = defaults, []
        for file in files:
            yield from self._of_file(file, held)
        if not self.only_these:
            for key in held:
                yield from self._with_certificates(Offer(f"the ssh agent's {described(key)}", key))
        if self.looks_for_keys and not self.only_these:
            for file in defaults:
                yield from self._of_file(file, held)

    def _held(self) -> list[Any]:
        self.agent = agent.opened(self.agent_path)
        return self.agent.held() if self.agent else []

    def _of_file(self, file: str, held: list[Any]) -> Iterator[Offer]:
        """The agent may hold what is encrypted in the file, or what has only its public half."""
        public = public_blob_of(file) or public_blob_of(f"{file}.pub")
        for key in held:
            if public and public in (key.asbytes(), certified_key(key)):
                yield from self._with_certificates(Offer(f"{file} (by the ssh agent)", key), file)
        if public_blob_of(file):
            return
        try:
            text = Path(file).read_text(encoding="utf-8", errors="replace")
            key = loaded(*normalise(text, self.passphrase, file))
        except OSError as error:
            self.notes.append(f"{file} cannot be read: {error.strerror}")
        except ConfigurationError as error:
            self.notes.append(error.what)
        else:
            yield from self._with_certificates(Offer(file, key), file)

    def _with_certificates(self, offer: Offer, file: str = "") -> Iterator[Offer]:
        """As ssh does, show the certificates of a key before the key itself."""
        if certified_key(offer.key):
            yield Offer(f"{offer.name} (a certificate)", offer.key, certificate_of(offer.key))
            return
        for certificate in self._certificates(file):
            if certificate.key == offer.key.asbytes():
                yield offer.certified(certificate)
        yield offer

    def _certificates(self, file: str) -> Iterator[Certificate]:
        if self.own and self.own.certificate:
            yield self.own.certificate
        if self.certificate:
            yield self.certificate
        beside = [f"{file}-cert.pub"] if file else []
        for name in (*self.certificate_files, *beside):
            try:
                found = certificates.in_file(Path(name))
            except ConfigurationError as error:
                self.notes.append(error.what)
                continue
            if found:
                yield found


class Client(paramiko.SSHClient):  # type: ignore[misc]
    """Paramiko's client, which logs in as we do."""

    def __init__(self, login: Login) -> None:
        super().__init__()
        self._login = login

    def _auth(self, username: str, *_: Any, **__: Any) -> None:
        self._login.run(self._transport, username)
        self._agent = self._login.agent  # which is closed with the connection


def login_of(
    settings: Settings,
    own_key: OwnKey | None,
    kwargs: Mapping[str, Any],
    chosen: Sequence[str],
    ssh_config: Mapping[str, Any],
) -> Login:
    """`kwargs` are what fabric.yaml and fab's options give to paramiko; `chosen` is fab's -i."""
    asks_agent = kwargs.get("allow_agent", True)
    return Login(
        own=own_key,
        files=[*chosen, *ssh_config.get("identityfile", [])],
        certificate_files=existing(ssh_config.get("certificatefile", [])),
        certificate=given_certificate(settings),
        agent_path=agent.socket_of(ssh_config.get("identityagent")) if asks_agent else "",
        only_these=ssh_config.get("identitiesonly", "no").lower() in ("yes", "true"),
        looks_for_keys=kwargs.get("look_for_keys", True),
        passphrase=settings.ssh_key_passphrase
        or kwargs.get("passphrase")
        or kwargs.get("password"),
        password=kwargs.get("password"),
    )


def _last_words(transport: Any, failure: Exception, shown: int) -> Exception:
    if "Too many authentication failures" in transport.last_words:
        return too_many_keys(shown)
    return failure
