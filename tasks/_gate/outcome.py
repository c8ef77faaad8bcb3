"""What a report says of the archive that was taken, and of those that went for it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from .._show.report import warn

if TYPE_CHECKING:
    from collections.abc import Collection

    from ...remote import Report
    from ...remote.catalog import Archive

SKEW_SECONDS = 300


def taken(report: Report) -> Archive:
    """The archive that the host has published, after a word on what it lacks."""
    from ...remote.catalog import read_one

    archive = read_one(report, "publish")
    for missing in archive.missing:
        known = "BACKUP_EXCLUDE_TABLES" in missing
        warn(f"not in the archive: {missing}{'' if known else ' (only a superuser can dump it)'}")
    for warning in archive.warnings:
        warn(warning)
    for words in [*uncounted(report), *shrinking(report, archive)]:
        warn(words)
    if path := report.of("drill").get("replayed_under"):
        warn(
            "functions of its checks, generated columns, indexes or domains name things without"
            f" their schemas: a restore works only with the search path of the role ({path}). Give"
            " each of these functions a SET search_path"
        )
    client, server = archive.facts["client_version"], archive.facts["server_version"]
    if newer(client, server):
        warn(
            f"the archive was written by pg_dump {client}, newer than the server ({server}): what"
            " it restores may have to be edited before that server accepts it."
            f" {remedy_for_newer(server)}"
        )
    skew = skew_seconds(report)
    if skew > SKEW_SECONDS:
        warn(
            f"the host's clock is off by {skew:.0f} s, and archives are ordered by it: set it (NTP)"
        )
    return archive


def uncounted(report: Report) -> list[str]:
    """Name the tables that no count or no hash will tell of after a restore."""
    told = report.of("dump")
    words = [
        f"the rows of {table} could not be counted, and are not compared after a restore"
        for table in told.all("uncounted")
    ]
    unhashed = set(told.all("unhashed")) - set(told.all("uncounted"))
    return words + [
        f"the contents of {table} could not be hashed: after a restore, their number is compared"
        for table in sorted(unhashed)
    ]


def shrinking(report: Report, archive: Archive) -> list[str]:
    """What was in the archives before and is not in this one, and what becomes of it for that."""
    told = report.of("shrink")
    words = [
        f"tables of the last archive are not in the database any more: {gone}"
        for gone in told.all("gone")
    ]
    words += [f"shrunk: {lost}" for lost in told.all("lost")]
    if archive.shrunk:
        words.append(
            f"{archive.name} is marked as shrunk: it is not `latest`, and a predeploy that finds"
            " the same fails. If it is meant to be so: once with --accept-shrink"
        )
    elif "shrink_accepted" in archive.facts:
        words.append(f"accepted by {archive.facts['shrink_accepted']}")
    return words


def newer(client: str, server: str) -> bool:
    return client.split(".", maxsplit=1)[0] != server.split(".", maxsplit=1)[0]


def remedy_for_newer(server: str) -> str:
    major = server.split(".", maxsplit=1)[0]
    return f"Install pg_dump {major} on the host, or point DB_BIN_DIR at it"


def skew_seconds(report: Report) -> float:
    """By the time that the host told with its last word; a host that was cut off has told none."""
    from ...remote.facts import time_of

    told = report.of("result").get("time", "")
    with suppress(ValueError):
        return abs((datetime.now(timezone.utc) - time_of(told)).total_seconds())
    return 0.0


def host_time(report: Report) -> datetime:
    """Of the host's clock, by which archives are dated."""
    return report.of("result").time("time")


def rehearsed(report: Report) -> list[str]:
    """What stands in every way to restore: one that is open is enough."""
    told = report.of("rehearse")
    both, transaction = told.all("obstacle"), told.all("transaction_obstacle")
    return [*both, *(transaction if told.all("swap_obstacle") else ())]


def unqualified(report: Report) -> list[str]:
    """What a test restore would show, said without one: functions that a restore may not run."""
    return [
        f"a restore may fail: {each}. A restore runs it without a search path: SET search_path on"
        " the function, or write the schema before the name; a test restore (--proof=restored)"
        " shows whether the archive comes back"
        for each in report.of("rehearse").all("unqualified")
    ]


def expired(report: Report) -> dict[str, str]:
    """What the policy no longer keeps, oldest first: names and reasons."""
    return dict(report.of("retention").matched("expired", "([^ ]+) (.*)", "a name and a reason"))


def removed(report: Report) -> dict[str, str]:
    """What of it is gone."""
    gone = set(report.of("prune").all("removed"))
    return {name: reason for name, reason in expired(report).items() if name in gone}


def foundations(report: Report) -> list[Archive]:
    """The newest proven archives for which others go: they are looked at before that."""
    return named(report, report.must("retention").all("foundation"))


def named(report: Report, names: Collection[str]) -> list[Archive]:
    """The archives of these names; raise UnreadableFactError where the catalog has none of one."""
    from ...config.secrecy import shown
    from ...remote.catalog import read

    archives = {archive.name: archive for archive in read(report).archives}
    unknown = [name for name in names if name not in archives]
    if unknown:
        raise report.of("catalog").unreadable(
            f"the archive {shown(unknown[0])}", "is not told, but is to be rotated"
        )
    return [archives[name] for name in names]
