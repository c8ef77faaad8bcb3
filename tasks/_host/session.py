"""A session with a host: settings that are checked, a connection, and signals that end it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...remote import guard_match_exec
from .called import asked_for, caller, refuse_dry
from .host import Host

if TYPE_CHECKING:
    from invoke.context import Context

    from ...config.settings import Settings

guard_match_exec()


@contextmanager
def session(
    c: Context,
    overrides: Mapping[str, str | None] | None = None,
    *,
    quiet: bool = False,
) -> Iterator[Host]:
    """Everything is checked before the host is contacted; signals become exit code 130."""
    from .._show.github import failures_told

    with failures_told():
        settings, called = prepared(c, overrides)
        with opened(settings, called, quiet=quiet) as host:
            yield host


@contextmanager
def opened(settings: Settings, called: Any, *, quiet: bool = False) -> Iterator[Host]:
    """Use settings that were loaded before: a deploy may have changed the files since then."""
    # Only here, as it takes half of what `fab --list` takes in all.
    from ...remote import Link
    from ...remote.signals import heeded_signals, signals_raise
    from .._show.github import failures_told

    with failures_told(), signals_raise(*heeded_signals()):
        yield Host(settings, Link(settings, called), quiet)


def prepared(c: Context, overrides: Mapping[str, str | None] | None = None) -> tuple[Settings, Any]:
    """Return the settings, all of them checked, and the context that knows how fab was called."""
    from ...config.loading import load
    from .._show.github import mask

    called = caller(c)
    refuse_dry(c)
    profile, given_by_name = asked_for(called)
    given = {
        **given_by_name,
        **{name: str(value) for name, value in (overrides or {}).items() if value is not None},
    }
    settings = load(profile, given)
    mask(settings)
    return settings, called
