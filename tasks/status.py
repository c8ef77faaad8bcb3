"""Tell how the last run ended: to people, to scripts and to monitors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from ..config import errors
from ..config.parsers import seconds
from ..remote import recipes
from ._gate.outcome import host_time
from ._host.command import Call, command
from ._show.report import tell, tell_data

if TYPE_CHECKING:
    from ..remote import Report
    from ._host.host import Host
    from ._status.found import Status


@command(
    max_age="fail too if no proven archive is younger: 90m, 26h, 7d",
    nagios="one line and the exit codes of a monitor's plugin",
    json_="print data",
)
def status(
    call: Call, max_age: str | None = None, nagios: bool = False, json_: bool = False
) -> Status:
    """Tell how the last run ended; exit 0 if it was good, 1 if not."""
    from ._status.status_text import as_data, as_text

    if nagios:
        return _monitored(call, max_age, json_)
    found = _found(call, max_age)
    if json_:
        tell_data(as_data(found))
    else:
        tell(as_text(found))
    if not found.health.good:
        raise Exit(code=errors.PredeployError.exit_code)
    return found


def _monitored(call: Call, max_age: str | None, json_: bool) -> Status:
    """Whatever happens is one line; what could not be looked at is neither good nor bad."""
    from ._status.health import OK, UNKNOWN
    from ._status.status_text import line, measured

    try:
        if json_:
            raise errors.ConfigurationError(
                message="--nagios and --json cannot be combined: give one of them"
            )
        found = _found(call, max_age)
    except errors.PredeployError as failure:
        tell(line(UNKNOWN, str(failure.message)))
        raise Exit(code=UNKNOWN) from None
    why = "; ".join((*found.health.why, *found.last.problems))
    tell(f"{line(found.health.level, why)}|{measured(found, _seconds(max_age))}")
    if found.health.level != OK:
        raise Exit(code=found.health.level)
    return found


def _found(call: Call, max_age: str | None) -> Status:
    max_age_seconds = _seconds(max_age)
    with call.session() as host:
        report = host.must("status", recipes.telling_status())
        return _read(host, report, max_age_seconds)


def _seconds(max_age: str | None) -> int | None:
    try:
        return None if max_age is None else seconds(max_age)
    except ValueError as error:
        raise errors.ConfigurationError(f"status: --max-age={max_age} {error}") from None


def _read(host: Host, report: Report, max_age_seconds: int | None) -> Status:
    from ..remote.catalog import read
    from ._status.found import Status
    from ._status.health import LastRun, caveat, judged, newest_proven

    now, archives = host_time(report), read(report).archives
    told = report.must("status")
    problems = tuple(str(errors.Problem(*each.split("\t", 1))) for each in told.all("problem"))
    last = LastRun({key: told[key] for key in told if key != "problem"}, problems)
    newest = newest_proven(archives, host.settings, now)
    space = report.of("space")
    return Status(
        health=judged(last, newest, now, max_age_seconds, caveat(last, archives, host.settings)),
        last=last,
        newest=newest,
        archives=len(archives),
        free_bytes=space.whole("free_bytes") if space else None,
        now=now,
        host=host.name,
        logs=host.command("logs"),
    )
