"""What `status` has found on the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ...remote.catalog import Archive
    from .health import Health, LastRun


@dataclass(frozen=True)
class Status:
    """`newest` is the newest proven archive of this project and database, `now` the host's time.

    `logs` is the command that tells more.
    """

    health: Health
    last: LastRun
    newest: Archive | None
    archives: int
    free_bytes: int | None
    now: datetime
    host: str
    logs: str

    @property
    def age_seconds(self) -> float:
        return (self.now - self.newest.created).total_seconds() if self.newest else 0
