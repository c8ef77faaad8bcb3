"""Tell how the last run ended: to people, to scripts and to monitors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from ..config import errors
from ..remote import steps
from ._gate.outcome import host_time
from ._host.command import Call, command
from ._show.report import tell, tell_data
from ._show.units import age, size

if TYPE_CHECKING:
    from datetime import datetime

    from ..remote import Report
    from ..remote.catalog import Archive
    from ._host.host import Host
    from ._status.health import Health, LastRun


@dataclass(frozen=True)
class Status:
    """`newest` is the newest proven archive of this project and database, `now` the host's time.

    `logs` is the command that tells more.
    """

    health: Health
    last: LastRun
    newest: Archive | None
    archives: int
    free_bytes: int | None
    now: datetime
    host: str
    logs: str


@command(
    max_age="fail too if no proven archive is younger: 90m, 26h, 7d",
    nagios="one line and the exit codes of a monitor's plugin",
    json_="print data",
)
def status(
    call: Call, max_age: str | None = None, nagios: bool = False, json_: bool = False
) -> Status:
    """Tell how the last run ended; exit 0 if it was good, 1 if not."""
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

    try:
        if json_:
            raise errors.ConfigurationError(message="--nagios and --json exclude each other")
        found = _found(call, max_age)
    except errors.PredeployError as failure:
        tell(_line(UNKNOWN, str(failure.message)))
        raise Exit(code=UNKNOWN) from None
    why = "; ".join((*found.health.why, *found.last.problems))
    tell(f"{_line(found.health.level, why)}|{_measured(found, max_age)}")
    if found.health.level != OK:
        raise Exit(code=found.health.level)
    return found


def _found(call: Call, max_age: str | None) -> Status:
    max_age_seconds = _seconds(max_age)
    with call.session() as host:
        report = host.must("status", [steps.status(), steps.catalog(), steps.space()])
        return _read(host, report, max_age_seconds)


def _seconds(max_age: str | None) -> int | None:
    from ..config.parsers import seconds

    try:
        return None if max_age is None else seconds(max_age)
    except ValueError as error:
        raise errors.ConfigurationError(f"status: --max-age={max_age} {error}") from None


def _read(host: Host, report: Report, max_age_seconds: int | None) -> Status:
    from ..remote.catalog import read
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


def as_text(found: Status) -> str:
    first, *others = found.health.why
    lines = [f"{'good' if found.health.good else 'NOT GOOD'} on {found.host}: {first}"]
    lines += [f"  also     {each}" for each in others]
    lines += [f"  problem  {each}" for each in found.last.problems]
    if found.last.facts.get("remedy"):
        lines.append(f"  to do    {found.last.facts['remedy']}")
    if found.newest:
        newest = found.newest
        lines.append(f"  newest   {newest.name}, {newest.proof}, {age(_age(found))} old")
    else:
        lines.append("  newest   no archive of this project and database is proven")
    if found.free_bytes is not None:
        lines.append(f"  space    {size(found.free_bytes)} free, {found.archives} archives")
    if found.last.facts.get("log"):
        lines.append(f"  log      {found.last.facts['log']}: {found.logs}")
    return "\n".join(lines)


def as_data(found: Status) -> dict[str, object]:
    from ._status.health import LEVELS

    last, code = found.last, found.last.facts.get("code", "")
    run: dict[str, object] = {**last.facts, "problems": list(last.problems)}
    if re.fullmatch("[0-9]{1,3}", code):
        run["code"] = int(code)
    newest = found.newest
    return {
        "good": found.health.good,
        "level": LEVELS[found.health.level],
        "why": list(found.health.why),
        "at_work": last.at_work or None,
        "last": run if last.facts else None,
        "newest_proven": newest
        and {
            "archive": newest.name,
            "age_seconds": int(_age(found)),
            "bytes": newest.bytes,
            "proof": newest.proof,
        },
        "archives": found.archives,
        "free_bytes": found.free_bytes,
    }


def _age(found: Status) -> float:
    return (found.now - found.newest.created).total_seconds() if found.newest else 0


def _line(level: int, text: str) -> str:
    """What comes after a bar would be numbers to a monitor, and what after a line break is lost."""
    from ._status.health import LEVELS

    return f"{LEVELS[level]} - {' '.join(text.split()).replace('|', '/')}"


def _measured(found: Status, max_age: str | None) -> str:
    """As monitors draw it: name=value with its unit, and the limits."""
    numbers = [f"archives={found.archives};;;0"]
    if found.newest:
        limit = _seconds(max_age) or ""
        numbers += [f"age={_age(found):.0f}s;;{limit};0", f"size={found.newest.bytes}B;;;0"]
    if found.free_bytes is not None:
        numbers.append(f"free={found.free_bytes}B;;;0")
    return " ".join(numbers)
