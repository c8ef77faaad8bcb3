"""How far a run is: beside its log, a live line on a terminal, else a plain line now and then."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from ...config.harmless import harmless
from ...remote.facts import MOST_SECONDS, number
from ...remote.signals import held_back
from ...remote.steps import shown
from .stream import is_terminal, show
from .units import size

LIVE_AFTER_SECONDS = 1.0  # what is over by then needs no live line, nor the import of rich
REDRAW_SECONDS = 0.2
PLAIN_SECONDS = 30.0


@dataclass
class Stage:
    """What is known of the step that is under way."""

    step: str
    expected_seconds: float = 0
    bytes: int = 0
    expected_bytes: int = 0
    begun: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun

    def hear(self, progress: str) -> None:
        """As children.sh tells it: `bytes N`, `expected BYTES SECONDS`; a word may be missing."""
        word, *texts = progress.split(" ")
        first, second, *_ = map(number, [*texts, "", ""])
        if word == "bytes":
            self.bytes = first
        elif word == "expected":
            self.expected_bytes, self.expected_seconds = first, min(second, MOST_SECONDS)

    def __str__(self) -> str:
        parts = []
        if 0 < self.bytes <= self.expected_bytes:
            parts.append(f"{size(self.bytes)} of about {size(self.expected_bytes)}")
        elif self.bytes:
            parts.append(f"{size(self.bytes)} so far")
        seconds = self.seconds
        left = f" of about {_clock(self.expected_seconds)}"
        parts.append(f"{_clock(seconds)}{left if seconds < self.expected_seconds else ''}")
        return f"{shown(self.step) or harmless(self.step)}: {', '.join(parts)}"


def _clock(seconds: float) -> str:
    """0:07, 1:30, 1:01:40."""
    return str(timedelta(seconds=int(seconds))).removeprefix("0:").removeprefix("0")


class Log:
    """The stream to which the log of a run goes: as it comes, in whole lines.

    Showing progress must never fail the run, not even if the reader of stderr has gone.
    """

    def __init__(self) -> None:
        self._writing = threading.Lock()

    @contextmanager
    def shown(self) -> Iterator[None]:
        yield

    def write(self, text: str) -> None:
        with self._writing, suppress(OSError):
            show(text, sys.stderr, end="")

    def flush(self) -> None:
        """For who takes us for a stream; lines are flushed as they come."""


class Progress(Log):
    """Follows a run, and shows beside its log how far it is."""

    def __init__(self, expected_seconds: Mapping[str, float]) -> None:
        super().__init__()
        self.expected_seconds = expected_seconds
        self.stage: Stage | None = None
        self._over = threading.Event()
        is_live = is_terminal(sys.stdout) and is_terminal(sys.stderr)
        showing = self._show_live if is_live else self._show_plain
        self._thread = threading.Thread(target=showing, daemon=True)

    @contextmanager
    def shown(self) -> Iterator[None]:
        with held_back():
            self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()

    def follow(self, word: str, rest: str) -> None:
        if word == "begin":
            self.stage = Stage(rest, self.expected_seconds.get(rest, 0))
        elif word == "progress" and self.stage:
            self.stage.hear(rest)

    def _show_plain(self) -> None:
        told = time.monotonic()
        while not self._over.wait(min(1, PLAIN_SECONDS)):
            stage = self.stage
            if stage and time.monotonic() - max(told, stage.begun) >= PLAIN_SECONDS:
                told = time.monotonic()
                self.write(f"{datetime.now(timezone.utc):%H:%M:%S} {stage}\n")

    def _show_live(self) -> None:
        while not (self.stage and self.stage.seconds >= LIVE_AFTER_SECONDS):
            if self._over.wait(REDRAW_SECONDS):
                return
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        # Long lines are the terminal's to wrap, so that they can be copied.
        console = Console(stderr=True, soft_wrap=True)
        if console.is_dumb_terminal:
            self._show_plain()
            return

        def line() -> Text:
            return Text(str(self.stage), style="cyan", no_wrap=True, overflow="ellipsis")

        live = Live(
            get_renderable=line,
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
        )
        with suppress(OSError):
            with self._writing:
                live.start()
                console.show_cursor()  # as nobody could, after a kill
            while not self._over.wait(REDRAW_SECONDS):
                live.refresh()
        with self._writing, suppress(OSError):
            live.stop()
