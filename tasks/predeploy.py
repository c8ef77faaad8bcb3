"""The gate: a proven archive, or a non-zero exit."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from invoke.tasks import task

from ..config.errors import (
    InterruptedRunError,
    PredeployError,
    PreflightError,
    UnprovenError,
)
from ..remote import steps
from ._gate import drill_here
from ._gate.handover import hand_over
from ._host.session import session
from ._show.report import summary, tell, warn
from .backup import AUTO, taken, taking, tell_version
from .rotate import removed

if TYPE_CHECKING:
    from invoke.context import Context

    from ..config.settings import Settings
    from ..remote._door.script import Step
    from ..remote._door.shell import Report
    from ..remote.catalog import Archive
    from ._host.session import Host


@task(
    auto_shortflags=False,
    help={
        "version": "name part of the archive; default: git describe",
        "proof": "grade to demand: auto, written, read, restored or equal; default auto",
        "accept-shrink": "it is meant to hold much less than those before",
        "rehearsal": "warn, require or off: could this role restore it here? default require",
        "keep": "archives to keep per project, label and database; default 5",
        "lock-timeout": "seconds to wait for locks in the database; default 30",
        "lock-wait": "seconds to wait for another run on the host; default 0",
        "quiet": "no log and no progress: the result, warnings and errors",
    },
)
def predeploy(
    c: Context,
    version: str | None = None,
    proof: str | None = None,
    accept_shrink: bool = False,
    rehearsal: str | None = None,
    keep: str | None = None,
    lock_timeout: str | None = None,
    lock_wait: str | None = None,
    quiet: bool = False,
) -> Archive:
    """Back up, prove and rotate; a non-zero exit means: do not deploy."""
    given = {
        "BACKUP_VERSION": version,
        "BACKUP_PROOF": proof,
        "BACKUP_REHEARSAL": rehearsal,
        "MAX_BACKUPS": keep,
        "BACKUP_LOCK_TIMEOUT": lock_timeout,
        "BACKUP_LOCK_WAIT": lock_wait,
    }
    with session(c, given, quiet=quiet) as host:
        tell_version(host)
        return judged(host, _run(host, accept_shrink=accept_shrink))


def _run(host: Host, *, accept_shrink: bool) -> Report:
    settings = host.settings
    here = drill_here.is_asked_for(settings)
    if here:
        try:
            drill_here.check_programs()
        except PreflightError as failure:
            return _run(_without_drill(host, failure), accept_shrink=accept_shrink)
    several = gate(
        settings,
        settings.rehearsal,
        accept_shrink=accept_shrink,
        here_major=drill_here.newest_major(settings),
    )
    report = host.run("predeploy", several, keeps_status=True)
    if drill_here.stands_in(host, report):
        there = replace(host, settings=replace(settings, drill="runner"))
        return _run(there, accept_shrink=accept_shrink)
    if (report.code, report.of("result").get("step")) == (PreflightError.exit_code, "drill"):
        broken = host.failure("predeploy", report)
        return _run(_without_drill(host, broken), accept_shrink=accept_shrink)
    if not here:
        return report
    if report.code != 0:  # whatever was published, its proof is still to come
        raise host.failure("predeploy", report)
    return _proven_here(host, report)


def _without_drill(host: Host, failure: PredeployError) -> Host:
    """The same at the grade `read`; raise the failure unless BACKUP_PROOF=auto allows that."""
    if host.settings.proof != AUTO:
        raise failure
    why = str(failure.message).partition("\n")[0]
    warn(f"BACKUP_PROOF=auto: no test restore could be made, so the grade is read: {why}")
    return replace(host, settings=replace(host.settings, proof="read"))


def _proven_here(host: Host, report: Report) -> Report:
    """The archive stands with what the host could prove; no other goes before the rest is shown."""
    from ..remote.catalog import read_one

    archive = read_one(report, "publish")
    try:
        drill_here.check_size(host.settings, report)
        drill_here.prove_here(host, "predeploy", archive)
    except (PreflightError, UnprovenError) as failure:
        if host.settings.proof == AUTO and isinstance(failure, PreflightError):
            return _recorded(_without_drill(host, failure), archive, report)
        why = str(failure.message).partition("\n")[0]
        with suppress(PredeployError):  # the status there told of no success before, either
            host.run("predeploy", drill_here.recording(host, archive, why), keeps_status=True)
        raise
    return _recorded(host, archive, report)


def _recorded(host: Host, archive: Archive, report: Report) -> Report:
    recording = [*drill_here.recording(host, archive), steps.awk(), *_rotating(host.settings)]
    last = host.run("predeploy", recording, keeps_status=True)
    if not last.finished("record"):
        raise host.failure("predeploy", last)
    facts = {**report.facts, **last.facts, "publish": last.must("record").pairs}
    return replace(last, facts=facts, seconds={**report.seconds, **last.seconds})


def gate(
    settings: Settings, rehearsal: str, *, accept_shrink: bool = False, here_major: int = 0
) -> list[Step]:
    """From nothing to a proven archive in its place, and others gone for it."""
    here = drill_here.is_asked_for(settings)
    proof = "read" if here else settings.proof
    return [
        *taking(
            settings,
            proof,
            rehearsal=rehearsal,
            rotates=True,
            accept_shrink=accept_shrink,
            here_major=here_major,
        ),
        steps.gate(),
        *([steps.defer(settings.drilled)] if here else _rotating(settings)),
    ]


def _rotating(settings: Settings) -> list[Step]:
    return [steps.retention(settings), steps.prune()]


def judged(host: Host, report: Report) -> Archive:
    """An archive is published only after its proof: what fails after the gate does not fail it."""
    if not report.finished("gate") or report.code == InterruptedRunError.exit_code:
        raise host.failure("predeploy", report)
    archive = taken(report)
    gone = removed(report)
    for name, reason in gone.items():
        tell(f"removed {name}: {reason}")
    if report.code != 0:
        warn(
            f"the rotation failed, the archive stands: {host.failure('predeploy', report).message}"
        )
    obstacles = rehearsed(report)
    for obstacle in obstacles:
        warn(f"fab restore could not go back to this archive: {obstacle}")
    for other in report.of("rehearse").all("other_version"):
        warn(f"after a restore, {other}")
    for kept in report.of("rehearse").all("kept_rows"):
        warn(f"fab restore would not bring back {kept}")
    if not archive.at_least("restored"):
        for words in unqualified(report):
            warn(words)
    untried = report.of("place").get("unplaced", "")
    tell(summary(host, archive, restorable=not obstacles, untried=untried))
    hand_over(host, archive, report, gone, restorable=not obstacles)
    return archive


def unqualified(report: Report) -> list[str]:
    """What a test restore would show, said without one: functions that a restore may not run."""
    return [
        f"a restore may fail: {each}. A restore runs it without a search path: SET search_path on"
        " the function, or write the schema before the name; a test restore (--proof=restored)"
        " shows whether the archive comes back"
        for each in report.of("rehearse").all("unqualified")
    ]


def rehearsed(report: Report) -> list[str]:
    """What stands in every way to restore: one that is open is enough."""
    told = report.of("rehearse")
    both, transaction = told.all("obstacle"), told.all("transaction_obstacle")
    return [*both, *(transaction if told.all("swap_obstacle") else ())]
