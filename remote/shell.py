"""The one door: everything that happens on a host goes through `run`."""

import re
import secrets
import shlex
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Any, Protocol

from invoke.context import Context
from invoke.exceptions import CommandTimedOut, ThreadException
from invoke.runners import Promise, Result, Runner
from invoke.watchers import StreamWatcher

from ..config.errors import InterruptedRunError
from .events import Events, Follow, Stopwatch

Fact = tuple[str, str]

GRACE_SECONDS = 10
POLL_SECONDS = 0.05
LOST = -1  # what paramiko says of a command whose end it was not told
_DIRECTORY = Path(__file__).parent

# The script is one argument of plain characters, decoded by a builtin, so that any login shell
# passes it on as it is. On stdin it would cost another round trip. Linux allows 128 KiB.
_COMMAND = "exec sh -c 'eval \"$(printf %b \"$1\")\"' sh '{}'"
_PLAIN = frozenset(range(0x20, 0x7F)) - frozenset(b"'\\!")


@dataclass(frozen=True)
class Step:
    """One remote/<name>.sh with the variables that its first line of code declares."""

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)

    def script(
        self, known: Mapping[str, str] = MappingProxyType({}), *, readable: bool = False
    ) -> str:
        """`known` have their values from earlier steps: SQL, which none changes, goes once."""
        code = source if readable else _code
        new = {
            name: value
            for name, value in self.variables.items()
            if not (name.endswith("_sql") and known.get(name) == value)
        }
        lines = [f"begin {self.name}", *_assignments(new), code(f"{self.name}.sh")]
        return "\n".join([*lines, f"end {self.name}"])


@dataclass(frozen=True)
class Report:
    """What a run told: facts and seconds of each step that reached its end, and the exit code.

    `noise` is what the account's own files printed before our shell began; `stderr` is all of it.
    """

    facts: Mapping[str, Sequence[Fact]]
    exited: int
    seconds: Mapping[str, float] = field(default_factory=dict)
    noise: str = ""
    stderr: str = ""

    def of(self, step: str) -> dict[str, str]:
        return dict(self.facts.get(step, ()))

    def finished(self, step: str) -> bool:
        return step in self.facts

    @property
    def code(self) -> int | None:
        """None unless the host has told of its end, and its exit code says the same."""
        told = self.of("result").get("code", "")
        return int(told) if told.isdecimal() and int(told) == self.exited else None

    @property
    def problems(self) -> list[str]:
        return [value for key, value in self.facts.get("result", ()) if key == "problem"]


def script(steps: Sequence[Step], variables: Mapping[str, str], *, readable: bool = False) -> str:
    """What a shell runs; `readable` by people, who like comments and indentation."""
    code = source if readable else _code
    lines, known = [*_assignments(variables), code("lib.sh")], dict[str, str]()
    for step in steps:
        lines.append(step.script(known, readable=readable))
        known.update(step.variables)
    return "\n".join(lines)


class Log(Protocol):
    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


def run(  # noqa: PLR0913 - each has a name
    c: Context,
    steps: Sequence[Step],
    *,
    variables: Mapping[str, str],
    secret: str = "",
    payload: Iterable[bytes] | None = None,
    follow: Follow | None = None,
    tells: str = "log",
    log: Log | None = None,
) -> Report:
    """Run the steps in one request.

    `follow` is told, from another thread, of each event as it comes: `begin` and `end` of a step,
    and what a step says of its `progress`, if the host `tells` that; other than `log`, it may
    tell `warnings` alone. All but events goes to stderr, or to what is given as `log`.

    `payload` is written once a step asks for it, as it is; the smaller its chunks, the sooner an
    interrupt is heeded. When making a chunk raises, the host is told to stop before that goes on.
    """
    fence = secrets.token_hex(16)
    text = script(steps, {"fence": fence, "tells": tells, **variables})
    stdin = _Stdin(f"{secret}\n")
    stopwatch = Stopwatch()
    sending = None if payload is None else _Sending(payload, stdin)
    followers = [
        stopwatch.follow,
        *([sending.follow] if sending else []),
        *([follow] if follow else []),
    ]
    watchers: list[StreamWatcher] = [Events(fence, followers)]
    with _stopped_gently(stdin):
        try:
            result = c.run(
                _COMMAND.format(_encoded(text)),
                in_stream=stdin,
                watchers=watchers,
                hide="stdout",
                err_stream=log or sys.stderr,  # shown as it comes, also when asynchronous
                asynchronous=sending is not None,
                warn=True,
                pty=False,
                echo=False,
                echo_stdin=False,
                env={},
                encoding="utf-8",
            )
            if sending and isinstance(result, Promise):
                result = sending.until_the_end(result)
        except CommandTimedOut as failure:
            raise InterruptedRunError(
                f"stopped after the {failure.timeout} s that fab's -T allows (exit 130)"
            ) from None
        except ThreadException as failure:
            _reraise_unless_lost(failure)
            return Report({}, LOST)
    if result is None:  # invoke: only for `disown`
        raise RuntimeError("run without a result")
    report = Report(
        _read_facts(result.stdout, fence),
        result.exited,
        stopwatch.seconds,
        noise=result.stdout.partition(f"\n{fence} begin ")[0],
        stderr=result.stderr,
    )
    if not stdin.open and report.code != InterruptedRunError.exit_code:
        # The host was past the point where it listens; whoever interrupts means the whole chain.
        raise InterruptedRunError(
            f"interrupted (exit 130), when the host had come to its end (exit code {report.exited})"
        )
    return report


def _reraise_unless_lost(failure: ThreadException) -> None:
    """Writing to a host that no longer reads: it hung up, or ran something else than our shell."""
    if not all(issubclass(each.type, (OSError, EOFError)) for each in failure.exceptions):
        raise failure


def _code(name: str) -> str:
    """What a shell reads of a file: a third of it is comments and indentation."""
    return re.sub(r"(?m)^\s*(#.*\n)?", "", source(name))


def _encoded(script: str) -> str:
    """As printf's %b reads it; what some shell takes for special within single quotes in octal."""
    encoded = script.encode(errors="surrogateescape")
    told = "".join(chr(byte) if byte in _PLAIN else f"\\0{byte:03o}" for byte in encoded)
    return told.replace("\\0012", "\\n")


def source(name: str) -> str:
    return (_DIRECTORY / name).read_text(encoding="utf-8")


def _assignments(variables: Mapping[str, str]) -> list[str]:
    return [f"{name}={_quoted(value)}" for name, value in variables.items()]


def _quoted(value: str) -> str:
    """In single or in double quotes, as is shorter once it is encoded: SQL is full of them."""
    in_double_quotes = '"' + re.sub(r'([$`"\\])', r"\\\1", value) + '"'
    return min(shlex.quote(value), in_double_quotes, key=lambda quoted: len(_encoded(quoted)))


def _read_facts(output: str, fence: str) -> dict[str, list[Fact]]:
    """Only what stands between the fences of a step that reached its end counts."""
    facts: dict[str, list[Fact]] = {}
    step, lines = "", list[Fact]()
    for line in output.split("\n"):
        if line.startswith(f"{fence} begin "):
            step, lines = line.split(" ", 2)[2], []
        elif line == f"{fence} end {step}":
            facts[step] = lines
        elif "=" in line and not line.startswith(f"{fence} "):
            key, _, value = line.partition("=")
            lines.append((key, value))
    return facts


class _Sending:
    """Writes the payload when a step asks for it.

    Not as what invoke reads of `_Stdin`: that is text, comes in one piece each 10 ms, and a host
    that ends before it has read everything would be taken for one that is lost.
    """

    def __init__(self, payload: Iterable[bytes], stdin: "_Stdin") -> None:
        self.payload, self.stdin = payload, stdin
        self.asked = threading.Event()
        stdin.busy = True

    def follow(self, word: str, _rest: str) -> None:
        if word == "send":
            self.asked.set()

    def until_the_end(self, promise: Promise) -> Result:
        try:
            self.write(promise.runner)
        except BaseException:
            self.stdin.open = False
            raise
        finally:
            self.stdin.busy = False
            result = promise.join()
        return result

    def write(self, runner: Runner) -> None:
        while not self.asked.wait(POLL_SECONDS):
            if self.is_over(runner):
                return
        for chunk in self.payload:
            if self.is_over(runner):
                return
            try:
                runner._write_proc_stdin(chunk)  # noqa: SLF001 - the public one takes text alone
            except (OSError, EOFError):
                return  # the run's end tells why

    def is_over(self, runner: Runner) -> bool:
        return not self.stdin.open or runner.process_is_finished or runner.has_dead_threads


class _Stdin:
    """The secret at once, in one write; then open until we go: so the host learns of it."""

    def __init__(self, text: str) -> None:
        self.text: str | None = text
        self.open = True
        self.busy = False  # being written to by somebody else, and so not to be closed yet

    def read(self, _size: int = -1) -> str | None:
        if self.text is not None:
            text, self.text = self.text, None
            return text
        return None if self.open or self.busy else ""


def heeded_signals() -> list[signal.Signals]:
    """What ends a run; not what is ignored already, as under nohup."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def _stopped_gently(stdin: _Stdin) -> Iterator[None]:
    """At a signal the host is told to stop, and reports; a second one, or ten seconds, ends it."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if not stdin.open:
            raise InterruptedRunError(
                "interrupted (exit 130): the host was told to stop, but did not report back"
            )
        stdin.open = False
        # Again and again: invoke waits for its threads after the first, without a limit.
        signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS, 1)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught = [*heeded_signals(), signal.SIGALRM]
    before: dict[signal.Signals, Any] = {number: signal.signal(number, stop) for number in caught}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
