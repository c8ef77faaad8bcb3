"""The shared connection: one for a host and process, whoever asks; trusted, bounded, quick."""

import atexit
import functools
import io
import itertools
import logging
import selectors
import socket
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, Final

import fabric
import paramiko
from invoke.context import Context

from ..config.errors import HostError
from ..config.settings import Settings
from .exchange import LOST
from .hostkeys import KnownHosts, fingerprint, known_hosts
from .keys import chosen_files, existing, own_key
from .route import config_of, hops
from .signals import awaited
from .ssh_config import proxy
from .unreachable import Trouble, before_trust, refused_login

RETRY_WAITS_SECONDS: tuple[float, ...] = (1.0, 2.0)
SESSION_WAITS_SECONDS: Final = (0.02, 0.1, 0.5)
CONNECT_TIMEOUT_SECONDS: Final = 10
HANDSHAKE_TIMEOUT_SECONDS: Final = 15
CHANNEL_TIMEOUT_SECONDS: Final = 30
KEEPALIVE_SECONDS: Final = 15
LOST_AFTER_MILLISECONDS: Final = 60_000
CHUNK_BYTES: Final = 64 * 1024

_KEY_CLASSES: Final = {
    "ed25519": paramiko.Ed25519Key,
    "ecdsa": paramiko.ECDSAKey,
    "rsa": paramiko.RSAKey,
}
# ValueError: a key file that is no text, a host name that is none.
_FAILURES: Final = (OSError, EOFError, ValueError, paramiko.SSHException)

# Paramiko logs a failed handshake with its traceback, and Python prints what nobody handles.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


def connect(settings: Settings, caller: Context) -> fabric.Connection:
    """Return an open connection: the one made before by the same route with the same keys, if any.

    Raise HostError (exit code 3) when the host cannot be reached, is not trusted or refuses the
    key; ConfigurationError (2) when the keys or known hosts that are set cannot be used.
    """
    return shared(Route(settings, caller)).target


def is_alive(connection: fabric.Connection) -> bool:
    transport = connection.transport
    return bool(transport and transport.is_active() and transport.is_authenticated())


def await_sign_of_life(connection: fabric.Connection) -> None:
    """Return when the host has answered: that it does not know this request is an answer, too."""
    with suppress(*_FAILURES):
        connection.transport.global_request("keepalive@openssh.com", wait=True)


class SshChannel:
    """A command on a host. See exchange.Channel; only one thread may use it."""

    def __init__(self, connection: fabric.Connection, command: str) -> None:
        """Raise ConnectionResetError where the connection is lost."""
        try:
            self._channel = connection.transport.open_session()
            self._channel.exec_command(command)
        except _FAILURES as failure:
            if is_alive(connection):
                raise
            raise ConnectionResetError(str(failure)) from None
        self._channel.settimeout(0.0)
        self._is_broken = False
        self._came = selectors.DefaultSelector()
        self._came.register(self._channel.fileno(), selectors.EVENT_READ)

    def receive(self, seconds: float) -> tuple[bytes, bytes]:
        if self.has_ended:
            time.sleep(seconds)
            return b"", b""
        if not self._is_there:
            self._came.select(seconds)
        try:
            out = self._channel.recv(CHUNK_BYTES) if self._channel.recv_ready() else b""
            err = b""
            if self._channel.recv_stderr_ready():
                err = self._channel.recv_stderr(CHUNK_BYTES)
        except _FAILURES:
            # Paramiko had read a piece when it met the end of the connection, and the piece is
            # gone. What may still be there comes after it, so nothing more is read.
            self._is_broken = True
            return b"", b""
        return out, err

    @property
    def _is_there(self) -> bool:
        if self._is_broken:
            return False
        return bool(self._channel.recv_ready() or self._channel.recv_stderr_ready())

    def send(self, data: memoryview) -> int:
        with suppress(TimeoutError):  # the host takes no more at the moment
            return int(self._channel.send(bytes(data[:CHUNK_BYTES])))
        return 0

    def end_input(self) -> None:
        self._channel.shutdown_write()

    @property
    def has_ended(self) -> bool:
        ended = self._is_broken or self._channel.closed or self._channel.eof_received
        return bool(ended) and not self._is_there

    @property
    def exit_code(self) -> int | None:
        if self._is_broken:
            return LOST
        return self._channel.recv_exit_status() if self._channel.exit_status_ready() else None

    def close(self) -> None:
        self._came.close()
        with suppress(*_FAILURES):
            self._channel.close()


@atexit.register
def close_all() -> None:
    while _shared:
        _shared.popitem()[1].close()


@dataclass(frozen=True)
class _OwnKey:
    """The profile's key; `name` is the setting that holds it."""

    name: str
    key: paramiko.PKey

    def __str__(self) -> str:
        kind = self.key.get_name().removeprefix("ssh-")
        return f"{self.name}, {kind} {fingerprint(self.key.asbytes())}"


def _own_key(settings: Settings) -> _OwnKey | None:
    found = own_key(settings.ssh_private_key, settings.ssh_key_file, settings.ssh_key_passphrase)
    if found is None:
        return None
    name, kind, text = found
    return _OwnKey(name, _KEY_CLASSES[kind].from_private_key(io.StringIO(text)))


class _PeekedError(Exception):
    """Not a failure: the host has shown its key, and no more was wanted."""


class _Transport(paramiko.Transport):  # type: ignore[misc]  # paramiko has no types
    asks = False
    methods: tuple[str, ...] = ()

    def auth_publickey(self, username: str, *args: Any, **kwargs: Any) -> Any:
        """Before the first key, ask what else there is, if somebody wants to know."""
        if self.asks:
            self.asks = False
            self.methods = _methods(self, username)
        return super().auth_publickey(username, *args, **kwargs)

    def open_session(self, *args: Any, **kwargs: Any) -> paramiko.Channel:
        """Ask again: where MaxSessions is 1, sshd may not have cleared the last session away."""
        for wait in SESSION_WAITS_SECONDS:
            with suppress(paramiko.ChannelException):
                return self._open_session(*args, **kwargs)
            time.sleep(wait)
        return self._open_session(*args, **kwargs)

    def _open_session(self, *args: Any, **kwargs: Any) -> paramiko.Channel:
        """A link that does not answer is as good as none."""
        try:
            return super().open_session(*args, **kwargs)
        except paramiko.ChannelException:
            raise
        except paramiko.SSHException as failure:
            self.close()
            raise ConnectionResetError(str(failure)) from None


class Hop:
    """The host, or a jump host on the way: an SSH login with a host key that is known."""

    def __init__(
        self, connection: fabric.Connection, settings: Settings, own: _OwnKey | None
    ) -> None:
        self.connection = connection
        self.settings = settings
        self.own = own
        self.asks = self.peeks = self.is_given_up = False
        self.sock: Any = None
        self.forget()
        alias = connection.ssh_config.get("hostkeyalias")
        self.name: tuple[str, int] = (alias, 22) if alias else (connection.host, connection.port)
        kwargs = dict(connection.connect_kwargs, transport_factory=self.start)
        self.key_files = existing(kwargs.pop("key_filename", []))
        kwargs["key_filename"] = self.key_files
        if own:  # alone, since hosts hang up on those who offer many keys
            kwargs.update(pkey=own.key, allow_agent=False, look_for_keys=False)
        elif settings.ssh_key_passphrase:
            kwargs.setdefault("passphrase", settings.ssh_key_passphrase)
        connection.connect_kwargs = kwargs
        if connection.connect_timeout is None and "timeout" not in kwargs:
            connection.connect_timeout = CONNECT_TIMEOUT_SECONDS
        connection.client.set_missing_host_key_policy(self)
        connection.forward_agent = False  # whatever ssh_config says: no host needs our keys
        if isinstance(connection.gateway, str):
            connection.open_gateway = functools.partial(proxy, connection.host, connection.gateway)

    @functools.cached_property
    def known(self) -> KnownHosts:
        return known_hosts(self.settings, self.connection.ssh_config)

    @property
    def identity(self) -> tuple[Any, ...]:
        here = self.connection
        command = here.gateway if isinstance(here.gateway, str) else ""
        return (
            here.host,
            here.port,
            here.user,
            command,
            str(self.own),
            self.known.keys,
            *self.key_files,
        )

    def forget(self) -> None:
        """What is seen on the way in is for whoever examines it afterwards."""
        self.trusted = self.passed = False
        self.peer = self.software = self.known_as = self.key_used = ""
        self.shown: tuple[str, bytes] | None = None
        self.transport: paramiko.Transport | None = None
        self.methods: tuple[str, ...] = ()

    def open(self) -> Trouble | None:
        """Log in, or say what went wrong."""
        self.forget()
        try:
            self.connection.open()
            self.connection.transport.set_keepalive(KEEPALIVE_SECONDS)
        except _FAILURES as error:
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
        except _FAILURES as error:
            raise HostError(self._trouble(error).message(str(self), 1)) from None
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
        self.transport = transport = _Transport(sock, **options)
        transport.asks = self.asks
        transport.banner_timeout = transport.auth_timeout = HANDSHAKE_TIMEOUT_SECONDS
        transport.channel_timeout = CHANNEL_TIMEOUT_SECONDS
        security = transport.get_security_options()
        security.key_types = self.known.preferred(*self.name, security.key_types)
        return transport

    def missing_host_key(self, _client: Any, _name: str, key: paramiko.PKey) -> None:
        """Paramiko's policy. As the client is given no known hosts, every key comes here.

        Its own check asks only for the first type known, and knows no wildcards and no @revoked.
        """
        self.shown = key.get_name(), key.asbytes()
        self.software = self.connection.client.get_transport().remote_version
        if self.peeks:
            raise _PeekedError
        self.known_as = self.known.check(*self.name, *self.shown)
        self.trusted = True

    def give_up(self) -> None:
        """While another thread opens it: that one will see, and close it."""
        self.is_given_up = True
        with suppress(*_FAILURES):
            if self.sock:
                self.sock.close()

    def close(self) -> None:
        with suppress(*_FAILURES):
            self.connection.close()
        with suppress(*_FAILURES):
            self.connection.client.close()
        if self.transport and self.transport.is_alive():
            # Interrupted in its handshake, it would be at work when Python ends, and complain.
            self.transport.stop_thread()
            self.transport.join(1)

    def _trouble(self, error: Exception) -> Trouble:
        here = self.connection
        if not self.trusted:
            return before_trust(error, here.connect_timeout or here.connect_kwargs["timeout"])
        tried = [str(self.own)] if self.own else []
        tried += self.key_files
        if here.connect_kwargs.get("allow_agent", True):
            tried.append("the ssh agent's keys")
        if here.connect_kwargs.get("look_for_keys", True):
            tried.append("~/.ssh/id_*")
        self.methods = _methods(here.client.get_transport(), here.user)
        return refused_login(error, ", ".join(tried), list(self.methods))

    def _key_used(self) -> str:
        key = getattr(self.connection.transport.auth_handler, "private_key", None)
        if self.own or key is None:
            return str(self.own or "")
        return f"{key.get_name().removeprefix('ssh-')} {fingerprint(key.asbytes())}"

    def __str__(self) -> str:
        return f"{self.connection.user}@{self.connection.host}:{self.connection.port}"


class Route:
    """All hops, the jump hosts first: each is held to the same rules."""

    def __init__(self, settings: Settings, caller: Context) -> None:
        config = config_of(caller)
        chosen = chosen_files(config.connect_kwargs)
        own = None if chosen else _own_key(settings)
        self.hops = [Hop(connection, settings, own) for connection in hops(settings, config)]
        self.target = self.hops[-1].connection

    @property
    def identity(self) -> tuple[Any, ...]:
        return tuple(hop.identity for hop in self.hops)

    def open(self) -> None:
        for hop in self.hops:
            _ = hop.known  # what is malformed is found before anything is contacted
        waits = iter(RETRY_WAITS_SECONDS)
        for tries in itertools.count(1):
            failed = awaited(self._try, self._give_up)
            if failed is None:
                return
            hop, trouble = failed
            wait = next(waits, None) if trouble.transient else None
            if wait is None:
                where = str(hop) if hop is self.hops[-1] else f"the jump host {hop}"
                raise HostError(trouble.message(where, tries), may_pass=True)
            time.sleep(wait)

    def _try(self) -> tuple[Hop, Trouble] | None:
        with ExitStack() as on_failure:
            on_failure.callback(self.close)
            for hop in self.hops:
                trouble = hop.open()
                if trouble:
                    return hop, trouble
            on_failure.pop_all()
        return None

    def _give_up(self) -> None:
        for hop in self.hops:
            hop.give_up()

    def close(self) -> None:
        for hop in reversed(self.hops):
            hop.close()


_shared: dict[tuple[Any, ...], Route] = {}


def shared(route: Route) -> Route:
    """Open it, unless it is open already: then return the one that is."""
    known = _shared.get(route.identity)
    if known and is_alive(known.target):
        return known
    if known:
        known.close()
    with ExitStack() as on_failure:
        on_failure.callback(route.close)
        route.open()
        _shared[route.identity] = route
        on_failure.pop_all()
    return route


def _methods(transport: Any, user: str) -> tuple[str, ...]:
    """Return the ways to log in that the host names, while it still talks to us."""
    try:
        transport.auth_none(user)
    except paramiko.BadAuthenticationType as refusal:
        return tuple(refusal.allowed_types)
    except _FAILURES:
        pass
    return ()


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
