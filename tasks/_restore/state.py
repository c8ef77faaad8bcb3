"""In which state the database is when a restore ends before its host could say so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ...config import errors

_KINDS: Final = (errors.InterruptedRunError, errors.RefusedError, errors.UnprovenError)
_TOLD: Final = ("the database is", "nothing was touched", "was restored is not known")


@contextmanager
def state_told(state: str) -> Iterator[None]:
    """An error that does not say what became of the database says that."""
    try:
        yield
    except _KINDS as failure:
        if any(each in str(failure) for each in _TOLD):
            raise
        fields = {name: getattr(failure, name) for name in ("why", "problems", "more", "remedy")}
        what = failure.what.removesuffix(".")  # where it is several sentences
        raise type(failure)(f"{what}; {state}", **fields) from failure.__cause__
