"""Why a host could not be reached, in words for the person who has to do something about it."""

import errno
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ...config.errors import HostError
from ...config.harmless import harmless

_LONGEST: Final = 500
_PROHIBITED: Final = 1  # RFC 4254 section 5.1: the jump host's sshd forbids forwarding
_KEY_REMEDY: Final = (
    "check SSH_USER; set SSH_PRIVATE_KEY or SSH_KEY_FILE (SSH_KEY_PASSPHRASE if encrypted);\n"
    "  its public key must be in the host's ~/.ssh/authorized_keys (`ssh-copy-id`, or the"
    " hoster's panel)"
)
_PORT_HINT: Final = "check SSH_HOST and SSH_PORT (22 unless set; SiteGround uses 18765)"


@dataclass(frozen=True)
class Trouble:
    cause: str
    remedy: str
    transient: bool

    def error(self, where: str, tries: int = 1) -> HostError:
        times = f" after {tries} tries" if tries > 1 else ""
        return HostError(
            f"cannot connect to {where}{times}: {self.cause}", remedy=f"{self.remedy}."
        )


def before_trust(error: Exception, seconds: float) -> Trouble:
    """Explain what went wrong before the host key was accepted; `seconds` was the patience."""
    if isinstance(error, socket.gaierror):
        return _unresolved(error)
    if isinstance(error, OSError):
        return _network(error, seconds)
    if hasattr(error, "code"):  # paramiko's ChannelException, from a jump host
        return Trouble(
            f"the jump host does not lead there: {_words(error)}",
            f"{_PORT_HINT}; the jump host's sshd must allow TCP forwarding",
            transient=error.code != _PROHIBITED,
        )
    said = _words(error)
    if "No existing session" in said:  # paramiko's words for a handshake that is not done in time
        said = f"not done within {seconds:g} s"
    return Trouble(
        f"something answers there, but the SSH handshake fails: {said}",
        f"{_PORT_HINT}; the host may be overloaded or ban this address",
        transient="ncompatible" not in said,
    )


class RefusedError(Exception):
    """The host did not let us in, and we know why."""

    def __init__(self, cause: str, remedy: str = "") -> None:
        super().__init__(cause)
        self.remedy = remedy


def too_many_keys(shown: int) -> RefusedError:
    return RefusedError(
        f"it hung up after {shown} {'key' if shown == 1 else 'keys'}: too many keys",
        "name the one key that it knows: set SSH_KEY_FILE or SSH_PRIVATE_KEY, or write"
        " IdentityFile and `IdentitiesOnly yes` into ssh_config;\n"
        "  `ssh-add -l` lists the keys of the ssh agent, which are tried one by one",
    )


def second_factor(methods: Sequence[str]) -> RefusedError:
    return RefusedError(
        "it took the key, and demands a second factor"
        f" ({harmless(', '.join(methods))[:_LONGEST]}), which no run can give by itself",
        "use an account that needs the key alone, or let the host's sshd_config have it so for"
        " this one:\n"
        "    Match User NAME\n"
        "        AuthenticationMethods publickey",
    )


def refused_login(
    error: Exception, tried: str, methods: Sequence[str], notes: Sequence[str] = ()
) -> Trouble:
    """Explain why a host that is trusted did not let one in."""
    offers = f"; it accepts: {harmless(', '.join(methods))[:_LONGEST]}" if methods else ""
    told = "".join(f"\n    {harmless(note)[:_LONGEST]}" for note in dict.fromkeys(notes))
    remedy = getattr(error, "remedy", "")
    if not remedy and methods and "publickey" not in methods:
        remedy = (
            "this host takes no keys from this account: ask whoever runs it to accept them"
            " (PubkeyAuthentication, AuthenticationMethods in its sshd_config)"
        )
    return Trouble(
        f"it does not let us in: {_words(error)}\n    tried: {tried or 'no key'}{offers}{told}",
        remedy or _KEY_REMEDY,
        transient=False,
    )


def failed_proxy(complaint: str) -> Trouble:
    return Trouble(
        f"the ProxyCommand for it failed: {harmless(complaint)[:_LONGEST]}",
        "type that command by hand; ssh_config has it",
        transient=True,
    )


def _words(error: Exception) -> str:
    """In one line: a host may have chosen them, and is not to look like us in the next."""
    return harmless(str(error).rstrip("."))[:_LONGEST] or "the connection was closed"


def _unresolved(error: socket.gaierror) -> Trouble:
    return Trouble(
        f"its name does not resolve ({error.strerror})",
        "check SSH_HOST, HostName in ssh_config, and this machine's DNS",
        transient=error.errno == socket.EAI_AGAIN,
    )


def _network(error: OSError, seconds: float) -> Trouble:
    if error.filename is not None:
        return Trouble(
            f"{error.filename}: {error.strerror}",
            "check the ProxyCommand in ssh_config",
            transient=False,
        )
    if isinstance(error, TimeoutError):
        return Trouble(
            f"no answer within {seconds:g} s",
            f"{_PORT_HINT}, and whether a firewall lets this machine in",
            transient=True,
        )
    numbers = set(_numbers(error))
    if numbers == {errno.ECONNREFUSED}:
        return Trouble(
            "connection refused", f"is sshd listening there? {_PORT_HINT}", transient=True
        )
    why = ", ".join(os.strerror(number) for number in sorted(numbers)) or str(error)
    return Trouble(why, f"{_PORT_HINT}, and this machine's network", transient=True)


def _numbers(error: OSError) -> Iterator[int]:
    """Paramiko's NoValidConnectionsError holds one error for each address of the host."""
    for one in getattr(error, "errors", {"": error}).values():
        if one.errno is not None:
            yield one.errno
