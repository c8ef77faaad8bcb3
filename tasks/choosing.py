"""Which archive of the catalog `--file` means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import errors

if TYPE_CHECKING:
    from ..remote.catalog import Archive, Catalog
    from .session import Host


def chosen(host: Host, task: str, catalog: Catalog, wanted: str | None) -> Archive:
    """Only an archive of the same project and database can be the latest; a name finds any."""
    from ..remote.catalog import Catalog, find

    settings = host.settings
    try:
        if wanted in (None, "latest"):
            ours = (settings.project, settings.db_name)
            mine = (each for each in catalog.archives if (each.project, each.database) == ours)
            return find(Catalog(tuple(mine), catalog.unreadable), "latest")
        return find(catalog, str(wanted))
    except errors.RefusedError as refusal:
        raise refused(host, task, str(refusal.message)) from None


def refused(host: Host, task: str, why: str) -> errors.RefusedError:
    return errors.RefusedError(
        f"{task} on {host.name}, in {host.settings.backup_dir}: {why} (exit 14)\n"
        f"  What to do: choose one from `{host.command('history')}`, or take an archive first."
    )
