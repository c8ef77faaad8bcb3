"""The host, or a jump host on the way: an SSH login with a host key that is known."""

import functools
import socket
from contextlib import suppress
from typing import Any, Final

import paramiko

from ...config.settings import Settings
from ..signals import awaited
from .agent import name_of as agent_name
from .hostkeys import KnownHosts, known_hosts
from .login import Client, login_of
from .offers import OwnKey, described
from .proxy import Proxy
from .route import Way
from .tokens import expanded, file_name
from .transport import FAILURES, Transport
from .unreachable import RefusedError, Trouble, before_trust, failed_proxy, refused_login

CONNECT_TIMEOUT_SECONDS: Final = 10
HANDSHAKE_TIMEOUT_SECONDS: Final = 15
CHANNEL_TIMEOUT_SECONDS: Final = 30
KEEPALIVE_SECONDS: Final = 15
LOST_AFTER_MILLISECONDS: Final = 60_000
_FILES: Final = {"identityfile": "IdentityFile", "certificatefile": "CertificateFile"}


class _PeekedError(Exception):
    """Not a failure: the host has shown its key, and no more was wanted."""


class Hop:
    """The host, or a jump host on the way: an SSH login with a host key that is known."""

    def __init__(self, way: Way, settings: Settings, own: OwnKey | None, chosen: list[str]) -> None:
        self.way, self.connection, self.settings = way, way.connection, settings
        self.asks = self.peeks = self.is_given_up = False
        self.sock: Any = None
        self.proxy: Proxy | None = None
        self.forget()
        here = way.connection
        alias = way.ssh_config.get("hostkeyalias")
        self.name: tuple[str, int] = (alias, 22) if alias else (here.host, here.port)
        kwargs = dict(here.connect_kwargs, transport_factory=self.start)
        kwargs.pop("key_filename", None)
        self.login = login_of(settings, own, kwargs, chosen, self._with_files_named())
        here.connect_kwargs = kwargs
        if here.connect_timeout is None and "timeout" not in kwargs:
            here.connect_timeout = CONNECT_TIMEOUT_SECONDS
        here.client = Client(self.login)
        here.client.set_missing_host_key_policy(self)
        here.forward_agent = False  # whatever ssh_config says: no host needs our keys
        if isinstance(here.gateway, str):
            here.open_gateway = self._start_proxy

    def _with_files_named(self) -> dict[str, Any]:
        """Return what ssh_config says, with the tokens in the names of files replaced."""
        told = dict(self.way.ssh_config)
        for keyword, name in _FILES.items():
            if keyword in told:
                told[keyword] = [file_name(each, name, self.way.tokens) for each in told[keyword]]
        if "identityagent" in told:
            told["identityagent"] = agent_name(told["identityagent"], self.way.tokens)
        return told

    def _start_proxy(self) -> Proxy:
        command = expanded(str(self.connection.gateway), "ProxyCommand", self.way.tokens)
        self.proxy = Proxy(command)
        return self.proxy

    @functools.cached_property
    def known(self) -> KnownHosts:
        return known_hosts(self.settings, self.way.ssh_config, self.way.tokens)

    @property
    def identity(self) -> tuple[Any, ...]:
        here = self.connection
        command = here.gateway if isinstance(here.gateway, str) else ""
        return (here.host, here.port, here.user, command, self.known.keys, *self.login.identity)

    def forget(self) -> None:
        """What is seen on the way in is for whoever examines it afterwards."""
        self.trusted = self.passed = False
        self.peer = self.software = self.known_as = self.key_used = ""
        self.shown: tuple[str, bytes] | None = None
        self.transport: Transport | None = None
        self.proxy = None
        self.methods: tuple[str, ...] = ()

    def open(self) -> Trouble | None:
        """Log in, or say what went wrong."""
        self.forget()
        try:
            self.connection.open()
            self.connection.transport.set_keepalive(KEEPALIVE_SECONDS)
        except (*FAILURES, RefusedError) as error:
            return self._trouble(error)
        self.methods = self.connection.transport.methods
        self.key_used = self._key_used()
        self.passed = True
        return None

    def peek(self) -> tuple[str, bytes]:
        """Return type and key that the host shows, and go no further; raise HostError (3)."""
        self.peeks = True
        try:
            with suppress(_PeekedError):
                awaited(self.connection.open, self.give_up)
        except FAILURES as error:
            raise self._trouble(error).error(str(self)) from None
        finally:
            self.close()
            self.peeks = False
        return self.shown or ("", b"")

    def start(self, sock: Any, **options: Any) -> paramiko.Transport:
        """Paramiko's transport_factory: ask for the key types that are known before others."""
        self.sock = sock
        if self.is_given_up:
            raise EOFError
        _quicken(sock)
        self.peer = _peer(sock)
        self.transport = transport = Transport(sock, **options)
        transport.asks = self.asks
        transport.banner_timeout = transport.auth_timeout = HANDSHAKE_TIMEOUT_SECONDS
        transport.channel_timeout = CHANNEL_TIMEOUT_SECONDS
        transport.prefers = self.known.preferred(*self.name, transport.possible_keys())
        return transport

    def missing_host_key(self, _client: Any, _name: str, key: paramiko.PKey) -> None:
        """Paramiko's policy. As the client is given no known hosts, every key comes here.

        Its own check asks only for the first type known, and knows no wildcards and no @revoked.
        """
        self.shown = key.get_name(), key.asbytes()
        self.software = self.connection.client.get_transport().remote_version
        if self.peeks:
            raise _PeekedError
        certificate = getattr(key, "public_blob", None)
        blob = certificate.key_blob if certificate else b""
        self.known_as = self.known.check(*self.name, *self.shown, certificate=blob)
        self.trusted = True

    def give_up(self) -> None:
        """While another thread opens it: that one will see, and close it."""
        self.is_given_up = True
        with suppress(*FAILURES):
            if self.sock:
                self.sock.close()

    def close(self) -> None:
        # Its reader would look whether it is still wanted a tenth of a second later.
        if isinstance(self.sock, socket.socket):
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)
        with suppress(*FAILURES):
            self.connection.close()
        with suppress(*FAILURES):
            self.connection.client.close()
        if self.transport and self.transport.is_alive():
            # Interrupted in its handshake, it would be at work when Python ends, and complain.
            self.transport.stop_thread()
            self.transport.join(1)

    def _trouble(self, error: Exception) -> Trouble:
        here = self.connection
        if not self.trusted:
            complaint = self.proxy.complaint() if self.proxy else ""
            if complaint:
                return failed_proxy(complaint)
            return before_trust(error, here.connect_timeout or here.connect_kwargs["timeout"])
        self.methods = here.client.get_transport().ways_in(here.user)
        login = self.login
        return refused_login(error, ", ".join(login.tried), self.methods, login.notes)

    def _key_used(self) -> str:
        if self.login.own:
            return str(self.login.own)
        used = self.login.used
        return described(used.key) if used else ""

    def __str__(self) -> str:
        return f"{self.connection.user}@{self.connection.host}:{self.connection.port}"


def _peer(sock: Any) -> str:
    if not isinstance(sock, socket.socket):
        return "the other end"
    host, port, *_ = sock.getpeername()
    return f"{host} port {port}"


def _quicken(sock: Any) -> None:
    """Send at once (paramiko waits for delayed ACKs otherwise); give a dead link up in a minute."""
    if not isinstance(sock, socket.socket):  # a jump host's channel or a ProxyCommand
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LOST_AFTER_MILLISECONDS)
