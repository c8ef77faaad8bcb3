"""Where a host is, as people write it: HOST, USER@HOST:PORT, [::1]:2222, ssh://USER@HOST:PORT."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final

from . import parsers

_BRACKETED: Final = r"\[([^\[\]]+)\](?::(.*))?"


@dataclass(frozen=True)
class Address:
    host: str
    user: str | None = None
    port: int | None = None

    def and_also(self, user: str | None, port: int | None) -> "Address":
        """Add what is said elsewhere; raise ValueError where that is something else."""
        for name, here, there in (("user", self.user, user), ("port", self.port, port)):
            if here is not None and there is not None and here != there:
                raise ValueError(f"says the {name} {here}, and the setting for it says {there}")
        return Address(self.host, user or self.user, port or self.port)


def address_host(text: str) -> str:
    return address(text).host


def address(text: str) -> Address:
    """Raise ValueError for what is none. An IPv6 address needs brackets only before a port."""
    user, at, place = _without_scheme(text).rpartition("@")
    if at and ":" in user:
        raise ValueError("must not hold a password: only keys are used to log in")
    if at:
        parsers.user(user)
    bracketed = re.fullmatch(_BRACKETED, place)
    host, port = place, None
    if bracketed:
        host, port = bracketed[1], bracketed[2]
    elif place.count(":") == 1:
        host, _, port = place.partition(":")
    parsers.host(host)
    if set(":[]") & set(host):
        _ipv6(host)
    return Address(host, user or None, None if port is None else _port(port))


def _without_scheme(text: str) -> str:
    scheme, found, rest = text.rpartition("://")
    if not found:
        return text
    if scheme.lower() != "ssh":
        raise ValueError("must be a host, or begin with ssh://")
    rest = rest.removesuffix("/")
    if "/" in rest:
        raise ValueError("must not have a path behind the host")
    return rest


def _port(text: str) -> int:
    try:
        return parsers.whole(1, 65_535)(text)
    except ValueError:
        raise ValueError("must have a port from 1 to 65535 behind its colon") from None


def _ipv6(text: str) -> None:
    try:
        IPv6Address(text)
    except ValueError:
        raise ValueError("must be HOST, HOST:PORT, or an IPv6 address: [ADDRESS]:PORT") from None
