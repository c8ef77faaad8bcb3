"""What a host tells while a run is under way: lines behind the fence, as they come."""

import time
from collections.abc import Callable, Iterable, Sequence

from invoke.watchers import StreamWatcher

Follow = Callable[[str, str], None]  # a word and the rest of its line: ("begin", "dump")


class Events(StreamWatcher):
    """Tells each follower of each whole line, once.

    A watcher is made anew, with the same arguments, in each of invoke's threads: what the threads
    share, it is given. What a follower raises ends the run.
    """

    def __init__(self, fence: str, followers: Sequence[Follow]) -> None:
        super().__init__()
        self.fence, self.followers = fence, followers
        self.line_start = self.seen = 0

    def submit(self, stream: str) -> Iterable[str]:
        """`stream` is all that came so far; only its new part is looked at."""
        while (line_end := stream.find("\n", self.seen)) >= 0:
            if stream.startswith(f"{self.fence} ", self.line_start):
                _, word, *rest = stream[self.line_start : line_end].split(" ", 2)
                for follow in self.followers:
                    follow(word, "".join(rest))
            self.line_start = self.seen = line_end + 1
        self.seen = len(stream)
        return []


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
