"""The databases that swaps have left beside the live one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...remote import steps
from .._show.report import tell
from .confirm import type_name

if TYPE_CHECKING:
    from .._host.host import Host


def drop_old_databases(host: Host, yes: bool) -> None:
    settings = host.settings
    looking = [steps.programs(settings), steps.psql(settings), steps.drop_old([])]
    report = host.must("restore", looking)
    names = report.must("drop_old").all("old_database")
    if not names:
        tell(f"no database that a restore has left beside {settings.db_name}")
        return
    tell("\n".join(["Databases that a restore has left:", *(f"  {name}" for name in names)]))
    if not yes:
        type_name(host, settings.db_name)
    dropping = [
        steps.lock(settings, create=True),
        steps.programs(settings),
        steps.psql(settings),
        steps.drop_old(names),
    ]
    report = host.must("restore", dropping)
    for name in report.must("drop_old").all("dropped"):
        tell(f"dropped {name}")
