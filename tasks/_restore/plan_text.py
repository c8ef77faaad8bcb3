"""How the plan of a restore reads: to people as text, to programs as data."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ...remote.facts import time_of
from .._show.columns import aligned
from .._show.units import count, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...remote.facts import Facts
    from .plan import Plan

_SHOWN = 20
_TO_THE_RIGHT = range(1, 5)


def as_data(plan: Plan) -> dict[str, object]:
    return {
        "host": plan.host,
        "database": plan.database,
        "settings": {
            variable: {"value": value, "from": source} for variable, value, source in plan.aim
        },
        "archive": {**plan.archive},
        "server_version": plan.server_version,
        "client_version": plan.archive["reader_version"],
        "mode": plan.mode,
        "mode_because": plan.why,
        "estimate_seconds": plan.estimate_seconds,
        "rows": {
            each.table: {"then": each.then, "now": each.now, "lost": each.lost}
            for each in plan.rows
        },
        "lost": plan.lost,
        "not_counted": list(plan.uncounted),
        "other_versions": list(plan.versions),
        "not_brought_back": list(plan.kept_rows),
        "disappears": list(plan.disappears),
        "sessions": list(plan.sessions),
        "obstacles": {way: list(told) for way, told in plan.obstacles.items()},
        "refused": bool(plan.refusals),
    }


def as_text(plan: Plan) -> str:
    archive = plan.archive
    lines = [
        f"Restore the database {plan.database} on {plan.host}",
        f"  to        {plan.file}",
        f"  archive   {_described(archive)}",
        f"  versions  pg_dump {archive['client_version']}, of a server {archive['server_version']};"
        f" the server is {plan.server_version}, pg_restore here {archive['reader_version']}",
        f"  how       {plan.mode} ({plan.why})",
        f"  time      {_time(plan.estimate_seconds)}",
        "  settings  "
        + "\n            ".join(f"{name}={value}  ({source})" for name, value, source in plan.aim),
        f"  lost      {plan.lost}",
        "  compared  the number of rows alone: not columns, definitions, or what is in the rows",
        *_table(plan),
        *_list("The archive is without", archive.all("missing")),
        *_list("These stay as they are now, and are others in the archive", plan.kept_rows),
        *_list("These are of another version afterwards", plan.versions),
        *_list("These are there now and will disappear", plan.disappears),
        *_list("Other sessions", plan.sessions),
        *_list("This role cannot do it", plan.refusals),
    ]
    return "\n".join(lines)


def head(plan: Plan) -> str:
    """What must stand in sight of whoever is asked, however long the plan is."""
    created = plan.archive["created"]
    return "\n".join(
        [
            f"Restore {plan.database} on {plan.host}",
            f"  to    {plan.file.rpartition('/')[2]}",
            f"  of    {created}{_age(created)}",
            f"  lost  {plan.lost}",
        ]
    )


def _described(archive: Facts) -> str:
    parts = [
        archive.get("version", "no version"),
        f"git {archive['git_commit'][:12]}" if archive.get("git_commit") else "",
        f"of the database {archive['database']}",
        f"taken {archive['created']}{_age(archive['created'])}",
        f"proof {archive.get('proof', 'none on record')}",
        size(archive.whole("bytes")),
    ]
    return ", ".join(part for part in parts if part)


def _age(created: str) -> str:
    try:
        taken = time_of(created)
    except ValueError:
        return ""
    seconds = max((datetime.now(timezone.utc) - taken) // timedelta(seconds=1), 0)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return f" ({count(seconds // length, unit)} ago)"
    return f" ({count(seconds, 'second')} ago)"


def _time(seconds: int | None) -> str:
    return "unknown" if seconds is None else f"about {count(max(seconds, 1), 'second')}"


def _table(plan: Plan) -> list[str]:
    changed = [each for each in plan.rows if each.then != each.now]
    changed.sort(key=lambda each: (-each.lost, each.table))
    if not changed:
        return []
    cells = [("TABLE", "IN THE ARCHIVE", "NOW", "BACK", "LOST")]
    for each in changed[:_SHOWN]:
        then, now = ("-" if rows is None else str(rows) for rows in (each.then, each.now))
        back = f"+{each.back}" if each.back else ""
        cells.append((each.table, then, now, back, str(each.lost or "")))
    lines = [f"    {line}" for line in aligned(cells, _TO_THE_RIGHT)]
    more = len(changed) - _SHOWN
    return [*lines, *([f"    … and {more} more tables: --json tells all"] if more > 0 else [])]


def _list(title: str, items: Sequence[str]) -> list[str]:
    if not items:
        return []
    more = len(items) - _SHOWN
    shown = [f"  - {item}" for item in items[:_SHOWN]]
    return [f"{title}:", *shown, *([f"  … and {more} more: --json tells all"] if more > 0 else [])]
