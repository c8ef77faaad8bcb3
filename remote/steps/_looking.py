"""Runs that only look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._door.script import Step
from ._texts import sql_of

if TYPE_CHECKING:
    from ...config.settings import Settings

LOG_BYTES = 200_000  # shown of a log at most: what captures them is made for less than a few MB


def look() -> Step:
    """First of a run that only looks: the steps after it tell of problems, and change nothing."""
    return Step("look")


def outline(settings: Settings) -> Step:
    """In place of `dump`, where there is to be none: `rehearse` can follow it."""
    return Step(
        "outline",
        {
            "outline_sql": sql_of("outline"),
            "lock_timeout_seconds": str(settings.lock_timeout_seconds),
        },
    )


def status() -> Step:
    return Step("status")


def logs(archive: str = "") -> Step:
    """Without an archive: the log of the last run."""
    return Step("logs", {"archive": archive, "most_bytes": str(LOG_BYTES)})


def space() -> Step:
    return Step("space")
