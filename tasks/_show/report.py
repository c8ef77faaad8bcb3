"""How results read: to people, and to programs."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from typing import TextIO

from ...config.github import plain
from ...config.harmless import harmless_json, harmless_lines

_STEP = 1000
_GONE = (errno.EPIPE, errno.EIO)


def tell(text: str) -> None:
    """Print what people and programs read."""
    show(text, sys.stdout)


def note(text: str) -> None:
    """Print it beside that: what a program that reads our output must not find there."""
    show(text, sys.stderr)


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


def tell_data(data: object) -> None:
    """As JSON, which has its own way to write for a reader that knows ASCII only."""
    text = harmless_json(json.dumps(data, indent=2, ensure_ascii=False))
    tell(text if can_show(text) else json.dumps(data, indent=2))


def warn(message: str) -> None:
    from .github import annotate

    if not annotate("warning", message):
        note(f"WARNING: {message}")


def size(number_of_bytes: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if number_of_bytes < _STEP:
            return (
                f"{number_of_bytes:.0f} {unit}"
                if unit == "bytes"
                else f"{number_of_bytes:.1f} {unit}"
            )
        number_of_bytes /= _STEP
    return f"{number_of_bytes:.1f} TB"


def age(seconds: float) -> str:
    """One number tells enough: 5m, 3h, 12d."""
    if seconds < 0:
        return f"in {age(-seconds)}"
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return f"{int(seconds)}s"


def duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"


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
