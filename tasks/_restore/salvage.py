"""Single tables of an archive, beside what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...remote import recipes
from .._show.report import tell

if TYPE_CHECKING:
    from .._host.host import Host
    from .source import Source


def salvage(host: Host, wanted: Source, tables: Sequence[str]) -> None:
    settings = host.settings
    salvaging = recipes.salvaging(settings, wanted.name, wanted.upload, tables)
    report = host.must("restore", salvaging, keeps_status=True)
    told = report.of("salvage")
    schema = told["schema"]
    tell(f"Restored into the schema {schema}, beside what is there:")
    for name, rows in told.counted("salvaged").items():
        tell(f"  {name}: {rows} rows")
    tell(f"  when you are done: DROP SCHEMA {schema} CASCADE")
