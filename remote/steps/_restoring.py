"""The way back, by either of its ways or table by table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._door.script import Step
from ._texts import awk_of, sql_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...config.settings import Settings

_REHEARSAL = (
    *("rehearse", "obstacles", "rights", "needed", "rehearsed"),
    *("stays", "circles", "unqualified"),
)


def archive(name: str, *, recorded: bool = False) -> Step:
    """By its name in the catalog, or a path on the host.

    A run that is `recorded` tells in the file `restores` that it did not restore, if so it ends.
    """
    return Step("archive", {"archive": name, "recorded": "yes" if recorded else ""})


def restores() -> Step:
    """The last lines of the file in which each restore is on record."""
    return Step("restores", {"most_lines": "1000"})


def rehearsing() -> Step:
    """What `rehearse` and `drill` have in common; it goes before the first of them."""
    return Step(
        "rehearsing",
        {
            "ours_sql": sql_of("ours"),
            "rehearse_sql": sql_of(*_REHEARSAL),
            "watchers_sql": sql_of("watchers"),
        },
    )


def rehearse(demand: str = "", lost: str = "") -> Step:
    """`demand`: the way to restore (transaction, swap, or any) that there must be, or exit 14.

    `lost` is what the plan told of rows that a restore loses, for log, status and audit.
    """
    return Step("rehearse", {"demand": demand, "lost": lost})


def plan() -> Step:
    return Step("plan", {"plan_sql": sql_of("plan"), "sessions_sql": sql_of("sessions")})


def restoring() -> Step:
    """What `replay` and `swap` have in common; it goes before either."""
    return Step(
        "restoring",
        {
            "count_sql": sql_of("count") + sql_of("recount"),
            "sessions_sql": sql_of("sessions"),
            "entries_awk": awk_of("entries"),
        },
    )


def beside() -> Step:
    """What `swap` and `drill` have in common; it goes before either."""
    return Step("beside", {"create_sql": sql_of("locale") + sql_of("swap_create")})


def back(settings: Settings) -> Step:
    """What `replay`, `swap` and `drill` have in common; it goes before each of them."""
    names = ("lock_tables", "wipe", "unconfigure", "late", "named", "public", "lend", "take_back")
    sql = {f"{name}_sql": sql_of(name) for name in names}
    return Step("back", {"lock_timeout_seconds": str(settings.lock_timeout_seconds), **sql})


def replay(*, terminate: bool) -> Step:
    return Step("replay", {"terminate": "yes" if terminate else ""})


def swap(settings: Settings, *, terminate: bool) -> Step:
    return Step(
        "swap",
        {
            "lock_timeout_seconds": str(settings.lock_timeout_seconds),
            "terminate": "yes" if terminate else "",
            "carry_sql": sql_of("swap_carry"),
            "end_sql": sql_of("swap_end"),
        },
    )


def salvage(settings: Settings, tables: Sequence[str] = ()) -> Step:
    """The tables of the archive, each as a person would type its name."""
    return Step(
        "salvage",
        {
            "tables": "\n".join(tables),
            "lock_timeout_seconds": str(settings.lock_timeout_seconds),
            "salvage_sql": sql_of("salvage"),
        },
    )


def drop_old(names: Sequence[str] = ()) -> Step:
    """Tells which databases swaps have left beside the live one; drops those of these names."""
    return Step("drop_old", {"names": "\n".join(names), "old_sql": sql_of("drop_old")})


def analyze() -> Step:
    return Step("analyze")
