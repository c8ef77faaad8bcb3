"""Take an archive on the database's own host."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from invoke.tasks import task

from ..remote import steps
from ..remote._door.script import WherePlaced
from ._host.session import session
from ._show.report import note, summary, tell, warn

if TYPE_CHECKING:
    from invoke.context import Context

    from ..config.settings import Settings
    from ..remote._door.script import Step
    from ..remote._door.shell import Report
    from ..remote.catalog import Archive
    from ._host.session import Host

DRILLED = ("restored", "equal")
"""Grades of proof that take a test restore."""
AUTO = "auto"
"""The grade `restored` where a test restore can be made at once, else `read`."""
SKEW_SECONDS = 300


@task(
    auto_shortflags=False,
    help={
        "version": "name part of the archive; default: git describe",
        "accept-shrink": "it is meant to hold much less than those before",
        "lock-timeout": "seconds to wait for locks in the database; default 30",
        "lock-wait": "seconds to wait for another run on the host; default 0",
        "quiet": "no log and no progress: the result, warnings and errors",
    },
)
def backup(
    c: Context,
    version: str | None = None,
    accept_shrink: bool = False,
    lock_timeout: str | None = None,
    lock_wait: str | None = None,
    quiet: bool = False,
) -> Archive:
    """Take an archive: checksummed, but not proven as predeploy does."""
    given = {
        "BACKUP_VERSION": version,
        "BACKUP_LOCK_TIMEOUT": lock_timeout,
        "BACKUP_LOCK_WAIT": lock_wait,
    }
    with session(c, given, quiet=quiet) as host:
        tell_version(host)
        several = taking(host.settings, "written", accept_shrink=accept_shrink)
        report = host.must("backup", several, keeps_status=True)
        archive = taken(report)
        tell(summary(host, archive))
        return archive


def tell_version(host: Host) -> None:
    """Once a run, and not among what programs read."""
    if host.settings.version_note and not host.quiet:
        note(host.settings.version_note)


def taking(
    settings: Settings,
    proof: str,
    *,
    rehearsal: str = "off",
    rotates: bool = False,
    accept_shrink: bool = False,
    here_major: int = 0,
) -> list[Step]:
    """The steps from nothing to a published archive of that grade."""
    demand = "any" if rehearsal == "require" else ""
    drills = proof in (*DRILLED, AUTO)
    return [
        steps.lock(settings, create=True),
        *([steps.awk()] if rotates else []),
        steps.programs(settings),
        steps.psql(settings),
        steps.preflight(settings),
        *([steps.place(settings, here_major)] if drills else []),
        steps.dump(settings),
        *proving(settings, proof),
        *([] if rehearsal == "off" or drills else [steps.rehearsing()]),
        *([] if rehearsal == "off" else [steps.rehearse(demand)]),
        steps.shrink(settings, accept=accept_shrink),
        steps.publish(settings),
    ]


def proving(settings: Settings, proof: str, archive: str = "") -> list[Step]:
    """The steps that prove an archive, or the dump that was just taken, to that grade.

    A test restore decodes every block, so nothing else does before.
    """
    if proof == AUTO:
        # The rehearsal in the live database needs the second of them, also without a place.
        _, rehearsing, *drilling = proving(settings, settings.drilled, archive)
        placed = [WherePlaced(each.name, each.variables) for each in drilling]
        return [steps.verify(AUTO, archive), rehearsing, *placed]
    if proof not in DRILLED:
        return [steps.verify(proof, archive)]
    written = steps.verify("written", archive)
    shared = [steps.rehearsing(), steps.restoring(), steps.back(settings), steps.beside()]
    return [written, *shared, steps.compare(proof), steps.apart(), steps.drill(settings)]


def taken(report: Report) -> Archive:
    """The archive that the host has published, after a word on what it lacks."""
    from ..remote.catalog import read_one

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
            "functions behind its checks, generated columns, indexes or domains name things without"
            f" their schemas: a restore goes only under the search path of the role ({path}). Give"
            " these functions a SET search_path"
        )
    client, server = archive.facts["client_version"], archive.facts["server_version"]
    if newer(client, server):
        warn(
            f"the archive was written by pg_dump {client}, newer than the server ({server}): what"
            f" it restores may need edits before that server takes it. {remedy_for_newer(server)}"
        )
    skew = skew_seconds(report)
    if skew > SKEW_SECONDS:
        warn(f"the host's clock is off by {skew:.0f} s: archives are ordered by it")
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
    words = [f"since the last archive these tables are gone: {gone}" for gone in told.all("gone")]
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
    from ..remote.facts import time_of

    told = report.of("result").get("time", "")
    with suppress(ValueError):
        return abs((datetime.now(timezone.utc) - time_of(told)).total_seconds())
    return 0.0
