"""Which archive `--undo` goes back to: the one that the last restore of this database has kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...config import errors
from ...remote import recipes
from ...remote.catalog import PRE_RESTORE, read
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...config.settings import Settings
    from ...remote.catalog import Archive, Catalog
    from .._host.host import Host

_BEGINS: Final = "begins to restore"
_FAILED: Final = "did not restore"
_MOST_CANDIDATES: Final = 5
# As `audit` of remote/steps/lib/ending.sh writes it.
_LINE: Final = (
    r"(?P<time>\S+) (?P<verb>begins to restore|restored|did not restore) (?P<archive>.*?)"
    r" into {database} on {server} by .*? way=(?:transaction|swap)? bytes=\d* seconds=\d*"
    r" safety=(?P<safety>[A-Za-z0-9][A-Za-z0-9._+-]*\.dump)? lost=.*"
)


@dataclass(frozen=True)
class LastRestore:
    """`verb` tells how far it came, `safety` names the archive of the state before."""

    time: str
    verb: str
    archive: str
    safety: str


def last_restore(lines: Iterable[str], settings: Settings) -> LastRestore | None:
    """The last line about this database of this server: other databases may share the file."""
    database, server = map(re.escape, (settings.db_name, settings.db_host))
    pattern = re.compile(_LINE.format(database=database, server=server))
    found = None
    for line in lines:
        if match := pattern.fullmatch(line):
            found = LastRestore(**match.groupdict(default=""))
    return found


def safety(host: Host) -> Source:
    """Raise RefusedError (14) unless the last restore changed the database and kept a state."""
    report = host.must("restore", recipes.listing_with_restores())
    last = last_restore(report.must("restores").all("line"), host.settings)
    kept = _kept(read(report), host.settings)
    why = _why_not(host.settings, last, {each.name for each in kept})
    if last is None or why:
        raise _refusal(host, why, kept)
    return Source(last.safety)


def _kept(catalog: Catalog, settings: Settings) -> list[Archive]:
    """All states that restores of this database have kept, the newest first."""
    ours = [
        each
        for each in catalog.archives
        if each.label == PRE_RESTORE and each.database == settings.db_name
    ]
    return sorted(ours, key=lambda archive: archive.order, reverse=True)


def _why_not(settings: Settings, last: LastRestore | None, kept: set[str]) -> str:
    if last is None:
        return f"no restore of {settings.db_name} on {settings.db_host} is on record"
    that = f"the last restore of {settings.db_name} ({last.time}, to {last.archive})"
    if last.verb == _FAILED:
        return f"{that} changed nothing, so there is nothing to undo; the database is as it was"
    if last.verb == _BEGINS:
        return f"{that} has no end on record: it is at work, or was killed"
    if not last.safety:
        return f"{that} kept nothing, as --no-safety was given"
    if last.safety not in kept:
        return f"{that} kept {last.safety}, which is not there any more, or cannot be read"
    return ""


def _refusal(host: Host, why: str, kept: list[Archive]) -> errors.RefusedError:
    history = host.command("history")
    remedy = f"choose an archive from `{history}`, and give it with --file."
    if kept:
        shown = [f"    {each.name}" for each in kept[:_MOST_CANDIDATES]]
        more = len(kept) - _MOST_CANDIDATES
        shown += [f"    and {more} more, see `{history}`"] if more > 0 else []
        remedy = "\n".join(["give one of the states that restores have kept with --file:", *shown])
    return errors.RefusedError(
        f"restore --undo on {host.name}: {why}; nothing was touched", remedy=remedy
    )
