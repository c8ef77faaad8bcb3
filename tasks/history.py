"""Show what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import errors
from ..config.parsers import whole
from ..remote import recipes
from ._gate.outcome import expired, host_time
from ._host.command import Call, command
from ._show.report import tell, tell_data, warn
from ._show.stream import columns

if TYPE_CHECKING:
    from ..remote.catalog import Archive

_MOST = 1_000_000


@command(limit="only the newest so many", json_="print data instead of a table")
def history(call: Call, limit: str | None = None, json_: bool = False) -> tuple[Archive, ...]:
    """List the archives on the host, oldest first."""
    from ..remote.catalog import read
    from ._history.table import as_data, as_table, entries, totals

    newest = _limit(limit)
    with call.session() as host:
        report = host.must("history", recipes.listing_with_future(host.settings))
        catalog = read(report)
        everything = entries(catalog.archives, host_time(report), expired(report))
        shown = everything[-newest:]
        if json_:
            tell_data([as_data(entry) for entry in shown])
        elif shown:
            tell(as_table(shown, everything, columns()))
            tell(totals(host, shown, everything, report))
        else:
            tell(f"no archives in {host.settings.backup_dir} on {host.name}")
        for name in catalog.unreadable:
            warn(f"{name} is not listed: its manifest cannot be read")
        for archive in catalog.archives:
            if not archive.intact:
                there = f"{archive.present_bytes} of {archive.bytes} bytes"
                warn(f"{archive.name} is damaged: {there} are there")
        return tuple(entry.archive for entry in shown)


def _limit(text: str | None) -> int:
    try:
        return whole(1, _MOST)(text) if text is not None else _MOST
    except ValueError as error:
        raise errors.ConfigurationError(f"history: --limit={text} {error}") from None
