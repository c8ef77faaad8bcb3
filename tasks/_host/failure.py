"""The error that a run on a host has ended with: by what the host told, or by its silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ...config import errors

if TYPE_CHECKING:
    from ...remote import Report

_SAID_LENGTH = 300
# What a shell reads first, named in what it says of an error there.
_STARTUP_FILE = re.compile(r"[\w./~-]*\.(bashrc|bash_profile|profile|zshenv|zshrc|kshrc|t?cshrc)\b")

_FAILURES: Mapping[int, type[errors.PredeployError]] = {
    failure.exit_code: failure
    for failure in (
        errors.PreflightError,
        errors.LockedError,
        errors.DumpError,
        errors.UnprovenError,
        errors.RefusedError,
        errors.RestoreError,
        errors.RotationError,
        errors.InterruptedRunError,
    )
}


def failure(
    what: str, report: Report, *, is_lost: Callable[[], bool], status: str
) -> errors.PredeployError:
    """What the run of a report has failed of. `status` is the command that may tell more."""
    told, code = report.of("result"), report.code
    if code is None:
        return _silence(what, report, is_lost, status)
    kind = _FAILURES.get(code, errors.PredeployError)
    reason, remedy = told.get("reason") or "the host does not say why", told.get("remedy", "")
    return kind(f"{what}: {reason}", problems=report.problems, remedy=remedy)


def _silence(
    what: str, report: Report, is_lost: Callable[[], bool], status: str
) -> errors.PredeployError:
    if report.lost:
        return errors.HostError(
            f"{what}: the connection was lost, and it is not known how the run ended",
            why=report.lost,
            more=("  The host, left alone, stops and clears up what is unfinished; archives stay."),
            remedy=f"{status} tells how it ended; run it again.",
        )
    if report.is_cut_off and is_lost():
        return errors.HostError(
            f"{what}: the connection was lost before the end",
            more=(
                "  The host notices, stops and removes what is unfinished; earlier archives stay."
            ),
            remedy="run it again.",
        )
    if report.trouble and report.begun:
        return errors.PredeployError(
            f"{what}: {report.trouble}, so this was not our script",
            more="  Nothing of its answer was used.",
            remedy=(
                "find out which program answers on the host: the log above shows what it printed."
            ),
        )
    if not report.begun or report.trouble:
        return _not_begun(what, report)
    if report.facts:
        return errors.PredeployError(
            f"{what}: the shell on the host was killed during the run",
            remedy="check the host's memory and limits, and run it again.",
        )
    return errors.PreflightError(
        f"{what}: the host ended our script before it could report",
        why=f"exit code {report.exited}",
        remedy="check the host's memory and limits, and run it again.",
    )


def _not_begun(what: str, report: Report) -> errors.PredeployError:
    """Nothing was sent there but the beginning of a script, in which there is no secret."""
    code = f"with exit code {report.exited}" if not report.is_cut_off else "and told no exit code"
    why = report.trouble or f"it ended {code}"
    said = " ".join(f"{report.noise} {report.stderr}".split())
    if file := _STARTUP_FILE.search(said):
        why += f", stopped by its startup file {file[0]}"
    elif not said and report.exited == 0:
        why += ", as where one of its startup files calls `exit`"
    return errors.PreflightError(
        f"{what}: the host's shell did not begin our script",
        why=why,
        more=f"  It said: {said[:_SAID_LENGTH] or 'nothing'}\n  No secret was sent.",
        remedy=(
            "try `ssh HOST true`. If the account's startup files (~/.bashrc,"
            " ~/.zshenv, ~/.cshrc, fish's config) start another program, wait for"
            " input or print without end, let them do so only for people: case $-"
            " in *i*) … ;; esac. If the account has no shell or a forced command,"
            " ask the host for one. A slow host gets more time with"
            " SSH_SHELL_TIMEOUT=<seconds>."
        ),
    )
