"""Take an archive on the database's own host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..remote import recipes
from ._gate.outcome import taken
from ._gate.summary import summary, tell_version
from ._host.command import Call, command
from ._show.report import tell

if TYPE_CHECKING:
    from ..remote.catalog import Archive


@command()
def backup(call: Call, *, accept_shrink: bool = False, quiet: bool = False) -> Archive:
    """Take an archive: checksummed, but not proven as predeploy does."""
    with call.session(quiet=quiet) as host:
        tell_version(host)
        several = recipes.taking(host.settings, "written", accept_shrink=accept_shrink)
        report = host.must("backup", several, keeps_status=True)
        archive = taken(report)
        tell(summary(host, archive))
        return archive
