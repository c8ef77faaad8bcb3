"""What is made of what a host tells while a run is under way: events passed on, and a log."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from .hearing import Follow


class Stream(Protocol):
    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


class Once:
    """Passes events on. Where a run is told again from its beginning, those alone that are new."""

    def __init__(self, followers: Sequence[Follow]) -> None:
        self.followers = followers
        self._passed_on = self._heard = 0

    def again(self) -> None:
        self._heard = 0

    @property
    def caught_up(self) -> bool:
        return 0 < self._passed_on <= self._heard

    def follow(self, word: str, rest: str) -> None:
        self._heard += 1
        if self._heard > self._passed_on:
            self._passed_on = self._heard
            for follow in self.followers:
                follow(word, rest)


class Log:
    """Shows a log. Where it is told again from its beginning, those lines alone that are new."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._shown: list[str] = []
        self._to_come: list[str] = []  # lines that were shown already
        self._rest = ""

    def again(self) -> None:
        self.end()
        self._to_come = list(self._shown)

    def write(self, text: str, /) -> None:
        *lines, self._rest = f"{self._rest}{text}".split("\n")
        for line in lines:
            if line in self._to_come:
                del self._to_come[: self._to_come.index(line) + 1]
            else:
                self._shown.append(line)
                with suppress(OSError):  # a reader that has gone does not make a good run a bad one
                    self.stream.write(f"{line}\n")

    def flush(self) -> None:
        with suppress(OSError):
            self.stream.flush()

    def end(self) -> None:
        """What came last may be a part of a line."""
        if self._rest:
            self.write("\n")
            self.flush()


class Stopwatch:
    """The seconds that each step took, as seen from here; of one that ran twice, both."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._begun: dict[str, float] = {}

    def follow(self, word: str, step: str) -> None:
        if word == "begin":
            self._begun[step] = time.monotonic()
        elif word == "end" and step in self._begun:
            took = time.monotonic() - self._begun.pop(step)
            self.seconds[step] = self.seconds.get(step, 0) + took
