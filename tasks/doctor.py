"""What was a page on troubleshooting: would predeploy be allowed to run, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke.tasks import task

from ..config import errors
from ..remote import steps
from .report import tell
from .session import Host, prepared, signals_raise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invoke.context import Context

    from ..config.settings import Settings
    from ..remote.shell import Step
    from .findings import Finding


@task(auto_shortflags=False, help={"json_": "print data: check, result, detail and remedy of each"})
def doctor(c: Context, json_: bool = False) -> list[Finding]:
    """Tell whether predeploy may run, or why not; touch nothing."""
    return diagnosed(c, json_=json_)


def diagnosed(
    c: Context, given: Mapping[str, str | None] | None = None, *, json_: bool = False
) -> list[Finding]:
    """Tell what was found; raise the error that predeploy would end with."""
    from .findings import as_json, as_text, complete

    found: list[Finding] = []
    failure = _examined(c, given or {}, found)
    findings = complete(found)
    tell(as_json(findings) if json_ else as_text(findings))
    if failure:
        code = failure.exit_code
        raise type(failure)(f"predeploy would not run (exit {code}): see what failed")
    if not json_:
        tell("predeploy may run")
    return findings


def looking(settings: Settings) -> list[Step]:
    """The steps of predeploy before its dump, and its rehearsal."""
    demand = "any" if settings.rehearsal == "require" else ""
    return [
        steps.look(),
        steps.lock(settings, create=True),
        steps.programs(settings),
        steps.psql(settings),
        steps.preflight(settings),
        steps.outline(settings),
        *([] if settings.rehearsal == "off" else [steps.rehearse(demand)]),
    ]


def _examined(
    c: Context, given: Mapping[str, str | None], found: list[Finding]
) -> errors.PredeployError | None:
    from ..remote.shell import heeded_signals
    from .findings import failed, told

    try:
        settings, caller = prepared(c, given)
        with signals_raise(*heeded_signals()):
            return _on_the_way(settings, caller, found)
    except errors.ConfigurationError as error:
        if error.problems:
            found.extend(failed("settings", problem) for problem in error.problems)
        else:
            found.append(told("settings", str(error.message)))
        return error


def _on_the_way(
    settings: Settings, caller: Any, found: list[Finding]
) -> errors.PredeployError | None:
    from ..remote.examination import examine
    from .diagnosis import of_settings, of_way

    examination = examine(settings, caller)
    found.extend([*of_settings(settings), *of_way(examination)])
    if examination.failure or examination.connection is None:
        return examination.failure
    return _on_the_host(Host(settings, examination.connection), found)


def _on_the_host(host: Host, found: list[Finding]) -> errors.PredeployError | None:
    from .diagnosis import of_host
    from .findings import told

    report = host.run("doctor", looking(host.settings))
    found.extend(of_host(host.settings, report))
    if report.code == 0:
        return None
    failure = host.failure("doctor", report)
    if not any(each.result == "fail" for each in found):
        found.append(told("shell", str(failure.message)))
    return failure
