"""The way back: the plan first, the present state kept, and then all of the archive or nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from invoke.tasks import task

from ..config import errors
from ..remote import steps
from ._host.session import Host, session
from ._show.report import tell, tell_data, warn

if TYPE_CHECKING:
    from invoke.context import Context

    from ..remote._door.script import Step
    from ..remote._door.shell import Report
    from ._restore.plan import Plan
    from ._restore.source import Source

_NOT_KEPT = (errors.PreflightError.exit_code, errors.DumpError.exit_code)
_NAME_BYTES = 63  # PostgreSQL's NAMEDATALEN


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


@task(
    auto_shortflags=False,
    iterable=["table"],
    help={
        "file": "archive: its name, a part of it, latest, latest@read, a path on the host or here",
        "undo": "go back to the state that the last restore has kept",
        "plan": "only tell what would be done",
        "json_": "with --plan: as data",
        "yes": "do not ask",
        "mode": "transaction or swap; default: what the role may do",
        "to": "another database that exists, to restore into",
        "overwrite": "with --to: though it is not empty",
        "table": "only this table, into a schema of its own; may be repeated",
        "no_safety": "do not keep the present state first",
        "terminate": "end other sessions of the same role",
        "drop_old": "drop the databases that swaps have left",
        "lock-timeout": "seconds to wait for locks in the database; default 30",
        "lock-wait": "seconds to wait for another run on the host; default 0",
        "quiet": "no log and no progress: the result, warnings and errors",
    },
)
def restore(
    c: Context,
    file: str | None = None,
    undo: bool = False,
    plan: bool = False,
    json_: bool = False,
    yes: bool = False,
    mode: str | None = None,
    to: str | None = None,
    overwrite: bool = False,
    table: list[str] | None = None,
    no_safety: bool = False,
    terminate: bool = False,
    drop_old: bool = False,
    lock_timeout: str | None = None,
    lock_wait: str | None = None,
    quiet: bool = False,
) -> Restored | Plan | None:
    """Bring the database back to an archive, exactly, or leave it."""
    # Only here and below, as `fab --list` restores nothing.
    from ._restore.confirm import confirm, refuse_unless_possible
    from ._restore.old_databases import drop_old_databases
    from ._restore.plan import as_data, as_text
    from ._restore.salvage import salvage
    from ._restore.source import safety, source

    _check_flags(file, undo, drop_old, plan, json_, mode, to, overwrite, table)
    given = {"BACKUP_LOCK_TIMEOUT": lock_timeout, "BACKUP_LOCK_WAIT": lock_wait}
    with session(c, given, quiet=quiet) as live:
        host = _aimed(live, to)
        if drop_old:
            drop_old_databases(host, yes)
            return None
        wanted = safety(host) if undo else source(live, str(file))
        if table:
            salvage(host, wanted, table)
            return None
        foreseen = _plan(host, wanted, mode, terminate)
        if json_:
            tell_data(as_data(foreseen))
        else:
            tell(as_text(foreseen))
        refuse_unless_possible(host, foreseen, to, overwrite, yes)
        if plan:
            return foreseen
        confirm(host, foreseen, yes, named=to is not None)
        if no_safety:
            warn(
                "--no-safety: the present state is not kept; after this there is no way back to it"
            )
        return _restore(host, wanted, foreseen, keeps=not no_safety, terminate=terminate)


def back(host: Host, file: str) -> Restored:
    """Go back to an archive at once: the plan is shown, and nobody is asked."""
    from ._restore.confirm import refuse_unless_possible
    from ._restore.plan import as_text
    from ._restore.source import source

    wanted = source(host, file)
    foreseen = _plan(host, wanted, None, terminate=False)
    tell(as_text(foreseen))
    refuse_unless_possible(host, foreseen, None, overwrite=False, yes=True)
    return _restore(host, wanted, foreseen, keeps=True, terminate=False)


def _check_flags(
    file: str | None,
    undo: bool,
    drop_old: bool,
    plan: bool,
    json_: bool,
    mode: str | None,
    to: str | None,
    overwrite: bool,
    table: list[str] | None,
) -> None:
    from ._restore.plan import WAYS

    problems = []
    if [bool(file), undo, drop_old].count(True) != 1:
        problems.append("give one of --file=<archive>, --undo and --drop-old")
    if mode not in (None, *WAYS):
        problems.append(f"--mode must be {' or '.join(WAYS)}")
    if json_ and not plan:
        problems.append("--json goes with --plan")
    if overwrite and to is None:
        problems.append("--overwrite goes with --to")
    if drop_old and (plan or mode or overwrite):
        problems.append("--drop-old goes alone, or with --yes")
    if table and (plan or mode or to or drop_old):
        problems.append(
            "--table goes with --file or --undo alone: it touches nothing that is there"
        )
    if to is not None and (not to or len(to.encode()) > _NAME_BYTES or not to.isprintable()):
        problems.append("--to must be the name of a database")
    if problems:
        raise errors.ConfigurationError(f"restore: {'; '.join(problems)} (exit 2)")


def _aimed(host: Host, to: str | None) -> Host:
    if to is None:
        return host
    sources = {**host.settings.sources, "DB_NAME": "--to"}
    return replace(host, settings=replace(host.settings, db_name=to, sources=sources))


def _plan(host: Host, wanted: Source, mode: str | None, terminate: bool) -> Plan:
    from ._restore.plan import planned

    settings = host.settings
    looking = [
        steps.programs(settings),
        steps.psql(settings),
        steps.preflight(settings, dumps=False),
        steps.archive(wanted.name),
        steps.rehearsing(),
        steps.rehearse(),
        steps.plan(),
    ]
    report = host.must("restore", looking)
    return planned(host.name, settings, report, mode, terminate)


def _restore(host: Host, wanted: Source, plan: Plan, *, keeps: bool, terminate: bool) -> Restored:
    from ..remote.catalog import PRE_RESTORE

    settings = host.settings
    version = f"before-{plan.archive.get('version', 'restore').removeprefix('before-')}"[:100]
    kept = replace(settings, version=version)
    keeping = [
        steps.dump(kept, label=PRE_RESTORE),
        steps.verify("read"),
        steps.publish(kept, pinned=True),
    ]
    way: list[Step] = (
        [steps.beside(), steps.swap(settings, terminate=terminate)]
        if plan.mode == "swap"
        else [steps.replay(terminate=terminate), steps.analyze()]
    )
    all_steps = [
        steps.lock(settings, create=True, upload=wanted.upload),
        steps.programs(settings),
        steps.psql(settings),
        steps.preflight(settings, dumps=keeps),
        steps.archive(wanted.name),
        steps.verify("read", wanted.name),
        *(keeping if keeps else []),
        steps.archive(wanted.name),
        steps.rehearsing(),
        steps.rehearse(plan.mode, lost=plan.lost),
        steps.restoring(),
        steps.back(settings),
        *way,
    ]
    expected = dict.fromkeys(("replay", "swap"), plan.estimate_seconds or 0)
    report = host.run("restore", all_steps, keeps_status=True, expected_seconds=expected)
    return _judged(host, plan, report)


def _judged(host: Host, plan: Plan, report: Report) -> Restored:
    """Once it is committed, what fails later does not make it undone."""
    from ..remote.facts import MOST_SECONDS

    done = report.of(plan.mode if plan.mode == "swap" else "replay")
    if not done or report.code == errors.InterruptedRunError.exit_code:
        raise _failure(host, report)
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
        hint = "  Or: --no-safety goes on without keeping the present state; the archive is enough."
        return type(failure)(f"{failure.message}\n{hint}")
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
    if restored.old_database:
        lines.append(f"  old      {restored.old_database}; {fab} --drop-old drops it")
    return "\n".join(lines)
