"""From what was told on the host to findings: nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .._gate.outcome import skew_seconds
from .account import clock, directory, of_account, of_runs, script, space
from .database import of_database, of_outline
from .findings import CHECKS, Finding, failed, ok
from .way_back import of_rehearsal, proof

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...remote import Report


def of_host(settings: Settings, report: Report) -> Iterator[Finding]:
    """Each check that failed as the preflight tells it; of the others, what was seen."""
    problems = list(_problems(report))
    broken = {each.check for each in problems}
    yield from problems
    for finding in _seen(settings, report):
        if finding.check not in broken:
            yield finding


def _problems(report: Report) -> Iterator[Finding]:
    """Each is three facts in a row: which check failed, why, and what to do."""
    for step, pairs in report.facts.items():
        for number, (key, check) in enumerate(pairs):
            if key != "failed" or not check:
                continue
            keys, words = zip(*pairs[number : number + 3], strict=True)
            if check not in CHECKS or keys != ("failed", "because", "remedy"):
                raise report.of(step).unreadable(key, "is no check with a reason and a remedy")
            yield failed(*words)


def _seen(settings: Settings, report: Report) -> Iterator[Finding]:
    looked = report.of("look")
    if looked:
        yield from of_account(report, looked)
        yield directory(looked, report.of("lock"))
        yield from of_runs(looked, report.of("lock"))
        yield script(settings, report.of("installed").get("installed"))
    if skew := skew_seconds(report):
        yield clock(skew)
    if found := report.of("preflight"):
        yield from of_database(settings, report, found)
    if looked:
        yield space(report, looked, found)
    if outlined := report.of("outline"):
        yield from of_outline(settings, report, outlined)
    if settings.proof == "auto" and report.finished("place"):
        yield proof(report.of("place"))
    elif settings.proof == "read" and outlined:
        yield ok("proof", "read: every block will be decoded, and no test restore is made")
    if settings.rehearsal == "off" and outlined:
        yield ok("way back", "not asked: BACKUP_REHEARSAL=off")
    elif report.finished("rehearse"):
        yield from of_rehearsal(settings, report, outlined)
