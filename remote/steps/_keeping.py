"""Which archives there are, and which stay."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from .._door.script import Step
from ..catalog import PRE_DEPLOY
from ._texts import awk_of

if TYPE_CHECKING:
    from ...config.settings import Settings


def catalog() -> Step:
    return Step("catalog", {"catalog_awk": awk_of("catalog")})


def retention(settings: Settings, *, upcoming: bool = False) -> Step:
    """With `upcoming`: as if a run that starts now had made its archive already."""
    group = (settings.project, PRE_DEPLOY, settings.db_name)
    return Step(
        "retention",
        {
            "now": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "max_backups": str(settings.max_backups),
            "keep_days": str(settings.keep_days or ""),
            "keep_daily": str(settings.keep_daily or ""),
            "keep_weekly": str(settings.keep_weekly or ""),
            "keep_monthly": str(settings.keep_monthly or ""),
            "proof": settings.least_proof,
            "upcoming": "\n".join(group) if upcoming else "",
            "manifests_awk": awk_of("manifests"),
            "retention_awk": awk_of("retention"),
        },
    )


def prune() -> Step:
    return Step("prune")


def pin(name: str, *, pinned: bool = True) -> Step:
    return Step("pin", {"archive": name, "pin": "yes" if pinned else ""})
