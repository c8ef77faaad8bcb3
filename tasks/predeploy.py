"""The gate: a proven archive, or a non-zero exit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.tasks import task

from ._host.session import session

if TYPE_CHECKING:
    from invoke.context import Context

    from ..remote.catalog import Archive


@task(
    auto_shortflags=False,
    help={
        "version": "name part of the archive; default: git describe",
        "proof": "grade to demand: auto, written, read, restored or equal; default auto",
        "accept-shrink": "it is meant to hold much less than those before",
        "rehearsal": "warn, require or off: could this role restore it here? default require",
        "keep": "archives to keep per project, label and database; default 5",
        "lock-timeout": "seconds to wait for locks in the database; default 30",
        "lock-wait": "seconds to wait for another run on the host; default 0",
        "quiet": "no log and no progress: the result, warnings and errors",
    },
)
def predeploy(
    c: Context,
    version: str | None = None,
    proof: str | None = None,
    accept_shrink: bool = False,
    rehearsal: str | None = None,
    keep: str | None = None,
    lock_timeout: str | None = None,
    lock_wait: str | None = None,
    quiet: bool = False,
) -> Archive:
    """Back up, prove and rotate; a non-zero exit means: do not deploy."""
    from ._gate.gate import passed

    given = {
        "BACKUP_VERSION": version,
        "BACKUP_PROOF": proof,
        "BACKUP_REHEARSAL": rehearsal,
        "MAX_BACKUPS": keep,
        "BACKUP_LOCK_TIMEOUT": lock_timeout,
        "BACKUP_LOCK_WAIT": lock_wait,
    }
    with session(c, given, quiet=quiet) as host:
        return passed(host, accept_shrink=accept_shrink)
