"""What a host prints on stdout, taken apart as it comes: events, facts, and the bytes of files."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from ..facts import Fact

Follow = Callable[[str, str], None]  # a word and the rest of its line: ("begin", "dump")
Take = Callable[[int, bytes], None]  # the number of a file, and a piece of it

# A host is not trusted with our memory and our time. Thousands of archives make a few MB.
MOST_BYTES: Final = 12 * 1024 * 1024
MOST_LINES: Final = 300_000
LONGEST_LINE_BYTES: Final = 1024 * 1024
NOISE_BYTES: Final = 64 * 1024
MOST_NOISE_BYTES: Final = 4 * 1024 * 1024
MOST_LOG_BYTES: Final = 4 * 1024 * 1024
MOST_LOG_LINES: Final = 20_000
_PROTOCOL: Final = frozenset({"door", "rest", "send"})
_LONGEST_NUMBER: Final = 15


class TooMuchError(Exception):
    """The host said more than a run has to say, or something that no run of ours says."""


class Hearing:
    """Only what stands between the fences of a step that reached its end is a fact.

    `noise` is what the account's own files printed before our script began. `begun` tells that
    our script has begun, `over` that it has told its result. `follow` is told of each event of a
    step, `ask` of what the host asks of us. `files` says which files may come, by their numbers,
    and how many bytes of each.
    """

    def __init__(
        self,
        fence: str,
        follow: Follow | None = None,
        ask: Follow | None = None,
        take: Take | None = None,
        files: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        self.begun = self.over = False
        self.noise = ""
        self.facts: dict[str, list[Fact]] = {}
        self._mark = f"{fence} ".encode()
        self._follow, self._ask, self._take = follow or _ignore, ask or _ignore, take
        self._files = files
        self._line = b""
        self._noise = bytearray()
        self._step, self._step_facts = "", list[Fact]()
        self._bytes = self._lines = self._file = self._left = 0

    def hear(self, data: bytes) -> None:
        """Raise TooMuchError where the host says what no run of ours says."""
        start = 0
        while start < len(data):
            if self._left:
                start = self._hear_file(data, start)
                continue
            end = data.find(b"\n", start)
            if end < 0:
                self._hear_part(data[start:])
                return
            line, self._line = self._line + data[start:end], b""
            start = end + 1
            self._count(len(line) + 1)
            self._hear_line(line)

    def end(self) -> None:
        """A last line without its end is no event and no fact; it may be noise."""
        if not self.begun:
            self._keep_noise(self._line)
        self.noise = self._noise.decode(errors="replace")

    def _hear_file(self, data: bytes, start: int) -> int:
        piece = data[start : start + self._left]
        self._left -= len(piece)
        if self._take:
            self._take(self._file, piece)
        return start + len(piece)

    def _hear_part(self, part: bytes) -> None:
        """Of noise without an end, a beginning is enough to know that it is no event of ours."""
        if len(self._line) + len(part) <= LONGEST_LINE_BYTES:
            self._line += part
        elif self.begun:
            raise TooMuchError(f"one line of more than {LONGEST_LINE_BYTES} bytes")
        else:
            self._count(len(part))

    def _count(self, length: int) -> None:
        self._bytes += length
        self._lines += 1
        if not self.begun and self._bytes > MOST_NOISE_BYTES:
            raise TooMuchError(f"more than {MOST_NOISE_BYTES} bytes before our script began")
        if self._bytes > MOST_BYTES:
            raise TooMuchError(f"more than {MOST_BYTES} bytes of facts")
        if self._lines > MOST_LINES:
            raise TooMuchError(f"more than {MOST_LINES} lines of facts")

    def _hear_line(self, line: bytes) -> None:
        if line.startswith(self._mark):
            self.begun = True
            word, _, rest = line[len(self._mark) :].decode(errors="replace").partition(" ")
            self._hear_event(word, rest)
        elif not self.begun:
            self._keep_noise(line + b"\n")
        elif self._step and b"=" in line:
            key, _, value = line.decode(errors="replace").partition("=")
            self._step_facts.append((key, value))

    def _keep_noise(self, line: bytes) -> None:
        self._noise += line[: NOISE_BYTES - len(self._noise)]

    def _hear_event(self, word: str, rest: str) -> None:
        if word == "raw":
            self._announce(rest)
            return
        if word == "begin":
            self._step, self._step_facts = rest, []
        elif word == "end" and rest == self._step:
            self.facts[rest] = self._step_facts
            self._step = ""  # what comes between two steps counts for neither
            self.over = self.over or rest == "result"
        (self._ask if word in _PROTOCOL else self._follow)(word, rest)

    def _announce(self, told: str) -> None:
        """A file comes: as many bytes as are told, which are no more than we have asked for."""
        self._file += 1
        most = self._files.get(self._file, 0)
        if not _is_whole(told) or int(told) > most:
            what = f"a file of {told[:40]!r} bytes"
            raise TooMuchError(f"{what}, where at most {most} were asked for")
        self._left = int(told)


def _is_whole(told: str) -> bool:
    return told.isascii() and told.isdecimal() and len(told) <= _LONGEST_NUMBER


def _ignore(_word: str, _rest: str) -> None:
    pass
