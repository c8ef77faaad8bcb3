"""The way back: the plan first, the present state kept, and then all of the archive or nothing."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from invoke.tasks import task

from ..config import errors
from ..remote import steps
from .plan import WAYS, Plan, as_data, as_text, planned
from .report import tell, warn
from .session import Host, session
from .source import SAFETY_LABEL, Source, safety, source

if TYPE_CHECKING:
    from invoke.context import Context

    from ..remote.shell import Report, Step


@dataclass(frozen=True)
class Restored:
    """`old_database` is what a swap has left beside it; `safety` the archive of the state before."""

    archive: str
    database: str
    mode: str
    safety: str
    seconds: int
    old_database: str = ""


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
    },
)
def restore(  # noqa: PLR0913 - each is a flag
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
) -> Restored | Plan | None:
    """Bring the database back to an archive, exactly; or leave it as it is."""
    _check_flags(file, undo, drop_old, plan, json_, mode, to, overwrite, table)
    given = {"BACKUP_LOCK_TIMEOUT": lock_timeout, "BACKUP_LOCK_WAIT": lock_wait}
    with session(c, given) as host:
        host = _aimed(host, to)
        if drop_old:
            return _drop_old(host, yes)
        wanted = safety(host) if undo else source(host, str(file))
        if table:
            return _salvage(host, wanted, table)
        foreseen = _plan(host, wanted, mode, terminate)
        tell(
            json.dumps(as_data(foreseen), indent=2, ensure_ascii=False)
            if json_
            else as_text(foreseen)
        )
        _refuse(host, foreseen, to, overwrite, yes)
        if plan:
            return foreseen
        _confirm(host, foreseen, yes, named=to is not None)
        if no_safety:
            warn(
                "--no-safety: the present state is not kept; after this there is no way back to it"
            )
        return _restore(host, wanted, foreseen, keeps=not no_safety, terminate=terminate)


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
    problems = []
    if [bool(file), undo, drop_old].count(True) != 1:
        problems.append("give one of --file=<archive>, --undo and --drop-old")
    if mode not in (None, *WAYS):
        problems.append(f"--mode must be {' or '.join(WAYS)}")
    if json_ and not plan:
        problems.append("--json goes with --plan")
    if overwrite and to is None:
        problems.append("--overwrite goes with --to")
    if table and (plan or mode or to or drop_old):
        problems.append(
            "--table goes with --file or --undo alone: it touches nothing that is there"
        )
    if to is not None and (not to or len(to.encode()) > 63 or not to.isprintable()):
        problems.append("--to must be the name of a database")
    if problems:
        raise errors.ConfigurationError(f"restore: {'; '.join(problems)} (exit 2)")


def _aimed(host: Host, to: str | None) -> Host:
    if to is None:
        return host
    sources = {**host.settings.sources, "DB_NAME": "--to"}
    return replace(host, settings=replace(host.settings, db_name=to, sources=sources))


def _plan(host: Host, wanted: Source, mode: str | None, terminate: bool) -> Plan:
    settings = host.settings
    looking = [
        steps.programs(settings),
        steps.psql(settings),
        steps.preflight(settings, dumps=False),
        steps.archive(wanted.name),
        steps.rehearse(),
        steps.plan(),
    ]
    report = host.must("restore", looking)
    return planned(host.name, settings, report, mode, terminate)


def _refuse(host: Host, plan: Plan, to: str | None, overwrite: bool, yes: bool) -> None:
    if plan.refusals:
        remedy = 'see README, section "What stands in the way of a restore"'
        raise _refusal(host, f"{host.settings.db_user} could not do it: {plan.refusals[0]}", remedy)
    if to is not None and not plan.empty and not overwrite:
        raise _refusal(host, f"{to} is not empty", "choose an empty database, or give --overwrite")
    if to is None and plan.other_database:
        warn(f"the archive is of the database {plan.archive['database']}, not {plan.database}")
        if not yes:
            raise _refusal(
                host,
                f"the archive is of another database, {plan.archive['database']}",
                f"to restore it into {plan.database} all the same, give --yes, and either"
                f" --to={plan.database} or the name when asked",
            )


def _refusal(host: Host, why: str, remedy: str) -> errors.RefusedError:
    return errors.RefusedError(
        f"restore on {host.name}: {why}; nothing was touched (exit 14)\n  What to do: {remedy}."
    )


def _confirm(host: Host, plan: Plan, yes: bool, *, named: bool) -> None:
    """An archive of another database asks for the name even where --yes says yes."""
    if yes and (named or not plan.other_database):
        return
    if not sys.stdin.isatty():
        raise _refusal(host, "not confirmed, and no terminal to ask at", "give --yes")
    tell(f"Type the name of the database to restore it ({plan.database}):")
    try:
        answer = input().strip()
    except EOFError:
        answer = ""
    if answer != plan.database:
        raise _refusal(host, f"not confirmed: {answer!r} is not {plan.database!r}", "try again")


def _restore(host: Host, wanted: Source, plan: Plan, *, keeps: bool, terminate: bool) -> Restored:
    settings = host.settings
    version = f"before-{plan.archive.get('version', 'restore').removeprefix('before-')}"[:100]
    kept = replace(settings, version=version)
    keeping = [
        steps.dump(kept, label=SAFETY_LABEL),
        steps.verify("read"),
        steps.publish(kept, pinned=True),
    ]
    way: list[Step] = (
        [steps.swap(settings, terminate=terminate)]
        if plan.mode == "swap"
        else [steps.replay(settings, terminate=terminate), steps.analyze()]
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
        steps.rehearse(plan.mode, lost=plan.lost),
        *way,
    ]
    report = host.run("restore", all_steps, keeps_status=True)
    return _judged(host, plan, report)


def _judged(host: Host, plan: Plan, report: Report) -> Restored:
    """Once it is committed, what fails later does not make it undone."""
    done = report.of(plan.mode if plan.mode == "swap" else "replay")
    if not done or report.code == errors.InterruptedRunError.exit_code:
        raise host.failure("restore", report)
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
        seconds=int(done["restore_seconds"]),
        old_database=done.get("old_database", ""),
    )
    tell(_summary(host, restored, plan))
    return restored


def _summary(host: Host, restored: Restored, plan: Plan) -> str:
    fab = f"fab -H {host.settings.profile} restore"
    lines = [
        f"Restored {restored.database} to {restored.archive}",
        f"  how      {restored.mode}, in {restored.seconds} s; every table has the rows of the archive"
        if plan.counted
        else f"  how      {restored.mode}, in {restored.seconds} s; the archive told no rows to compare",
        f"  lost     {plan.lost}",
    ]
    if restored.safety:
        lines.append(f"  undo     {fab} --undo   ({restored.safety} keeps the state before)")
    if restored.old_database:
        lines.append(f"  old      {restored.old_database}; {fab} --drop-old drops it")
    return "\n".join(lines)


def _salvage(host: Host, wanted: Source, tables: list[str]) -> None:
    settings = host.settings
    salvaging = [
        steps.lock(settings, create=True, upload=wanted.upload),
        steps.programs(settings),
        steps.psql(settings),
        steps.preflight(settings, dumps=False),
        steps.archive(wanted.name),
        steps.verify("read", wanted.name),
        steps.salvage(settings, tables),
    ]
    report = host.must("restore", salvaging, keeps_status=True)
    schema = report.of("salvage")["schema"]
    tell(f"Restored into the schema {schema}, beside what is there:")
    for key, value in report.facts["salvage"]:
        if key == "salvaged":
            rows, _, name = value.partition(" ")
            tell(f"  {name}: {rows} rows")
    tell(f"  when you are done: DROP SCHEMA {schema} CASCADE")


def _drop_old(host: Host, yes: bool) -> None:
    settings = host.settings
    looking = [steps.programs(settings), steps.psql(settings), steps.drop_old([])]
    report = host.must("restore", looking)
    names = [value for key, value in report.facts["drop_old"] if key == "old_database"]
    if not names:
        tell(f"no database that a restore has left beside {settings.db_name}")
        return
    tell("\n".join(["Databases that a restore has left:", *(f"  {name}" for name in names)]))
    if not yes:
        if not sys.stdin.isatty():
            raise _refusal(host, "not confirmed, and no terminal to ask at", "give --yes")
        tell(f"Type the name of the live database to drop them ({settings.db_name}):")
        if input().strip() != settings.db_name:
            raise _refusal(host, "not confirmed", "try again")
    dropping = [
        steps.lock(settings, create=True),
        steps.programs(settings),
        steps.psql(settings),
        steps.drop_old(names),
    ]
    report = host.must("restore", dropping)
    for key, value in report.facts["drop_old"]:
        if key == "dropped":
            tell(f"dropped {value}")
