"""Look at the settings, the way and the host, as far as it goes, and tell what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...config import errors
from ...remote import recipes
from .._gate import able_here
from .._host.host import Host
from .._host.session import prepared
from .._show.report import tell, tell_data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invoke.context import Context

    from ...config.settings import Settings
    from ...remote import Report
    from .findings import Finding


def diagnosed(c: Context, given: Mapping[str, str | None], *, json_: bool = False) -> list[Finding]:
    """Tell what was found; raise the error that predeploy would end with."""
    from .findings import as_data, as_text, complete

    found: list[Finding] = []
    failure = _examined(c, given, found)
    findings = complete(found)
    if json_:
        tell_data(as_data(findings))
    else:
        tell(as_text(findings))
    if failure:
        wrong = ", ".join(dict.fromkeys(each.check for each in found if each.result == "fail"))
        raise type(failure)(f"predeploy would not run: {wrong}")
    if not json_:
        tell("predeploy may run")
    return findings


def _examined(
    c: Context, given: Mapping[str, str | None], found: list[Finding]
) -> errors.PredeployError | None:
    from ...remote.signals import heeded_signals, signals_raise
    from .findings import failed, told

    try:
        settings, caller = prepared(c, given)
        with signals_raise(*heeded_signals()):
            return _on_the_way(settings, caller, found)
    except errors.ConfigurationError as error:
        if error.problems:
            found.extend(failed("settings", problem.what) for problem in error.problems)
        else:
            found.append(told("settings", error))
        return error


def _on_the_way(
    settings: Settings, caller: Any, found: list[Finding]
) -> errors.PredeployError | None:
    from ...remote import Link, examine
    from .way import of_settings, of_way

    examination = examine(settings, caller)
    found.extend([*of_settings(settings), *of_way(examination)])
    if examination.failure or examination.connection is None:
        return examination.failure
    return _on_the_host(Host(settings, Link(settings, caller)), found)


def _on_the_host(host: Host, found: list[Finding]) -> errors.PredeployError | None:
    from .diagnosis import of_host
    from .findings import told

    settings = host.settings
    report = host.run("doctor", recipes.looking(settings))
    if able_here.stands_in(host, report):
        return _on_the_host(replace(host, settings=replace(settings, drill="runner")), found)
    try:
        found.extend(of_host(settings, report))
    except errors.UnreadableFactError as unreadable:
        found.append(told("shell", unreadable))
        return unreadable
    if report.code == 0:
        return _here(report, found) if recipes.drills_here(settings) else None
    failure = host.failure("doctor", report)
    if isinstance(failure, errors.InterruptedRunError):
        raise failure
    if not any(each.result == "fail" for each in found):
        found.append(told("shell", failure))
    return failure


def _here(report: Report, found: list[Finding]) -> errors.PredeployError | None:
    """What a test restore on this machine takes, as far as it can be known before the dump."""
    from ...remote.here import confinement
    from .findings import ok, told

    try:
        programs = able_here.check_programs(able_here.major_of(report.of("preflight")))
    except errors.PreflightError as failure:
        found.append(told("programs", failure))
        return failure
    found.append(ok("programs", f"here, for the test restore: {programs.version}"))
    found.append(ok("programs", able_here.shut_in(confinement.is_possible())))
    return None
