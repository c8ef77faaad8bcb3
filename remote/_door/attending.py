"""A run that outlives its connection: it goes on on the host, and we come back to it."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from ...config.errors import HostError, InterruptedRunError
from ..steps import step
from . import shell
from .events import Stream
from .hearing import Follow
from .line import Line
from .report import Report
from .script import Step
from .shell import Told

LONGEST_WAIT_SECONDS: Final = 2.0  # or a short cut would cost more than it lasted
LEFT_WAIT_SECONDS: Final = 15
_GOES_ON: Final = "; the run goes on on the host"


def run(  # noqa: PLR0913 - each has a name
    line: Line,
    several: Sequence[Step],
    *,
    variables: Mapping[str, str],
    secrets: Mapping[str, str] = MappingProxyType({}),
    payload: Iterable[bytes] | None = None,
    follow: Follow | None = None,
    tells: str = "log",
    log: Stream | None = None,
) -> Report:
    """Run the steps as `shell.run` does; when the connection is lost, come back and follow on.

    Only what has a lock is there to come back to, and a payload cannot be sent in two parts. A run
    whose script had not come whole has changed nothing: it begins again.
    """
    patience = 0 if payload is not None else _patience(several)

    def begin(steps: Sequence[Step]) -> tuple[Told, Report]:
        told = Told(follow, tells, log)
        with line.watched() if patience else nullcontext():
            report = shell.run(
                line, steps, variables=variables, secrets=secrets, payload=payload, told=told
            )
        return told, report

    line.ready()
    told, report = begin(several)
    begun, heard_at = report.begun, time.monotonic()
    while patience and report.is_cut_off and not report.lost and line.is_lost():
        if told.events.caught_up:
            heard_at = time.monotonic()
        elif time.monotonic() - heard_at > patience:
            why = f"for {patience} s each connection was lost again before the host had told more"
            return replace(report, lost=why)
        why = come_back(line, told, patience)
        if why:
            return replace(report, lost=why)
        if begun:
            with line.watched():
                attending = step("attend", run=told.fence)
                report = shell.attend(line, attending, variables=variables, told=told)
        if not begun or report.of("result").get("cut_off"):
            told, report = begin([_with_wait(step) for step in several])
            begun = report.begun
    return report


def _with_wait(step: Step) -> Step:
    """The host may take a moment to notice that the run before has lost its client."""
    if step.name != "lock":
        return step
    seconds = max(int(step.variables["lock_wait_seconds"]), LEFT_WAIT_SECONDS)
    return replace(step, variables={**step.variables, "lock_wait_seconds": str(seconds)})


def _patience(several: Sequence[Step]) -> int:
    """How many seconds the host waits for us."""
    waits = (step.variables["reconnect_seconds"] for step in several if step.name == "lock")
    return int(next(waits, "0"))


def come_back(line: Line, told: Told, patience: int, lost: str = _GOES_ON) -> str:
    """Connect again, as long as the host would wait for us; or return why not."""
    began = time.monotonic()
    told.say(f"WARNING: the connection was lost{lost}. Reconnecting ...")
    wait = 1.0
    while True:
        try:
            _await(line, told, wait)
        except InterruptedRunError as interrupt:
            words = f"the host stops by itself, {patience} s after it has noticed."
            raise interrupt.add(f"The connection was lost before: {words}") from None
        except HostError as failure:
            gone = time.monotonic() - began
            if not failure.may_pass or gone + wait > patience:
                return f"for {gone:.0f} s there was no way back. {failure.message}"
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
        else:
            told.say(f"connected again, after {time.monotonic() - began:.0f} s")
            return ""


def _await(line: Line, told: Told, wait: float) -> None:
    time.sleep(wait)
    limit = line.run_seconds
    if told.seconds_left(limit) == 0:
        raise InterruptedRunError(f"stopped after the {limit:g} s that fab's -T allows")
    line.renew()
