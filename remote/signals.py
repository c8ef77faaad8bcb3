"""Signals end a task where it waits: never in the middle of a lock or of the start of a thread.

There what their handlers raise leaves threading's own state broken (CPython: between the two halves
of `Condition.__enter__` the lock stays taken), and whoever needs it next waits for ever.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final, TypeVar

Result = TypeVar("Result")

_GIVING_UP_SECONDS: Final = 1
_LOOK_EVERY_SECONDS: Final = 0.05


def heeded_signals() -> list[signal.Signals]:
    """What ends a run; not what is ignored already, as under nohup, or handled without Python."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    left_alone = (signal.SIG_IGN, None)
    return [number for number in numbers if signal.getsignal(number) not in left_alone]


@contextmanager
def handled(take: Callable[[signal.Signals], None], *more: signal.Signals) -> Iterator[None]:
    """Meanwhile the heeded signals, and `more`, are told to `take`."""

    def handler(number: int, _frame: FrameType | None) -> None:
        take(signal.Signals(number))

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with ExitStack() as before:  # all are put back, even if one of these strikes meanwhile
        for number in (*heeded_signals(), *more):
            before.callback(signal.signal, number, signal.getsignal(number))
            signal.signal(number, handler)
        yield


@contextmanager
def held_back() -> Iterator[None]:
    """A signal that comes meanwhile strikes at the end."""
    came: list[signal.Signals] = []
    with handled(came.append):
        yield
    _strike(came)


def awaited(action: Callable[[], Result], give_up: Callable[[], None]) -> Result:
    """Do it in another thread. A signal ends the wait for it: then it is told to `give_up`."""
    outcome: Future[Result] = Future()
    came: list[signal.Signals] = []
    over: SimpleQueue[None] = SimpleQueue()  # whose put may come in the middle of its get

    def act() -> None:
        try:
            outcome.set_result(action())
        except BaseException as failure:  # noqa: BLE001 - it is raised where it is awaited
            outcome.set_exception(failure)
        over.put(None)

    def stop(number: signal.Signals) -> None:
        came.append(number)
        over.put(None)

    with handled(stop):
        thread = threading.Thread(target=act, daemon=True)
        thread.start()
        _await(over)
        if came:
            give_up()
            thread.join(_GIVING_UP_SECONDS)  # or it might be at work when Python ends, and complain
    _strike(came)
    return outcome.result()


def _await(over: SimpleQueue[None]) -> None:
    """Look up now and then: a signal that comes just before Python waits does not end the wait."""
    while True:
        with suppress(Empty):
            return over.get(timeout=_LOOK_EVERY_SECONDS)


def _strike(came: list[signal.Signals]) -> None:
    for number in came[:1]:
        signal.raise_signal(number)
