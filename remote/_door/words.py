"""What comes on stderr: the log of a run, and words of programs."""

import codecs

from .events import Stream
from .hearing import MOST_LOG_BYTES, MOST_LOG_LINES, TooMuchError


class Words:
    """Shown as they come, and kept."""

    def __init__(self, log: Stream) -> None:
        self._log = log
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._kept: list[str] = []
        self._bytes = self._lines = 0

    @property
    def text(self) -> str:
        return "".join(self._kept)

    def hear(self, data: bytes) -> None:
        self._bytes += len(data)
        self._lines += data.count(b"\n")
        if self._bytes > MOST_LOG_BYTES:
            raise TooMuchError(f"more than {MOST_LOG_BYTES} bytes of log")
        if self._lines > MOST_LOG_LINES:
            raise TooMuchError(f"more than {MOST_LOG_LINES} lines of log")
        if data:
            self._show(self._decoder.decode(data))

    def end(self) -> None:
        self._show(self._decoder.decode(b"", final=True))

    def _show(self, text: str) -> None:
        if text:
            self._kept.append(text)
            self._log.write(text)
