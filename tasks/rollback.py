"""A deploy that is undone when it fails, for those who want it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit, UnexpectedExit

from ..config.errors import PredeployError
from ..config.github import plain
from ._host.session import opened, prepared, session
from ._show.report import tell
from ._show.stream import silence

if TYPE_CHECKING:
    from invoke.context import Context

    from ..config.settings import Settings
    from ..remote.catalog import Archive


@contextmanager
def rollback_on_failure(c: Context, archive: Archive | None = None) -> Iterator[Archive]:
    """Restore the archive, or the one that it takes first, when the block raises; then raise on.

    Where the gate fails the block does not run. SIGTERM and SIGHUP count as raised, unless they
    are ignored, as under nohup; an exit with code 0 does not. It never asks. Raise what the
    restore raises if that fails too, as a rule RestoreError (15): then the database is as the
    block left it.
    """
    from ..remote.signals import heeded_signals, signals_raise

    directory = Path.cwd()
    settings, caller = prepared(c)  # now: the deploy may well check out another profile
    archive = archive or _taken(c)
    heeded = set(heeded_signals()) - {signal.SIGINT}  # which Python raises itself
    try:
        with signals_raise(*heeded):
            yield archive
    except BaseException as failure:
        if not _is_success(failure):
            with suppress(OSError):
                os.chdir(directory)  # where a relative path of the settings leads, wherever it went
            _go_back(settings, caller, archive, failure)
        raise


def _taken(c: Context) -> Archive:
    from ._gate.gate import passed

    with session(c) as host:
        return passed(host)


def _is_success(ending: BaseException) -> bool:
    return (
        isinstance(ending, GeneratorExit)
        or (isinstance(ending, SystemExit) and ending.code in (None, 0))
        or (isinstance(ending, Exit) and ending.code == 0)
    )


def _go_back(settings: Settings, caller: Any, archive: Archive, failure: BaseException) -> None:
    from ._restore.restoring import bring_back_at_once

    why = _words(failure)
    try:
        tell(f"The deploy failed ({why}): going back to {archive.name}")
    except OSError:  # of a disk that the deploy has filled, say
        silence(sys.stdout)
    try:
        with opened(settings, caller) as host:
            bring_back_at_once(host, archive.name)
    except PredeployError as also:
        raise also.add(f"The deploy that was to be undone had failed: {why}") from failure


def _words(failure: BaseException) -> str:
    """One line; invoke shows all of it once it is raised on."""
    text = str(failure)
    if isinstance(failure, (SystemExit, Exit)):
        text = getattr(failure, "message", None) or f"exit code {failure.code}"
    elif isinstance(failure, UnexpectedExit):
        text = f"a command ended with exit code {failure.result.exited}"
    return plain(text.strip().partition("\n")[0] or type(failure).__name__)
