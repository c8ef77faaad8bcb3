"""Signals that end a task: exit code 130, and no traceback."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ...config import errors


@contextmanager
def signals_raise(*numbers: signal.Signals) -> Iterator[None]:
    def stop(number: int, _frame: FrameType | None) -> None:
        raise errors.InterruptedRunError(f"interrupted by {signal.Signals(number).name}")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    except Exception as failure:
        interrupt = _interrupt_behind(failure)
        if interrupt is None or interrupt is failure:
            raise
        raise interrupt from failure
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt_behind(failure: Exception) -> errors.InterruptedRunError | None:
    """One that strikes in the middle of Python's threading makes that fail of something else."""
    behind: BaseException | None = failure
    while behind and not isinstance(behind, errors.PredeployError):
        behind = behind.__context__
    return behind if isinstance(behind, errors.InterruptedRunError) else None
