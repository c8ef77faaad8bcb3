"""What a restore would do: made of facts alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...remote.facts import MOST_SECONDS, WHOLE, Facts
from .._show.units import count

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...remote import Report

WAYS = ("swap", "transaction")
_AIM = ("profile", "ssh_host", "ssh_port", "ssh_user", "db_name", "db_user", "db_host", "db_port")
_NAMED = 20


@dataclass(frozen=True)
class Rows:
    """None: the archive, or the database now, has no such table, or no count of it."""

    table: str
    then: int | None
    now: int | None

    @property
    def lost(self) -> int:
        return max((self.now or 0) - (self.then or 0), 0)

    @property
    def back(self) -> int:
        return max((self.then or 0) - (self.now or 0), 0)


@dataclass(frozen=True)
class Plan:
    host: str
    database: str
    aim: tuple[tuple[str, str, str], ...]  # variable, value, where it came from
    file: str
    archive: Facts
    server_version: str
    rows: tuple[Rows, ...]
    disappears: tuple[str, ...]
    sessions: tuple[str, ...]
    obstacles: Mapping[str, tuple[str, ...]]  # way to restore → what stands in its way
    mode: str
    why: str
    estimate_seconds: int | None
    empty: bool
    counted: bool  # whether the archive tells of its rows
    versions: tuple[str, ...] = ()  # of extensions, that are others afterwards
    kept_rows: tuple[str, ...] = ()  # what others own and is not brought back, and why
    uncounted: tuple[str, ...] = ()  # tables without a number, in the archive or now

    @property
    def refusals(self) -> tuple[str, ...]:
        return self.obstacles[self.mode]

    @property
    def other_database(self) -> bool:
        return self.archive["database"] != self.database

    @property
    def lost(self) -> str:
        kept = "; some of what others own is not brought back" if self.kept_rows else ""
        return self._lost + kept

    @property
    def _lost(self) -> str:
        losing = [each for each in self.rows if each.lost and each.table not in self.uncounted]
        if self.uncounted:
            known = count(sum(each.lost for each in losing), "row")
            return f"at least {known}; not counted: {', '.join(self.uncounted[:_NAMED])}"
        if not self.counted:
            return "unknown: the archive tells nothing of its rows"
        if not losing:
            return "no rows, by their number"
        rows = count(sum(each.lost for each in losing), "row")
        return f"{rows} in {count(len(losing), 'table')}"


def planned(
    host: str, settings: Settings, report: Report, mode: str | None, terminate: bool
) -> Plan:
    """Read the report of the steps preflight, archive, rehearse and plan."""
    archive, rehearsal = report.of("archive"), report.must("rehearse")
    told, found = report.must("plan"), report.of("preflight")
    sessions = told.all("session")
    obstacles = {
        way: (*rehearsal.all("obstacle"), *rehearsal.all(f"{way}_obstacle")) for way in WAYS
    }
    chosen, why = _way(mode, obstacles, sessions, terminate)
    then, unknown = _then(told)
    rows = _rows(then, told.counted("now")) + _of_extensions(rehearsal, told)
    _check(archive)
    return Plan(
        host=host,
        database=settings.db_name,
        aim=_aim(settings),
        file=archive["file"],
        archive=archive,
        server_version=found["server_version"],
        rows=rows,
        disappears=rehearsal.all("disappears"),
        sessions=sessions,
        obstacles=obstacles,
        mode=chosen,
        why=why,
        estimate_seconds=_estimate(archive, told),
        empty=found["relations"] == rehearsal.get("ours") == "0",
        counted=bool(then) or archive.get("relations") == "0",
        versions=rehearsal.all("other_version"),
        kept_rows=rehearsal.all("kept_rows"),
        uncounted=_uncounted(told.all("there"), rows, unknown),
    )


def _check(archive: Facts) -> None:
    """What the plan shows of the archive, before any of it is shown."""
    for key in ("database", "created", "client_version", "server_version", "reader_version"):
        archive[key]
    archive.whole("bytes")


def _way(
    mode: str | None,
    obstacles: Mapping[str, tuple[str, ...]],
    sessions: Sequence[str],
    terminate: bool,
) -> tuple[str, str]:
    """A swap keeps readers waiting for a moment only, but needs the database for itself then."""
    if mode:
        return mode, "as asked for by --mode"
    if obstacles["swap"]:
        return "transaction", f"no swap: {obstacles['swap'][0]}"
    if sessions and not terminate and not obstacles["transaction"]:
        return "transaction", "no swap: others are connected, and --terminate is not given"
    return "swap", "readers see the old database until the new one takes its place"


def _rows(then: Mapping[str, int], now: Mapping[str, int]) -> tuple[Rows, ...]:
    names = sorted(then.keys() | now.keys())
    return tuple(Rows(name, then.get(name), now.get(name)) for name in names)


def _of_extensions(rehearsal: Facts, told: Facts) -> tuple[Rows, ...]:
    """Those that come back: an archive of an earlier release does not tell how many they were."""
    then, now, kept = told.counted("config_then"), told.counted("config_now"), rehearsal.all("kept")
    names = sorted(then.keys() & now.keys() - set(kept))
    return tuple(Rows(name, then[name], now[name]) for name in names)


def _then(told: Facts) -> tuple[dict[str, int], frozenset[str]]:
    """Read the rows in the archive: the numbers, and the tables that the dump could not count."""
    pairs = told.matched("rows", f"(unknown|{WHOLE}) (.+)", "a number, or unknown, and a name")
    then = {name: int(number) for number, name in pairs if number != "unknown"}
    return then, frozenset(name for _, name in pairs) - then.keys()


def _uncounted(
    there: Sequence[str], rows: Sequence[Rows], unknown: frozenset[str]
) -> tuple[str, ...]:
    counted = {each.table for each in rows if each.now is not None} - unknown
    return tuple(sorted((set(there) | unknown) - counted))


def _aim(settings: Settings) -> tuple[tuple[str, str, str], ...]:
    from ...config.settings import SPECS

    found = ((SPECS[name].variable, getattr(settings, name)) for name in _AIM)
    return tuple(
        (variable, str(value), settings.sources.get(variable, "default"))
        for variable, value in found
        if value is not None
    )


def _estimate(archive: Facts, told: Facts) -> int | None:
    """By the rate of the last restores here, or else twice the time of the dump, as measured."""
    earlier = told.matched("earlier", f"({WHOLE}) ({WHOLE})", "bytes and seconds")
    restored_bytes = sum(int(size) for size, _ in earlier)
    if restored_bytes:
        rate = sum(int(seconds) for _, seconds in earlier) / restored_bytes
        return min(round(rate * archive.whole("bytes")), MOST_SECONDS)
    return 2 * archive.whole("dump_seconds", MOST_SECONDS) if archive.get("dump_seconds") else None
