"""The shared connection: one for a host and process, whoever asks; trusted, bounded, quick."""

import atexit
import gc
import itertools
import logging
import time
from contextlib import ExitStack
from typing import Any

import fabric
from invoke.context import Context

from ...config.settings import Settings
from ..signals import awaited
from .channel import is_alive
from .hop import Hop
from .keys import chosen_files
from .offers import own
from .route import config_of, ways
from .unreachable import Trouble

RETRY_WAITS_SECONDS: tuple[float, ...] = (1.0, 2.0)

# Paramiko logs a failed handshake with its traceback, and Python prints what nobody handles.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


def connect(settings: Settings, caller: Context) -> fabric.Connection:
    """Return an open connection: the one made before by the same route with the same keys, if any.

    Raise HostError (exit code 3) when the host cannot be reached, is not trusted or refuses the
    key; ConfigurationError (2) when the keys or known hosts that are set cannot be used.
    """
    return shared(Route(settings, caller)).target


# At its end, Python looks through all objects for some to collect: 40 ms for nothing.
atexit.register(gc.freeze)


@atexit.register
def close_all() -> None:
    while _shared:
        _shared.popitem()[1].close()


class Route:
    """All hops, the jump hosts first: each is held to the same rules."""

    def __init__(self, settings: Settings, caller: Context) -> None:
        config = config_of(caller)
        chosen = chosen_files(config.connect_kwargs)
        own_key = None if chosen else own(settings)
        self.hops = [Hop(way, settings, own_key, chosen) for way in ways(settings, config)]
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
                failure = trouble.error(where, tries)
                failure.may_pass = True
                raise failure
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
