"""The gate: a proven archive, or the error that says why there is none."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ...config.errors import (
    InterruptedRunError,
    PredeployError,
    PreflightError,
    UnprovenError,
)
from ...remote import recipes
from .._show.report import tell, warn
from . import able_here, drill_here
from .handover import hand_over
from .outcome import rehearsed, removed, taken, unqualified
from .summary import summary, tell_version

if TYPE_CHECKING:
    from ...remote import Report
    from ...remote.catalog import Archive
    from .._host.host import Host


def passed(host: Host, *, accept_shrink: bool = False) -> Archive:
    """Return the archive that was taken, and is proven; others went for it. Else raise."""
    tell_version(host)
    return _judged(host, _run(host, accept_shrink=accept_shrink))


def _run(host: Host, *, accept_shrink: bool) -> Report:
    settings = host.settings
    here = recipes.drills_here(settings)
    if here:
        try:
            able_here.check_programs()
        except PreflightError as failure:
            return _run(_without_drill(host, failure), accept_shrink=accept_shrink)
    several = recipes.gate(
        settings,
        settings.rehearsal,
        accept_shrink=accept_shrink,
        here_major=able_here.newest_major(settings),
    )
    report = host.run("predeploy", several, keeps_status=True)
    if able_here.stands_in(host, report):
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
    if host.settings.proof != recipes.AUTO:
        raise failure
    why = failure.headline
    warn(f"BACKUP_PROOF=auto: no test restore could be made, so the grade is read: {why}")
    return replace(host, settings=replace(host.settings, proof="read"))


def _proven_here(host: Host, report: Report) -> Report:
    """The archive stands with what the host could prove; no other goes before the rest is shown."""
    from ...remote.catalog import read_one

    archive = read_one(report, "publish")
    try:
        able_here.check_size(host.settings, report)
        drill_here.prove_here(host, "predeploy", archive)
    except (PreflightError, UnprovenError) as failure:
        if host.settings.proof == recipes.AUTO and isinstance(failure, PreflightError):
            return _recorded(_without_drill(host, failure), archive, report)
        why = failure.headline
        with suppress(PredeployError):  # the status there told of no success before, either
            host.run("predeploy", recipes.recording(host.settings, archive, why), keeps_status=True)
        raise
    return _recorded(host, archive, report)


def _recorded(host: Host, archive: Archive, report: Report) -> Report:
    settings = host.settings
    several = recipes.recording_and_rotating(settings, archive)
    last = host.run("predeploy", several, keeps_status=True)
    if not last.finished("record"):
        raise host.failure("predeploy", last)
    facts = {**report.facts, **last.facts, "publish": last.must("record").pairs}
    return replace(last, facts=facts, seconds={**report.seconds, **last.seconds})


def _judged(host: Host, report: Report) -> Archive:
    """An archive is published only after its proof: what fails after the gate does not fail it."""
    if not report.finished("gate") or report.code == InterruptedRunError.exit_code:
        raise host.failure("predeploy", report)
    archive = taken(report)
    gone = removed(report)
    for name, reason in gone.items():
        tell(f"removed {name}: {reason}")
    if report.code != 0:
        warn(
            "the archive is made and proven, but the rotation failed:"
            f" {host.failure('predeploy', report).message}"
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
