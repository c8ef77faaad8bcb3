"""A question to whoever sits at the terminal."""

import select
import sys

from .stream import show

_POLL_SECONDS = 0.2


def typed(question: str = "") -> str | None:
    """Return the line that is typed, without blanks around it; None at the end of input.

    Not by `input`, to which a signal that comes right before it reads is lost until the next key.
    """
    show(question, sys.stdout, end="")
    while not select.select([sys.stdin], [], [], _POLL_SECONDS)[0]:
        pass
    line = sys.stdin.readline()
    return line.strip() if line else None
