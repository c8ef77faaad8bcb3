"""What the host's catalog step prints, as archives: read strictly, in the order they were taken."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from ..config.errors import RefusedError
from .facts import WHOLE, Fact, Facts, time_of

if TYPE_CHECKING:
    from ._door.report import Report

# The label in an archive's name: what it was taken for.
PRE_DEPLOY, PRE_RESTORE, ON_HOST = "pre-deploy", "pre-restore", "on-host"
GRADES: tuple[str, ...] = ("written", "read", "restored", "equal")
"""Grades of proof, ascending; any other word in a manifest ranks below all of them.

The last two are not given yet; an archive that has one from a later version keeps its rank here."""

NUMBERS: tuple[str, ...] = ("database_bytes", "dump_seconds", "relations", "toc_entries")
"""Facts that are whole numbers; a record in which one is not is unreadable."""

_FORMAT = "1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*\.dump")
_NUMBER = re.compile(WHOLE)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TEXT = re.compile(r".+", re.DOTALL)
_YES_NO = {"yes": True, "no": False}
_LISTED_NAMES = 10


@dataclass(frozen=True)
class Archive:
    """One dump and what its manifest says of it; facts are the lines that have no field here.

    `shrunk` lacks much of what was in those before, which nobody has accepted.
    """

    name: str
    project: str
    label: str
    version: str
    database: str
    created: datetime
    bytes: int
    present_bytes: int
    sha256: str
    proof: str
    pinned: bool = False
    shrunk: bool = False
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Facts, hash=False)

    @property
    def intact(self) -> bool:
        """Whether the file still has the size it was written with: the cheap sign of damage."""
        return self.present_bytes == self.bytes

    @property
    def group(self) -> tuple[str, str, str]:
        """Archives of one (project, label, database) replace each other; no others do."""
        return self.project, self.label, self.database

    @property
    def order(self) -> tuple[datetime, str]:
        """Sorts the oldest first, by the host's clock; v1.10 may well be older than v1.9."""
        return self.created, self.name

    @property
    def rank(self) -> int:
        return GRADES.index(self.proof) if self.proof in GRADES else -1

    def at_least(self, grade: str) -> bool:
        """Whether it is intact and proven to this grade or a better one."""
        return self.intact and self.rank >= GRADES.index(grade)


@dataclass(frozen=True)
class Catalog:
    """Archives, oldest first, and the names of those whose record cannot be trusted."""

    archives: tuple[Archive, ...]
    unreadable: tuple[str, ...] = ()


def parse(lines: Iterable[Fact], host: str = "") -> Catalog:
    """Read the catalog step's key=value lines, one `archive` line before each record.

    A record that lacks a key, or has one that cannot be read, is unreadable as a whole: it is not
    ours to touch. So is one of another format, and a name that occurs twice.
    """
    records = _records(lines)
    times = Counter(name for name, _ in records)
    archives = [_archive(name, record, host) for name, record in records if times[name] == 1]
    readable = sorted((archive for archive in archives if archive), key=lambda each: each.order)
    known = {archive.name for archive in readable}
    return Catalog(tuple(readable), tuple(name for name in times if name not in known))


def find(catalog: Catalog, wanted: str) -> Archive:
    """Return the archive meant by a file name, `latest`, a version, or a part of one name only.

    Raise RefusedError (14), with the names to choose from, if there is none or more than one.
    """
    if wanted == "latest" and catalog.archives:
        return max(catalog.archives, key=lambda archive: archive.order)
    candidates = _candidates(catalog.archives, wanted)
    if len(candidates) == 1:
        return candidates[0]
    raise RefusedError(
        f"{len(candidates)} archives match {wanted!r}: {_listed(candidates)}."
        " Give the full name of one."
        if candidates
        else _nothing_matches(catalog, wanted)
    )


def read(report: Report, step: str = "catalog") -> Catalog:
    """What a step that tells of archives has told; raise UnreadableFactError where it has not."""
    return parse(report.must(step).pairs, report.host)


def read_one(report: Report, step: str) -> Archive:
    """The archive that a step tells of; raise UnreadableFactError unless it can be used."""
    archives = read(report, step).archives
    if len(archives) != 1:
        raise report.of(step).unreadable("the manifest", "cannot be read")
    return archives[0]


def _records(lines: Iterable[Fact]) -> list[tuple[str, list[Fact]]]:
    records: list[tuple[str, list[Fact]]] = []
    for key, value in lines:
        if key == "archive":
            records.append((value, []))
        elif records:
            records[-1][1].append((key, value))
    return records


def _archive(name: str, record: Sequence[Fact], host: str) -> Archive | None:
    unread = dict(record)
    told_once = [key for key, _ in record if key not in {"warning", "missing"}]
    if len(told_once) != len(set(told_once)):
        return None
    if any(not _NUMBER.fullmatch(unread.get(key, "0")) for key in NUMBERS):
        return None

    def take(key: str, shape: re.Pattern[str] = _TEXT) -> str:
        value = unread.pop(key)
        if not shape.fullmatch(value):
            raise ValueError(key)
        return value

    try:
        if not _NAME.fullmatch(name) or take("format") != _FORMAT:
            return None
        return Archive(
            name=name,
            project=take("project"),
            label=take("label"),
            version=take("version"),
            database=take("database"),
            created=time_of(take("created")),
            bytes=int(take("bytes", _NUMBER)),
            present_bytes=int(take("present_bytes", _NUMBER)),
            sha256=take("sha256", _SHA256),
            proof=take("proof"),
            pinned=_YES_NO[unread.pop("pinned", "no")],
            shrunk=_YES_NO[unread.pop("shrunk", "no")],
            warnings=_all(record, "warning"),
            missing=_all(record, "missing"),
            facts=Facts(
                (pair for pair in unread.items() if pair[0] not in {"warning", "missing"}),
                f"the manifest of {name}",
                host,
            ),
        )
    except (KeyError, ValueError):
        return None


def _all(record: Sequence[Fact], wanted: str) -> tuple[str, ...]:
    return tuple(value for key, value in record if key == wanted)


def _candidates(archives: Sequence[Archive], wanted: str) -> list[Archive]:
    if not wanted:
        return []  # an unset variable in a CI job is not a part of every name
    named = [
        archive
        for archive in archives
        if wanted in (archive.name, archive.name.removesuffix(".dump"))
    ]
    versioned = [archive for archive in archives if wanted == archive.version]
    return named or versioned or [archive for archive in archives if wanted in archive.name]


def _nothing_matches(catalog: Catalog, wanted: str) -> str:
    there = f"There are: {_listed(catalog.archives)}." if catalog.archives else "There are none."
    if catalog.unreadable:
        there += f" Left out, as their manifest is not readable: {_cut(catalog.unreadable)}."
    return f"No archive matches {wanted!r}. {there}"


def _listed(archives: Iterable[Archive]) -> str:
    newest_first = sorted(archives, key=lambda archive: archive.order, reverse=True)
    return _cut([archive.name for archive in newest_first])


def _cut(names: Sequence[str]) -> str:
    more = len(names) - _LISTED_NAMES
    return ", ".join(names[:_LISTED_NAMES]) + (f" and {more} more" if more > 0 else "")
