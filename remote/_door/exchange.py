"""One request and its answer, over whichever channel: what is sent, heard, and when it is over.

It runs in a thread of its own, so that no signal strikes in the middle of a lock (see signals.py).
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from signal import Signals
from typing import Final

from ...config.errors import InterruptedRunError
from ..signals import awaited_while
from .events import Stream
from .hearing import Hearing, TooMuchError
from .line import Channel
from .report import LOST
from .stdin import Stdin
from .words import Words

GRACE_SECONDS: Final = 10  # for a host that was told to stop
LINGER_SECONDS: Final = 2.0  # for what an ended shell has printed and is still on its way
SETTLE_SECONDS: Final = 0.3  # the same, once its result is here: what is left is words for the log
EXIT_SECONDS: Final = 30  # from the result to the exit code: a busy host may take its time
STALLED_SECONDS: Final = 5
_LOOK_EVERY_SECONDS: Final = 0.05
_BLOCKED_SECONDS: Final = 0.01


@dataclass(frozen=True)
class Limits:
    """`begin_seconds` has the host's shell to begin our script, `run_seconds` the whole run.

    `stalled` is called now and then while the host says nothing.
    """

    begin_seconds: float
    run_seconds: float | None = None
    stalled: Callable[[], None] | None = None


@dataclass(frozen=True)
class Reply:
    """`trouble` says what is wrong with a host that did not keep to what a run of ours says.

    `silent` is a host that was told to stop and did not report back.
    """

    exited: int = LOST
    stderr: str = ""
    trouble: str = ""
    silent: bool = False


class Exchange:
    """`hearings` each hear all of stdout; the first is of this request."""

    def __init__(
        self,
        begin: Callable[[], Channel],
        stdin: Stdin,
        hearings: Sequence[Hearing],
        log: Stream,
        limits: Limits,
    ) -> None:
        self._begin, self.stdin, self.limits = begin, stdin, limits
        self.hearings, self.hearing = hearings, hearings[0]
        self._stderr = Words(log)
        self._trouble = ""
        self._raised: BaseException | None = None
        self._began = self._heard_at = time.monotonic()
        self._exited_at = self._result_at = self._stop_by = float("inf")
        self._given_up = self.is_given_up = False

    def go(self) -> Reply:
        """Raise what a listener, or the making of the payload, has raised: after the host's end."""
        try:
            self.channel = self._begin()
        except (OSError, EOFError):
            return Reply()  # the host had not even begun
        try:
            while not (self._given_up or self._is_over()):
                sent = self._write()
                self._hear(0 if sent else self._wait_seconds())
                self._look_at_time()
        finally:
            exited = self.channel.exit_code
            self._stderr.end()
            for each in self.hearings:
                each.end()
            self.channel.close()
        if self._raised:
            raise self._raised
        exited = self.channel.exit_code
        silent = exited is None and time.monotonic() >= self._stop_by
        return Reply(LOST if exited is None else exited, self._stderr.text, self._trouble, silent)

    def stop(self) -> None:
        """Tell the host to stop, and give it some time to clear up and to report."""
        if not self.stdin.stopping:
            self._stop_by = time.monotonic() + GRACE_SECONDS
            self.stdin.stop()

    def give_up(self) -> None:
        """Nobody waits for it any more."""
        self._given_up = self.is_given_up = True

    @property
    def is_overdue(self) -> bool:
        """It may wait for a dead connection to open a channel."""
        return time.monotonic() > self._stop_by + 1

    @property
    def ran_out_of_time(self) -> bool:
        seconds = self.limits.run_seconds
        return seconds is not None and time.monotonic() - self._began >= seconds

    def _wait_seconds(self) -> float:
        return _BLOCKED_SECONDS if self.stdin.is_blocked else _LOOK_EVERY_SECONDS

    def _write(self) -> bool:
        try:
            return self.stdin.write(self.channel)
        except BaseException as failure:  # noqa: BLE001 - raised once the host has come to its end
            self._fail(failure)
            return False

    def _hear(self, seconds: float) -> None:
        try:
            out, err = self.channel.receive(seconds)
            if out or err:
                self._heard_at = time.monotonic()
            self._stderr.hear(err)
            for each in self.hearings:
                each.hear(out)
        except TooMuchError as failure:
            self._refuse(f"the host said {failure}")
        except BaseException as failure:  # noqa: BLE001 - raised once the host has come to its end
            self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        self._raised = self._raised or failure
        self.stop()

    def _refuse(self, trouble: str) -> None:
        """What such a host says is listened to no longer."""
        self._trouble = trouble
        self.stdin.stop()
        with suppress(BaseException):
            while self.stdin.write(self.channel):
                pass
        self._given_up = True

    def _look_at_time(self) -> None:
        now = time.monotonic()
        if self.ran_out_of_time:
            self.stop()
        if self.stdin.stopping and self.stdin.is_silent:
            self._given_up = True  # nothing of ours has begun there
        if now >= self._stop_by:
            self._given_up = True
        if not self.hearing.begun and now - self._began >= self.limits.begin_seconds:
            self._trouble = f"our script had not begun after {self.limits.begin_seconds:g} s"
            self._given_up = True
        if now - self._result_at >= EXIT_SECONDS and self.channel.exit_code is None:
            self._refuse("the host told the result of the run, and its shell does not end")
        if self.limits.stalled and now - self._heard_at > STALLED_SECONDS:
            self.limits.stalled()
            self._heard_at = time.monotonic()

    def _is_over(self) -> bool:
        """A run ends with its result and its exit code.

        A process that an rc file has left behind may keep stdout open for as long as it likes.
        """
        now = time.monotonic()
        if self.hearing.over:
            self._result_at = min(self._result_at, now)
        if self.channel.exit_code is None:
            return False
        self._exited_at = min(self._exited_at, now)
        if self.channel.has_ended:
            return True
        if self.hearing.over:
            return now - max(self._exited_at, self._result_at) >= SETTLE_SECONDS
        return now - max(self._exited_at, self._heard_at) >= LINGER_SECONDS


def awaited_politely(exchange: Exchange) -> Reply:
    """At a signal, or when the time is over, the host is told to stop, and reports.

    A second signal, or ten seconds, ends the wait for it: InterruptedRunError (130).
    """
    came: list[Signals] = []

    def goes_on() -> bool:
        if came or exchange.ran_out_of_time:
            exchange.stop()
        return len(came) < 2 and not exchange.is_overdue  # noqa: PLR2004

    outcome = awaited_while(exchange.go, exchange.give_up, came, goes_on)
    if exchange.is_given_up:
        raise InterruptedRunError(
            "interrupted", why="the host was told to stop, but did not report back"
        )
    if came:
        exchange.stop()
    return outcome.result()
