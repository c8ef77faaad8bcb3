"""Whether somebody must act, by what the last run has left and how old the newest proof is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ...remote.catalog import PRE_RESTORE
from ...remote.facts import time_of
from .._show.units import age

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ...config.settings import Settings
    from ...remote.catalog import Archive

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
LEVELS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Health:
    """`level` is what a monitor makes of it, `good` what a script does."""

    level: int
    good: bool
    why: tuple[str, ...]


@dataclass(frozen=True)
class LastRun:
    """The facts of BACKUP_DIR's `status`; `at_work` names who still is."""

    facts: Mapping[str, str]
    problems: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        return self.facts.get("result") == "success"

    @property
    def at_work(self) -> str:
        return self.facts.get("at_work", "") if self.has_not_ended else ""

    @property
    def has_not_ended(self) -> bool:
        """As `lock` writes it when a run begins."""
        return (self.facts.get("step"), self.facts.get("code")) == ("lock", "1")

    @property
    def time(self) -> datetime | None:
        try:
            return time_of(self.facts.get("time", ""))
        except ValueError:
            return None

    def when(self, now: datetime) -> str:
        return f"{age((now - self.time).total_seconds())} ago" if self.time else "some time ago"


def newest_proven(archives: Iterable[Archive], settings: Settings, now: datetime) -> Archive | None:
    """The newest that a deploy could go back to; none that is dated ahead by a clock gone wrong."""
    proven = [
        archive
        for archive in archives
        if (archive.project, archive.database) == (settings.project, settings.db_name)
        and archive.label != PRE_RESTORE
        and archive.at_least(settings.least_proof)
        and not archive.shrunk
        and archive.created <= now + _TOLERANCE
    ]
    return max(proven, key=lambda archive: archive.order, default=None)


def caveat(last: LastRun, archives: Iterable[Archive], settings: Settings) -> Health | None:
    """What speaks against the word of a run that succeeded: its archive, as it is now."""
    name = last.facts.get("archive", "")
    made = next((each for each in archives if each.name == name), None)
    if not last.succeeded or (made is None and last.facts.get("task") == "restore"):
        return None
    if made is None:
        why = f"what the last run has made is gone, or its manifest cannot be read: {name}"
        return Health(CRITICAL, False, (why,))
    if not made.intact or made.rank < 0:
        return Health(CRITICAL, False, (f"what the last run has made is damaged: {name}",))
    if (made.project, made.database) != (settings.project, settings.db_name):
        of = f"{made.project}, database {made.database}"
        return Health(WARNING, False, (f"the last run there was of {of}: it tells nothing here",))
    return None


def judged(
    last: LastRun,
    newest: Archive | None,
    now: datetime,
    max_age_seconds: int | None,
    but: Health | None = None,
) -> Health:
    """The worse of two: the last run, and the age of the newest proven archive if that is asked.

    `but` is the caveat of the run, which counts where nothing is asked of the archives.
    """
    run = _of_run(last, now, is_all=max_age_seconds is None)
    if max_age_seconds is None:
        return but or run
    archive = _of_age(newest, now, max_age_seconds)
    why = (*run.why, *archive.why) if run.level >= archive.level else (*archive.why, *run.why)
    return Health(max(run.level, archive.level), run.good and archive.good, why)


def _of_run(last: LastRun, now: datetime, *, is_all: bool) -> Health:
    """A run at work has no result yet: archives tell what there is to go back to, if asked."""
    if not last.facts:
        return Health(CRITICAL, False, ("no run is on record",))
    if last.at_work:
        why = (f"{last.at_work}, is at work",)
        return Health(WARNING, False, why) if is_all else Health(OK, True, why)
    return _of_end(last.facts, last, now)


def _of_end(told: Mapping[str, str], last: LastRun, now: datetime) -> Health:
    run = f"{told.get('task', 'a run')} {last.when(now)}"
    reason = told.get("reason") or "it does not say why"
    if last.succeeded and told.get("code") == "0":
        proof = f" ({told['proof']})" if told.get("proof") else ""
        return Health(OK, True, (f"{run}: {told.get('archive', '')}{proof}",))
    if last.succeeded:
        return Health(WARNING, True, (f"{run}: it succeeded, but then: {reason}",))
    if told.get("result") != "failure":
        why = "the record of the last run cannot be read"
    elif last.has_not_ended:
        why = f"{run}: it never ended: {reason}"
    else:
        why = f"{run}: it failed with exit code {told.get('code', '?')}: {reason}"
    return Health(CRITICAL, False, (why,))


def _of_age(newest: Archive | None, now: datetime, max_age_seconds: int) -> Health:
    if newest is None:
        return Health(CRITICAL, False, ("there is no proven archive",))
    old = (now - newest.created).total_seconds()
    why = f"the newest proven archive is {age(old)} old"
    if old > max_age_seconds:
        return Health(CRITICAL, False, (f"{why}, more than {age(max_age_seconds)}: {newest.name}",))
    return Health(OK, True, (why,))
