"""What the host reads from us: the secret, a payload, and whether we are still there."""

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from invoke.runners import Promise, Result, Runner

from ..config.errors import InterruptedRunError
from .events import Follow
from .signals import handled

GRACE_SECONDS = 10
POLL_SECONDS = 0.05
STOP = "stop\n"


class Stdin:
    """The secret at once, in one write; then open until we go, with a word that it is on purpose.

    An end without that word is a connection that was lost: the host goes on for a while.
    """

    def __init__(self, secret: str) -> None:
        self.text: str | None = f"{secret}\n"
        self.last_word = STOP
        self.open = True
        self.busy = False  # being written to by somebody else, and so not to be closed yet

    def stop(self) -> None:
        self.open = False

    def stop_if_it_raises(self, follow: Follow) -> Follow:
        def guarded(word: str, rest: str) -> None:
            try:
                follow(word, rest)
            except BaseException:
                self.stop()
                raise

        return guarded

    def read(self, _size: int = -1) -> str | None:
        if self.text is not None:
            text, self.text = self.text, None
            return text
        if self.open or self.busy:
            return None
        word, self.last_word = self.last_word, ""
        return word


class Sending:
    """Writes the payload when a step asks for it.

    Not as what invoke reads of `Stdin`: that is text, comes in one piece each 10 ms, and a host
    that ends before it has read everything would be taken for one that is lost.
    """

    def __init__(self, payload: Iterable[bytes], stdin: Stdin) -> None:
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
            self.stdin.stop()
            raise
        finally:
            self.stdin.busy = False
            result = promise.join()
        return result

    def write(self, runner: Runner) -> None:
        while not self.asked.wait(POLL_SECONDS):
            if self.is_over(runner):
                return
        self.stdin.last_word = ""  # it would be taken for a part of the payload
        for chunk in self.payload:
            if self.is_over(runner):
                return
            try:
                runner._write_proc_stdin(chunk)  # noqa: SLF001 - the public one takes text alone
            except (OSError, EOFError):
                return  # the run's end tells why
        self.stdin.last_word = STOP

    def is_over(self, runner: Runner) -> bool:
        return not self.stdin.open or runner.process_is_finished or runner.has_dead_threads


@contextmanager
def stopped_gently(stdin: Stdin) -> Iterator[None]:
    """At a signal the host is told to stop, and reports; a second one, or ten seconds, ends it."""

    def stop(_number: signal.Signals) -> None:
        if not stdin.open:
            raise InterruptedRunError(
                "interrupted (exit 130): the host was told to stop, but did not report back"
            )
        stdin.stop()
        # Again and again: invoke waits for its threads after the first, without a limit.
        signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS, 1)

    with handled(stop, signal.SIGALRM):
        try:
            yield
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def stopped_after(seconds: float | None, stdin: Stdin) -> Iterator[None]:
    """The host is told to stop when the time is over."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, stdin.stop)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
