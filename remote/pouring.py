"""What a run prints when it pours a file into its report: lines, and bytes that are taken as is."""

import re
from collections.abc import Iterator
from typing import Final

from ..config.errors import UnprovenError
from ..config.secrecy import shown

_LONGEST: Final = 100  # of what is no number


class Poured:
    """After a line `<fence> raw N` come N bytes of a file, and then lines again."""

    def __init__(self, fence: str) -> None:
        self._announced = f"{fence} raw ".encode()
        self._text, self._line = bytearray(), b""
        self.left = self.files = 0

    @property
    def text(self) -> str:
        return self._text.decode(errors="replace")

    def hear(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the bytes of files, each with the number of its file."""
        while data:
            if self.left:
                piece, data = data[: self.left], data[self.left :]
                self.left -= len(piece)
                yield self.files, piece
            else:
                line, newline, data = data.partition(b"\n")
                self._hear_line(line + newline)

    def _hear_line(self, part: bytes) -> None:
        self._line += part
        if not part.endswith(b"\n"):
            return
        line, self._line = self._line, b""
        self._text += line
        if line.startswith(self._announced):
            self.left = _bytes(line.removeprefix(self._announced).removesuffix(b"\n"))
            self.files += 1


def _bytes(announced: bytes) -> int:
    if not re.fullmatch(rb"[0-9]{1,15}", announced):
        told = shown(announced[:_LONGEST].decode(errors="replace"))
        raise UnprovenError(
            f"the host announces a file of {told} bytes, which is no number of bytes (exit 13)\n"
            "  What to do: look at the programs ls and tail of the host, which tell another thing."
        )
    return int(announced)
