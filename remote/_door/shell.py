"""The one door: everything that happens on a host goes through `run`, `attend` or `pour`."""

import secrets
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from ...config.errors import InterruptedRunError
from .events import Log, Once, Stopwatch, Stream
from .exchange import Exchange, Limits, Reply, awaited_politely
from .hearing import Follow, Hearing, Take
from .line import Line
from .report import LOST, Report
from .script import Step, request
from .stdin import Stdin

_KILLED: Final = -9


class Told:
    """State of a run, over one connection or several: each new one begins with its first word.

    `follow` is told, from another thread, of each event as it comes: `begin` and `end` of a step,
    and what a step says of its `progress`, if the host `tells` that; other than `log`, it may
    tell `warnings` alone. All but events goes to stderr, or to what is given as `log`.
    """

    def __init__(
        self, follow: Follow | None = None, tells: str = "log", log: Stream | None = None
    ) -> None:
        self.fence = secrets.token_hex(16)
        self.tells = tells
        self.stopwatch = Stopwatch()
        self.events = Once([self.stopwatch.follow, *([follow] if follow else [])])
        self.log = Log(log or sys.stderr)
        self._began = time.monotonic()

    def again(self) -> None:
        self.events.again()
        self.log.again()

    def seconds_left(self, limit: float | None) -> float | None:
        return None if limit is None else max(0.0, self._began + limit - time.monotonic())

    def say(self, text: str) -> None:
        self.log.stream.write(f"{text}\n")
        self.log.flush()

    def report(self, hearing: Hearing, reply: Reply) -> Report:
        return Report(
            hearing.facts,
            reply.exited,
            self.stopwatch.seconds,
            begun=hearing.begun,
            noise=hearing.noise,
            stderr=reply.stderr,
            trouble=reply.trouble,
        )


def run(  # noqa: PLR0913 - each has a name
    line: Line,
    steps: Sequence[Step],
    *,
    variables: Mapping[str, str],
    secrets: Mapping[str, str] = MappingProxyType({}),
    payload: Iterable[bytes] | None = None,
    told: Told | None = None,
) -> Report:
    """Run the steps in one request; who may have to ask again what became of it gives a `told`.

    `secrets` has their values by the names of their settings. `payload` is written once a step
    asks for it, as it is. When making a piece of it raises, the host is told to stop before that
    goes on.
    """
    told = told or Told()
    command, rest = request(steps, {"tells": told.tells, **variables}, told.fence)
    stdin = Stdin(secrets, rest, payload)
    hearing = Hearing(told.fence, told.events.follow, stdin.hear)
    reply = _exchanged(line, command, stdin, [hearing], told)
    return _unless_stopped(line, stdin, told, told.report(hearing, reply), reply)


def attend(line: Line, step: Step, *, variables: Mapping[str, str], told: Told) -> Report:
    """Learn over a new connection, by that step, what became of a run: as its own would tell it."""
    own = Told(tells=told.tells)
    told.again()
    command, rest = request([step], {"tells": own.tells, **variables}, own.fence)
    stdin = Stdin({}, rest)
    here, there = Hearing(own.fence, ask=stdin.hear), Hearing(told.fence, told.events.follow)
    reply = _exchanged(line, command, stdin, [here, there], told)
    report = told.report(there, reply)
    if reply.exited != LOST:
        report = _as_told(report, own.report(here, reply))
    return _unless_stopped(line, stdin, told, report, reply)


def pour(  # noqa: PLR0913 - each has a name
    line: Line,
    steps: Sequence[Step],
    *,
    variables: Mapping[str, str],
    told: Told,
    take: Take,
    files: Mapping[int, int],
) -> Report:
    """Run steps that print files, in bulk; `take` is given their bytes, and the file's number.

    `files` says how many bytes each may have at most. Cut short by what `take` raises. The report
    has no `code` where a file did not come whole.
    """
    command, rest = request(steps, {"tells": "warnings", **variables}, told.fence)
    stdin = Stdin({}, rest)
    hearing = Hearing(told.fence, ask=stdin.hear, take=take, files=files)
    reply = _exchanged(line, command, stdin, [hearing], told, asks=True)
    return _unless_stopped(line, stdin, told, told.report(hearing, reply), reply)


def _exchanged(  # noqa: PLR0913 - each has a name
    line: Line,
    command: str,
    stdin: Stdin,
    hearings: Sequence[Hearing],
    told: Told,
    *,
    asks: bool = False,
) -> Reply:
    seconds = told.seconds_left(line.run_seconds)
    limits = Limits(line.begin_seconds, seconds, line.ask if asks else None)
    exchange = Exchange(lambda: line.begin(command), stdin, hearings, told.log, limits)
    try:
        return awaited_politely(exchange)
    finally:
        told.log.end()


def _as_told(report: Report, own: Report) -> Report:
    """The exit code of a run that was attended to is the one that it told."""
    if own.code != 0:
        reason = own.of("result").get("reason") or "the host did not run our shell to its end"
        return replace(report, exited=LOST, lost=reason)
    if ("attended", "yes") not in own.of("attend").pairs:
        unknown = "the host knows no such run: it had not begun, or others have come after it"
        return replace(report, exited=LOST, lost=unknown)
    code = report.of("result").get("code", "")
    return replace(report, exited=int(code) if _is_code(code) else _KILLED)


def _is_code(told: str) -> bool:
    return told.isascii() and told.isdecimal() and len(told) <= len("255")


def _unless_stopped(line: Line, stdin: Stdin, told: Told, report: Report, reply: Reply) -> Report:
    """Whoever interrupts means the whole chain, also when the host was past listening."""
    if not stdin.stopping or report.trouble:
        return report
    limit = line.run_seconds
    silence = "the host was told to stop, but did not report back" if reply.silent else ""
    if told.seconds_left(limit) == 0:
        raise InterruptedRunError(
            f"stopped after the {limit:g} s that fab's -T allows", why=silence
        )
    if silence:
        raise InterruptedRunError("interrupted", why=silence)
    if report.exited == LOST and not stdin.is_silent:
        raise InterruptedRunError(
            "interrupted",
            why="the host was told to stop, but the connection was lost",
            more=(
                "  If it has not heard that, the host stops by itself once"
                " BACKUP_RECONNECT has passed."
            ),
        )
    if report.code != InterruptedRunError.exit_code:
        end = f"when the host had come to its end (exit code {report.exited})"
        raise InterruptedRunError(message=f"interrupted (exit 130), {end}")
    return report
