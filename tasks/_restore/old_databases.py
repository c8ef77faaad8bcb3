"""The databases that swaps have left beside the live one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...remote import recipes
from .._show.report import tell
from .confirm import type_name

if TYPE_CHECKING:
    from .._host.host import Host


def drop_old_databases(host: Host, yes: bool) -> None:
    settings = host.settings
    report = host.must("restore", recipes.old_databases(settings))
    names = report.must("drop_old").all("old_database")
    if not names:
        tell(f"no database that a restore has left beside {settings.db_name}")
        return
    tell("\n".join(["Databases that a restore has left:", *(f"  {name}" for name in names)]))
    if not yes:
        type_name(host, settings.db_name)
    report = host.must("restore", recipes.old_databases(settings, names))
    for name in report.must("drop_old").all("dropped"):
        tell(f"dropped {name}")
