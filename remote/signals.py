"""Signals, which are met here alone. They end a task where it waits, and exit code 130 tells of it.

Never in the middle of a lock or of the start of a thread: what a handler raises there leaves the
state of threading broken (CPython: between the two halves of `Condition.__enter__` the lock stays
taken), and the next who needs that lock waits for ever.
"""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Final, TypeVar

from ..config.errors import InterruptedRunError, PredeployError

Result = TypeVar("Result")

_GIVING_UP_SECONDS: Final = 1
_LOOK_EVERY_SECONDS: Final = 0.05


def heeded_signals() -> list[signal.Signals]:
    """What ends a run; not what is ignored already, as under nohup, or handled without Python."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    left_alone = (signal.SIG_IGN, None)
    return [number for number in numbers if signal.getsignal(number) not in left_alone]


@contextmanager
def _handled(
    take: Callable[[signal.Signals], None], numbers: Sequence[signal.Signals]
) -> Iterator[None]:
    def handler(number: int, _frame: FrameType | None) -> None:
        take(signal.Signals(number))

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with ExitStack() as before:  # all are put back, even if one of these strikes meanwhile
        for number in numbers:
            before.callback(signal.signal, number, signal.getsignal(number))
            signal.signal(number, handler)
        yield


@contextmanager
def signals_raise(*numbers: signal.Signals) -> Iterator[None]:
    """Raise InterruptedRunError (130) where one of these strikes."""

    def stop(number: signal.Signals) -> None:
        raise InterruptedRunError(f"interrupted by {number.name}")

    with _handled(stop, numbers):
        try:
            yield
        except Exception as failure:
            interrupt = _interrupt_behind(failure)
            if interrupt is None or interrupt is failure:
                raise
            raise interrupt from failure


def _interrupt_behind(failure: Exception) -> InterruptedRunError | None:
    """One that strikes in the middle of Python's threading makes that fail of something else."""
    behind: BaseException | None = failure
    while behind and not isinstance(behind, PredeployError):
        behind = behind.__context__
    return behind if isinstance(behind, InterruptedRunError) else None


@contextmanager
def held_back() -> Iterator[None]:
    """A signal that comes meanwhile strikes at the end."""
    came: list[signal.Signals] = []
    with _handled(came.append, heeded_signals()):
        yield
    _strike(came)


def awaited(action: Callable[[], Result], give_up: Callable[[], None]) -> Result:
    """Do it in another thread. A signal ends the wait for it: then it is told to `give_up`."""
    came: list[signal.Signals] = []
    outcome = awaited_while(action, give_up, came, lambda: not came)
    _strike(came)
    return outcome.result()


def awaited_while(
    action: Callable[[], Result],
    give_up: Callable[[], None],
    came: list[signal.Signals],
    goes_on: Callable[[], bool],
) -> Future[Result]:
    """Do it in another thread, and return what comes of it; signals are kept in `came`.

    It is awaited as long as `goes_on`, which is asked now and then, says so. Then it is told to
    `give_up`.
    """
    outcome: Future[Result] = Future()

    def act() -> None:
        try:
            outcome.set_result(action())
        except BaseException as failure:  # noqa: BLE001 - it is raised where it is awaited
            outcome.set_exception(failure)

    with _handled(came.append, heeded_signals()):
        thread = threading.Thread(target=act, daemon=True)
        thread.start()
        while not wait([outcome], _LOOK_EVERY_SECONDS).done:
            if not goes_on():
                give_up()
                thread.join(_GIVING_UP_SECONDS)  # at work when Python ends, it would complain
                break
    return outcome


def _strike(came: list[signal.Signals]) -> None:
    for number in came[:1]:
        signal.raise_signal(number)
