"""How the archives of a host read: to people as a table, to programs as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...config.harmless import harmless
from ...remote.catalog import NUMBERS
from .._show.columns import aligned
from .._show.stream import can_show
from .._show.units import age, duration, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from ...remote import Report
    from ...remote.catalog import Archive
    from .._host.host import Host

_HEAD = ("AGE", "SIZE", "CHANGE", "TOOK", "PROOF", "ROTATION", "COMMIT", "VERSION", "ARCHIVE")
_TO_THE_RIGHT = range(4)  # the numbers
_LONGEST_VERSION = 16
_NOTHING = "-"
_BARS, _ASCII_BARS = "▁▂▃▄▅▆▇█", "_.-:=+*#"
_MOST_BARS = 60


@dataclass(frozen=True)
class Entry:
    """`change_bytes` is against the one before of the same project, label and database, if any.

    `expires_reason` says why the next predeploy would remove it; empty where it would not.
    """

    archive: Archive
    age_seconds: int
    change_bytes: int | None
    expires_reason: str


def entries(archives: Iterable[Archive], now: datetime, expiring: Mapping[str, str]) -> list[Entry]:
    """In the order given: the oldest first."""
    before: dict[tuple[str, str, str], int] = {}
    found = []
    for archive in archives:
        previous = before.get(archive.group)
        before[archive.group] = archive.bytes
        found.append(
            Entry(
                archive,
                int((now - archive.created).total_seconds()),
                None if previous is None else archive.bytes - previous,
                expiring.get(archive.name, ""),
            )
        )
    return found


def as_data(entry: Entry) -> dict[str, object]:
    """The stored manifest, and what it comes to; `intact` tells of the size found now."""
    archive = entry.archive
    return {
        **{key: int(text) if key in NUMBERS else text for key, text in archive.facts.items()},
        "archive": archive.name,
        "project": archive.project,
        "label": archive.label,
        "version": archive.version,
        "database": archive.database,
        "created": archive.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "age_seconds": entry.age_seconds,
        "bytes": archive.bytes,
        "change_bytes": entry.change_bytes,
        "present_bytes": archive.present_bytes,
        "intact": archive.intact,
        "sha256": archive.sha256,
        "proof": archive.proof,
        "pinned": archive.pinned,
        "shrunk": archive.shrunk,
        "expires_next": bool(entry.expires_reason),
        "expires_reason": entry.expires_reason,
        "warnings": list(archive.warnings),
        "missing": list(archive.missing),
    }


def as_table(shown: Sequence[Entry], everything: Sequence[Entry], columns: int | None) -> str:
    """A block for each group, with the course of its sizes; the newest archive is at the end.

    Names are whole, to be copied: where there is no room for them, each has a line of its own.
    """
    head, *lines = _lines([_HEAD, *map(_row, shown)], columns)
    courses: dict[tuple[str, str, str], list[int]] = {}
    for entry in everything:
        courses.setdefault(entry.archive.group, []).append(entry.archive.bytes)
    groups: dict[tuple[str, str, str], list[str]] = {}
    for entry, line in reversed([*zip(shown, lines, strict=True)]):
        groups.setdefault(entry.archive.group, []).append(line)
    return "\n\n".join(
        "\n".join([_title(group, courses[group]), head, *reversed(groups[group])])
        for group in reversed(groups)
    )


def _lines(rows: Sequence[Sequence[str]], columns: int | None) -> list[str]:
    lines = aligned(rows, _TO_THE_RIGHT)
    if columns is None or max(map(len, lines)) <= columns:
        return lines
    head, *others = aligned([row[:-1] for row in rows], _TO_THE_RIGHT)
    names = [row[-1] for row in rows[1:]]
    return [head, *(f"{line}\n  {name}" for line, name in zip(others, names, strict=True))]


def _title(group: tuple[str, str, str], sizes: Sequence[int]) -> str:
    project, label, database = map(harmless, group)
    return f"{project} {label}, database {database}  {sparkline(sizes)}"


def _row(entry: Entry) -> tuple[str, ...]:
    archive, facts = entry.archive, entry.archive.facts
    rotation = "pinned" if archive.pinned else "goes next" if entry.expires_reason else _NOTHING
    return (
        age(entry.age_seconds),
        size(archive.bytes),
        _change(entry),
        duration(int(facts["dump_seconds"])) if "dump_seconds" in facts else _NOTHING,
        _proof(archive),
        rotation,
        harmless(facts.get("git_commit", ""))[:7] or _NOTHING,
        _shortened(harmless(archive.version)),
        archive.name,
    )


def _proof(archive: Archive) -> str:
    if not archive.intact:
        return "damaged"
    return f"{harmless(archive.proof)}, shrunk" if archive.shrunk else harmless(archive.proof)


def _change(entry: Entry) -> str:
    if entry.change_bytes is None or entry.archive.bytes == entry.change_bytes:
        return _NOTHING
    return f"{100 * entry.change_bytes / (entry.archive.bytes - entry.change_bytes):+.1f}%"


def _shortened(version: str) -> str:
    """The beginning tells the tag, the end the commit; all of it stands in the archive's name."""
    if len(version) <= _LONGEST_VERSION:
        return version
    half = _LONGEST_VERSION // 2 - 1
    return f"{version[:half]}..{version[-half:]}"


def sparkline(sizes: Sequence[int]) -> str:
    """The newest sizes, oldest first, each against the largest: half the size is half a bar."""
    bars = _BARS if can_show(_BARS) else _ASCII_BARS
    newest = sizes[-_MOST_BARS:]
    largest = max(1, *newest)
    return "".join(bars[min(each * len(bars) // largest, len(bars) - 1)] for each in newest)


def totals(host: Host, shown: Sequence[Entry], everything: Sequence[Entry], report: Report) -> str:
    archives = "1 archive" if len(everything) == 1 else f"{len(everything)} archives"
    taken = size(sum(entry.archive.present_bytes for entry in everything))
    lines = [f"{archives}, {taken} in {host.settings.backup_dir} on {host.name}"]
    if "free_bytes" in report.of("space"):
        lines[0] += f"; {size(report.of('space').whole('free_bytes'))} free"
    if len(shown) < len(everything):
        lines[0] += f" (the newest {len(shown)} are shown)"
    going = [entry for entry in everything if entry.expires_reason]
    if going:
        why = "; ".join(dict.fromkeys(entry.expires_reason for entry in going))
        lines.append(f"the next predeploy removes {len(going)}: {why}")
    return "\n" + "\n".join(lines)
