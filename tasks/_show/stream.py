"""The door through which all goes that is printed, and what is known of who reads it."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from typing import TextIO

from ...config.github import plain
from ...config.harmless import harmless_lines

_GONE = (errno.EPIPE, errno.EIO)


def show(text: str, stream: TextIO | None, end: str = "\n") -> None:
    """Print: the one door out. No terminal and no CI obeys what goes through it."""
    _print(plain(harmless_lines(text)), stream, end)


def order(line: str, stream: TextIO | None) -> None:
    """Print what a CI is to obey: the caller has made what is not ours in it harmless."""
    _print(line, stream, "\n")


def _print(text: str, stream: TextIO | None, end: str) -> None:
    """A reader that has gone, or knows ASCII only, does not make a good run a bad one.

    A terminal that has gone is EIO: what comes with a SIGHUP must not end in the middle. None is
    what Python has for a stream that was closed when it began.
    """
    if stream is None:
        return
    try:
        print(text, file=stream, flush=True, end=end)
    except UnicodeEncodeError:
        print(text.encode("ascii", "backslashreplace").decode(), file=stream, flush=True, end=end)
    except OSError as error:
        if error.errno not in _GONE:
            raise
        silence(stream)


def silence(stream: TextIO) -> None:
    """As Python's documentation of SIGPIPE advises: else the interpreter fails at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_terminal(stream: TextIO | None) -> bool:
    """None is what Python has for one that was closed when it began."""
    return stream is not None and stream.isatty()


def columns() -> int | None:
    """How much a line of the terminal holds; None where there is none."""
    return shutil.get_terminal_size((0, 0)).columns or None


def can_show(text: str) -> bool:
    """Whether what reads our output knows these characters."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True
