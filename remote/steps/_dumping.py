"""A dump, and its way to an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._door.script import Step
from ..catalog import PRE_DEPLOY
from ._texts import awk_of, sql_of

if TYPE_CHECKING:
    from ...config.settings import Settings


def preflight(settings: Settings, *, dumps: bool = True) -> Step:
    return Step(
        "preflight",
        {
            "compress": settings.compress or "",
            "preflight_sql": sql_of("preflight"),
            "dumps": "yes" if dumps else "",
        },
    )


def dump(settings: Settings, label: str = PRE_DEPLOY) -> Step:
    return Step(
        "dump",
        {
            "project": settings.project,
            "label": label,
            "version": settings.version or "",
            "lock_timeout_seconds": str(settings.lock_timeout_seconds),
            "snapshot_sql": sql_of("snapshot"),
            "queue_sql": sql_of("queue"),
            "context_sql": sql_of("locale") + sql_of("context", "needs"),
            **content(hashes=settings.hashes),
        },
    )


def content(*, hashes: bool) -> dict[str, str]:
    """What tells of the contents of each table: their number, or their hashes too."""
    return {
        "content_sql": sql_of("content" if hashes else "count") + sql_of("recount"),
        "sequences_sql": sql_of("sequences") if hashes else "",
    }


def shrink(settings: Settings, *, accept: bool = False) -> Step:
    """Before `publish`, which keeps on record what it says."""
    return Step(
        "shrink",
        {
            "shrink_bytes_percent": str(settings.shrink_bytes_percent),
            "shrink_rows_percent": str(settings.shrink_rows_percent),
            "accept_shrink": "yes" if accept else "",
            "manifests_awk": awk_of("manifests"),
            "shrink_awk": awk_of("shrink"),
        },
    )


def gate() -> Step:
    """After `publish`, as what has shrunk is kept all the same."""
    return Step("gate")


def publish(settings: Settings, *, pinned: bool = False) -> Step:
    variables = {"git_commit": settings.git_commit or "", "pinned": "yes" if pinned else ""}
    return Step("publish", variables)
