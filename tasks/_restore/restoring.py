"""Show what a restore would do, do it, and say what it came to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...config import errors
from ...remote import recipes
from .._show.report import tell, warn
from .confirm import refuse_unless_possible
from .plan import planned
from .plan_text import as_text
from .source import source
from .state import state_told

if TYPE_CHECKING:
    from ...remote import Report
    from ...remote.facts import Facts
    from .._host.host import Host
    from .plan import Plan
    from .source import Source

_NOT_KEPT = (errors.PreflightError.exit_code, errors.DumpError.exit_code)


@dataclass(frozen=True)
class Restored:
    """`safety` is the archive of the state before, `old_database` what a swap has left of it.

    `search_path` is the one under which the rows went in, where they did not under an empty one.
    """

    archive: str
    database: str
    mode: str
    safety: str
    seconds: int
    old_database: str = ""
    search_path: str = ""


def bring_back_at_once(host: Host, file: str) -> Restored:
    """Go back to an archive at once: the plan is shown, and nobody is asked."""
    with state_told("the database was not touched"):
        wanted = source(host, file)
        plan = foresee(host, wanted, None, terminate=False)
        tell(as_text(plan))
        refuse_unless_possible(host, plan, None, overwrite=False, yes=True)
    return bring_back(host, wanted, plan, keeps=True, terminate=False)


def foresee(host: Host, wanted: Source, mode: str | None, terminate: bool) -> Plan:
    settings = host.settings
    report = host.must("restore", recipes.foreseeing(settings, wanted.name))
    return planned(host.name, settings, report, mode, terminate)


def bring_back(host: Host, wanted: Source, plan: Plan, *, keeps: bool, terminate: bool) -> Restored:
    settings = host.settings
    version = f"before-{plan.archive.get('version', 'restore').removeprefix('before-')}"[:100]
    kept = replace(settings, version=version)
    several = recipes.restoring(
        kept,
        wanted.name,
        wanted.upload,
        mode=plan.mode,
        lost=plan.lost,
        keeps=keeps,
        terminate=terminate,
    )
    expected = dict.fromkeys(("replay", "swap"), plan.estimate_seconds or 0)
    with state_told(f"{host.command('status')} tells in which state the database is"):
        report = host.run("restore", several, keeps_status=True, expected_seconds=expected)
    return _judged(host, plan, report)


def _judged(host: Host, plan: Plan, report: Report) -> Restored:
    """Once it is committed, what fails later does not make it undone."""
    done = report.of(plan.mode if plan.mode == "swap" else "replay")
    if not done or report.code == errors.InterruptedRunError.exit_code:
        raise _failure(host, report)
    with state_told(f"the database is restored to {plan.file.rpartition('/')[2]}"):
        return _restored(host, plan, report, done)


def _restored(host: Host, plan: Plan, report: Report, done: Facts) -> Restored:
    from ...remote.facts import MOST_SECONDS

    for view in (
        value for facts in report.facts.values() for key, value in facts if key == "empty_view"
    ):
        tell(f"  empty    the materialized view {view} holds no rows")
    if report.code != 0:
        warn(f"restored, but then: {host.failure('restore', report).message}")
    restored = Restored(
        archive=plan.file.rpartition("/")[2],
        database=plan.database,
        mode=plan.mode,
        safety=report.of("publish").get("archive", ""),
        seconds=done.whole("restore_seconds", MOST_SECONDS),
        old_database=done.get("old_database", ""),
        search_path=done.get("replayed_under", ""),
    )
    tell(_summary(host, restored, plan, done.get("uncompared", "")))
    return restored


def _failure(host: Host, report: Report) -> errors.PredeployError:
    failure = host.failure("restore", report)
    if report.code in _NOT_KEPT:
        hint = "Or: --no-safety goes on without keeping the present state; the archive is enough."
        return failure.add(hint)
    return failure


def _summary(host: Host, restored: Restored, plan: Plan, uncompared: str) -> str:
    fab = host.command("restore")
    compared = "every table has as many rows as in the archive"
    if not plan.counted:
        compared = "the archive told no rows to compare"
    elif uncompared:
        compared += f", but for these, which were not counted: {uncompared}"
    under = f", under the search path {restored.search_path}" if restored.search_path else ""
    lines = [
        f"Restored {restored.database} to {restored.archive}",
        f"  how      {restored.mode}, in {restored.seconds} s{under}; {compared}",
        f"  lost     {plan.lost}",
    ]
    if restored.safety:
        lines.append(f"  undo     {fab} --undo   ({restored.safety} keeps the state before)")
    else:
        lines.append("  undo     not possible: with --no-safety the state before was not kept")
    if restored.old_database:
        lines.append(f"  old      {restored.old_database}; {fab} --drop-old drops it")
    return "\n".join(lines)
