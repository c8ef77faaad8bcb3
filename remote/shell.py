"""The one door: everything that happens on a host goes through `run`."""

import re
import secrets
import shlex
import sys
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from invoke.context import Context
from invoke.exceptions import CommandTimedOut, ThreadException
from invoke.runners import Promise, Result

from ..config.errors import InterruptedRunError
from .events import Events, Follow, Log, Once, Stopwatch, Stream
from .pouring import Poured
from .stdin import GRACE_SECONDS, Sending, Stdin, stopped_after, stopped_gently

Fact = tuple[str, str]

LOST = -1  # what paramiko says of a command whose end it was not told
_KILLED = -9
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
        """`known` have their values from earlier steps: code, which none changes, goes once."""
        code = source if readable else _code
        new = {
            name: value
            for name, value in self.variables.items()
            if not (name.endswith(("_awk", "_sql")) and known.get(name) == value)
        }
        lines = [f"begin {self.name}", *_assignments(new), code(f"{self.name}.sh")]
        return "\n".join([*lines, f"end {self.name}"])


@dataclass(frozen=True)
class Report:
    """What a run told: facts and seconds of each step that reached its end, and the exit code.

    `noise` is what the account's own files printed before our shell began; `stderr` is all of it.
    `lost` says, of a run whose connection was lost, why its end could not be learnt.
    """

    facts: Mapping[str, Sequence[Fact]]
    exited: int
    seconds: Mapping[str, float] = field(default_factory=dict)
    noise: str = ""
    stderr: str = ""
    lost: str = ""

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


class Line(Protocol):
    """A connection, and how to hear of what a command prints there as it comes."""

    @property
    def connection(self) -> Context: ...

    def printed(self, command: str) -> Generator[bytes, None, tuple[int, str]]: ...


class Told:
    """What of a run has been heard, over one connection or several: each tells it from its start.

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

    def report(self, reply: "_Reply") -> Report:
        return Report(
            _read_facts(reply.stdout, self.fence),
            reply.exited,
            self.stopwatch.seconds,
            noise=reply.stdout.partition(f"\n{self.fence} begin ")[0],
            stderr=reply.stderr,
        )


@dataclass(frozen=True)
class _Reply:
    exited: int = LOST
    stdout: str = ""
    stderr: str = ""


def run(  # noqa: PLR0913 - each has a name
    c: Context,
    steps: Sequence[Step],
    *,
    variables: Mapping[str, str],
    secret: str = "",
    payload: Iterable[bytes] | None = None,
    told: Told | None = None,
) -> Report:
    """Run the steps in one request; who may have to ask again what became of it gives a `told`.

    `payload` is written once a step asks for it, as it is; the smaller its chunks, the sooner an
    interrupt is heeded. When making a chunk raises, the host is told to stop before that goes on.
    """
    told = told or Told()
    stdin = Stdin(secret)
    sending = None if payload is None else Sending(payload, stdin)
    followers = [
        stdin.stop_if_it_raises(told.events.follow),
        *([sending.follow] if sending else []),
    ]
    events = Events(told.fence, followers)
    text = script(steps, {"fence": told.fence, "tells": told.tells, **variables})
    report = told.report(_ask(c, text, stdin, events, told, sending))
    _raise_if_stopped(c, stdin, told, report)
    return report


def attend(c: Context, step: Step, *, variables: Mapping[str, str], told: Told) -> Report:
    """Learn over a new connection, by that step, what became of a run: as its own would tell it."""
    own = Told(tells=told.tells)
    told.again()
    stdin = Stdin("")
    events = Events(told.fence, [stdin.stop_if_it_raises(told.events.follow)])
    text = script([step], {"fence": own.fence, "tells": own.tells, **variables})
    reply = _ask(c, text, stdin, events, told)
    report = told.report(reply)
    if reply.exited != LOST:
        report = _as_told(report, own.report(reply))
    _raise_if_stopped(c, stdin, told, report)
    return report


def pour(
    line: Line,
    steps: Sequence[Step],
    *,
    variables: Mapping[str, str],
    told: Told,
    take: Callable[[int, bytes], None],
) -> Report:
    """Run steps that print files, in bulk; `take` is given their bytes, and the file's number.

    Cut short by what `take` raises. Its report has no `code` where a file did not come whole.
    """
    poured = Poured(told.fence)
    limit = line.connection.config.timeouts.command
    text = script(steps, {"fence": told.fence, "tells": "warnings", **variables})
    printing = line.printed(_COMMAND.format(_encoded(text)))
    exited, stderr = LOST, ""
    with closing(printing):
        while True:
            try:
                data = next(printing)
            except StopIteration as end:
                exited, stderr = end.value
                break
            if told.seconds_left(limit) == 0:
                raise InterruptedRunError(
                    f"stopped after the {limit} s that fab's -T allows (exit 130)"
                )
            for number, piece in poured.hear(data):
                take(number, piece)
    told.log.write(stderr)
    told.log.end()
    return told.report(_Reply(exited, poured.text, stderr))


def _as_told(report: Report, own: Report) -> Report:
    """The exit code of a run that was attended to is the one that it told."""
    if own.code != 0:
        reason = own.of("result").get("reason") or "the host did not run our shell to its end"
        return replace(report, exited=LOST, lost=reason)
    if ("attended", "yes") not in own.facts["attend"]:
        unknown = "the host knows no such run: it had not begun, or others have come after it"
        return replace(report, exited=LOST, lost=unknown)
    code = report.of("result").get("code", "")
    return replace(report, exited=int(code) if code.isdecimal() else _KILLED)


def _ask(  # noqa: PLR0913 - each has a name
    c: Context,
    text: str,
    stdin: Stdin,
    events: Events,
    told: Told,
    sending: Sending | None = None,
) -> _Reply:
    """Send one request, and wait for its end."""
    limit = c.config.timeouts.command
    seconds = told.seconds_left(limit)
    result: Result | Promise | None = None
    with stopped_gently(stdin), stopped_after(seconds, stdin):
        try:
            result = c.run(
                _COMMAND.format(_encoded(text)),
                in_stream=stdin,
                watchers=[events],
                hide="stdout",
                err_stream=told.log,  # shown as it comes, also when asynchronous
                asynchronous=sending is not None,
                timeout=None if seconds is None else seconds + GRACE_SECONDS,
                warn=True,
                pty=False,
                echo=False,
                echo_stdin=False,
                env={},
                encoding="utf-8",
            )
            if sending and isinstance(result, Promise):
                result = sending.until_the_end(result)
        except CommandTimedOut:
            raise InterruptedRunError(
                f"stopped after the {limit} s that fab's -T allows (exit 130):"
                " the host was told to stop, but did not report back"
            ) from None
        except (EOFError, ConnectionError):
            if result is not None:
                raise  # what the payload met
            return _Reply()  # the host had not even begun
        except ThreadException as failure:
            _reraise_unless_lost(failure)
            return _Reply()
        except InterruptedRunError:
            raise
        except Exception:  # what Fabric says that has tried by itself to connect again
            if result is not None or getattr(c, "is_connected", True):
                raise
            return _Reply()
        finally:
            told.log.end()
    if result is None:  # invoke: only for `disown`
        raise RuntimeError("run without a result")
    return _Reply(result.exited, result.stdout, result.stderr)


def _raise_if_stopped(c: Context, stdin: Stdin, told: Told, report: Report) -> None:
    """Whoever interrupts means the whole chain, also when the host was past listening."""
    limit = c.config.timeouts.command
    if stdin.open:
        return
    if told.seconds_left(limit) == 0:
        raise InterruptedRunError(f"stopped after the {limit} s that fab's -T allows (exit 130)")
    if report.exited == LOST:
        raise InterruptedRunError(
            "interrupted (exit 130): the host was told to stop, but the connection was lost\n"
            "  If it has not heard that, the host stops by itself once BACKUP_RECONNECT has passed."
        )
    if report.code != InterruptedRunError.exit_code:
        raise InterruptedRunError(
            f"interrupted (exit 130), when the host had come to its end (exit code {report.exited})"
        )


def _reraise_unless_lost(failure: ThreadException) -> None:
    """Writing to a host that no longer reads: it hung up, or ran something else than our shell."""
    if not all(issubclass(each.type, (OSError, EOFError)) for each in failure.exceptions):
        raise failure


def _code(name: str) -> str:
    """What a shell reads of a file: a third of it is comments and indentation."""
    text = re.sub(r"(?m)^\s*(#.*\n)?", "", source(name))
    # A quote could make a part of a string of what looks like a comment.
    return re.sub(r"(?m)[ \t]+# [^'\"`\\\n]*$", "", text)


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
            facts[step], lines = lines, []  # what comes between two steps counts for neither
        elif "=" in line and not line.startswith(f"{fence} "):
            key, _, value = line.partition("=")
            lines.append((key, value))
    return facts
