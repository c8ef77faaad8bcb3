"""What is found of the way back: whether an archive could be restored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from .._gate.outcome import rehearsed
from .findings import Finding, failed, listed, ok, warned

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...remote import Report
    from ...remote.facts import Facts

_WATCHED: Final = "predeploy rehearses a restore; for doctor, disable the event trigger meanwhile"
_WAY_BACK: Final = "see docs/obstacles.md of fabric-predeploy"
_UNQUALIFIED: Final = (
    "SET search_path on the function, or write the schema before the name; a test restore"
    " (--proof=restored) shows whether an archive comes back"
)


def proof(found: Facts) -> Finding:
    """With BACKUP_PROOF=auto, only the host knows which grade is reached, and why."""
    if place := found.get("place"):
        return ok("proof", f"restored, by a test restore in a {place} of its own")
    return ok("proof", f"read, and no test restore is made: {found.get('unplaced', '')}")


def of_rehearsal(
    settings: Settings, report: Report, outlined: Mapping[str, str]
) -> Iterator[Finding]:
    watchers = report.of("rehearse").get("unrehearsed")
    if watchers:
        yield warned("way back", f"not looked at: that would run {watchers}", _WATCHED)
        return
    obstacles = rehearsed(report)
    extensions = [each for each in obstacles if "extension" in each]
    locks = [each for each in obstacles if "max_locks_per_transaction" in each]
    others = [each for each in obstacles if each not in extensions + locks]
    weigh = failed if settings.rehearsal == "require" else warned
    if extensions:
        yield weigh("extensions", listed(extensions), _WAY_BACK)
    relations = report.of("preflight").get("relations", "0")
    if locks:
        yield weigh("relations", f"{relations}: {listed(locks)}", _WAY_BACK)
    else:
        limit = outlined.get("max_locks", "?")
        yield ok("relations", f"{relations}, within max_locks_per_transaction={limit}")
    if named := report.of("rehearse").all("unqualified"):
        yield warned("way back", f"a restore may fail: {listed(named)}", _UNQUALIFIED)
    if others:
        yield weigh(
            "way back", f"{settings.db_user} could not restore: {listed(others)}", _WAY_BACK
        )
    elif obstacles:
        yield weigh("way back", "what is told of extensions and relations is in the way", _WAY_BACK)
    else:
        yield ok("way back", _way(report))


def _way(report: Report) -> str:
    """A swap is the quicker way, and needs the right to create databases."""
    swap = report.of("rehearse").all("swap_obstacle")
    if swap:
        return f"by a transaction; no swap, as {swap[0]}"
    return "by a swap: the role may create databases"
