"""Take an archive on the database's own host."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from invoke.tasks import task

from ..remote import steps
from ..remote.catalog import parse
from .report import summary, tell, warn
from .session import session

if TYPE_CHECKING:
    from invoke.context import Context

    from ..config.settings import Settings
    from ..remote.catalog import Archive
    from ..remote.shell import Report, Step

_SKEW_SECONDS = 300


@task(
    auto_shortflags=False,
    help={
        "version": "name part of the archive; default: git describe",
        "lock-timeout": "seconds to wait for locks in the database; default 30",
        "lock-wait": "seconds to wait for another run on the host; default 0",
    },
)
def backup(
    c: Context,
    version: str | None = None,
    lock_timeout: str | None = None,
    lock_wait: str | None = None,
) -> Archive:
    """Take an archive, checksummed but not proven; predeploy proves it too."""
    given = {
        "BACKUP_VERSION": version,
        "BACKUP_LOCK_TIMEOUT": lock_timeout,
        "BACKUP_LOCK_WAIT": lock_wait,
    }
    with session(c, given, needs_version=True) as host:
        report = host.must("backup", taking(host.settings, "written"), keeps_status=True)
        archive = taken(report)
        tell(summary(host, archive))
        return archive


def taking(
    settings: Settings, proof: str, *, rehearsal: str = "off", rotates: bool = False
) -> list[Step]:
    """The steps from nothing to a published archive of that grade."""
    demand = "any" if rehearsal == "require" else ""
    return [
        steps.lock(settings, create=True),
        *([steps.awk()] if rotates else []),
        steps.programs(settings),
        steps.psql(settings),
        steps.preflight(settings),
        steps.dump(settings),
        steps.verify(proof),
        *([] if rehearsal == "off" else [steps.rehearse(demand)]),
        steps.publish(settings),
    ]


def taken(report: Report) -> Archive:
    """The archive that the host has published, after a word on what it lacks."""
    (archive,) = parse(report.facts["publish"]).archives
    for missing in archive.missing:
        warn(f"not in the archive: {missing} (only a superuser can dump it)")
    for warning in archive.warnings:
        warn(warning)
    client, server = archive.facts["client_version"], archive.facts["server_version"]
    if client.split(".")[0] != server.split(".")[0]:
        warn(
            f"the archive was written by pg_dump {client}, newer than the server ({server}): what"
            " it restores may need edits before that server takes it. Install pg_dump"
            f" {server.split('.')[0]} on the host, or point DB_BIN_DIR at it"
        )
    warn_of_clock(report)
    return archive


def warn_of_clock(report: Report) -> None:
    """By the time that the host told with its last word; a host that was cut off has told none."""
    told = report.of("result").get("time", "")
    with suppress(ValueError):
        host_time = datetime.strptime(told, "%Y-%m-%dT%H:%M:%S%z")
        skew_seconds = abs((datetime.now(timezone.utc) - host_time).total_seconds())
        if skew_seconds > _SKEW_SECONDS:
            warn(f"the host's clock is off by {skew_seconds:.0f} s: archives are ordered by it")
