"""What was a page on troubleshooting: would predeploy be allowed to run, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._host.command import Call, command

if TYPE_CHECKING:
    from ._doctor.findings import Finding


@command(
    version="as predeploy would be given it",
    json_="print data: check, result, detail and remedy of each",
)
def doctor(call: Call, *, json_: bool = False) -> list[Finding]:
    """Tell whether predeploy may run, or why not; touch nothing."""
    from ._doctor.diagnosing import diagnosed
    from ._show.github import failures_told

    with failures_told():
        return diagnosed(call.context, call.given, json_=json_)
