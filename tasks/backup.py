"""Take an archive on the database's own host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.tasks import task

from ._gate.outcome import taken
from ._gate.recipe import taking
from ._gate.summary import summary, tell_version
from ._host.session import session
from ._show.report import tell

if TYPE_CHECKING:
    from invoke.context import Context

    from ..remote.catalog import Archive


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
