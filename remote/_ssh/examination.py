"""The way to a host, looked at hop by hop: for who wants to know how far one comes, and why."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import fabric
from invoke.context import Context

from ...config.errors import HostError
from ...config.settings import Settings
from ..signals import awaited
from .connection import Route, shared
from .hop import Hop
from .hostkeys import UnknownKeyError
from .known_lines import address, family, fingerprint, known_line, parse


@dataclass(frozen=True)
class Seen:
    """One hop, as far as one came: what was not reached is empty.

    `addresses` is None where this machine does not look its name up: a jump host or a ProxyCommand
    does.
    """

    where: str
    name: str
    addresses: tuple[str, ...] | None
    peer: str
    software: str
    host_key: str
    known_as: str
    methods: tuple[str, ...]
    key_used: str


class Examination(NamedTuple):
    """`failure` is what ended it, `failed` where: dns, port, host key or login of the last hop."""

    hops: tuple[Seen, ...]
    connection: fabric.Connection | None
    failure: HostError | None = None
    failed: str = ""


@dataclass(frozen=True)
class HostKey:
    """What a hop has shown; `place` is where it is known already, if it is."""

    where: str
    family: str
    fingerprint: str
    line: str
    place: str
    jump: bool


def examine(settings: Settings, caller: Context) -> Examination:
    """Connect as every task does, and return what was seen on the way, also where that fails."""
    route = Route(settings, caller)
    for hop in route.hops:
        hop.asks = True
    addresses = _looked_up(route.hops[0])
    try:
        route = shared(route)
    except HostError as failure:
        passed = [hop for hop in route.hops if hop.passed]
        stopped_at = route.hops[len(passed)]
        seen = _seen([*passed, stopped_at], addresses)
        return Examination(seen, None, failure, _stage(stopped_at, seen[-1].addresses))
    return Examination(_seen(route.hops, addresses), route.target)


def host_keys(settings: Settings, caller: Context, approve: Callable[[HostKey], None]) -> list[str]:
    """Return a known_hosts line for each hop, which `approve` has been shown and did not refuse.

    Raise HostError (3) where a hop does not answer, or is known by another key.
    """
    route = Route(settings, caller)
    lines: list[str] = []
    try:
        for hop in route.hops:
            last = hop is route.hops[-1]
            kind, blob = hop.peek()
            line = known_line(*hop.name, kind, blob)
            shown = HostKey(
                where=address(*hop.name),
                family=family(kind),
                fingerprint=fingerprint(blob),
                line=line,
                place=_place(hop, kind, blob),
                jump=not last,
            )
            approve(shown)
            lines.append(line)
            if not last:
                _go_through(hop, line)
    finally:
        route.close()
    return lines


def _place(hop: Hop, kind: str, blob: bytes) -> str:
    try:
        return hop.known.check(*hop.name, kind, blob)
    except UnknownKeyError:
        return ""


def _go_through(hop: Hop, line: str) -> None:
    hop.known = replace(hop.known, keys=(*hop.known.keys, *parse(line, "", strict=True)))
    trouble = awaited(hop.open, hop.give_up)
    if trouble:
        raise trouble.error(f"the jump host {hop}")


def _looked_up(hop: Hop) -> tuple[str, ...] | None:
    if hop.connection.gateway:
        return None
    try:
        found = socket.getaddrinfo(
            hop.connection.host, hop.connection.port, type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


def _stage(hop: Hop, addresses: tuple[str, ...] | None) -> str:
    if hop.trusted:
        return "login"
    if hop.shown:
        return "host key"
    return "dns" if addresses == () else "port"


def _seen(hops: list[Hop], addresses: tuple[str, ...] | None) -> tuple[Seen, ...]:
    return tuple(_one(hop, None if number else addresses) for number, hop in enumerate(hops))


def _one(hop: Hop, addresses: tuple[str, ...] | None) -> Seen:
    kind, blob = hop.shown or ("", b"")
    return Seen(
        where=str(hop),
        name=hop.connection.host,
        addresses=addresses,
        peer=hop.peer,
        software=hop.software,
        host_key=f"{family(kind)} {fingerprint(blob)}" if hop.shown else "",
        known_as=hop.known_as,
        methods=hop.methods,
        key_used=hop.key_used,
    )
