"""What a host reads from us, each part in its turn; and the word that ends a run on purpose."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from .line import Input

STOP: Final = b"stop\n"


class Stdin:
    """Sends nothing before the host's shell has printed our fence.

    Then come the secrets and the rest of the script, in one write; then the payload, once the
    host asks for it. stdin stays open until we go. An end without the word `stop` is a connection
    that was lost: the host goes on for a while.
    """

    def __init__(
        self,
        secrets: Mapping[str, str],
        rest: bytes = b"",
        payload: Iterable[bytes] | None = None,
    ) -> None:
        lines = "".join(f"{name}={value}\n" for name, value in secrets.items() if value)
        self._first = f"{lines}\n".encode(errors="surrogateescape") + rest
        self._payload = iter(payload or ())
        self._due = memoryview(b"")
        self._silent = True  # until the host's shell is known to be ours
        self._unread = bool(rest)  # some head(1) of the host would read our next word with it
        self._asked = self._said = self._ended = False
        self.stopping = False

    def hear(self, word: str, _rest: str) -> None:
        """What the host asks for, by the words of door.sh and transfer.sh."""
        if word == "door" and self._silent:
            self._silent, self._due = False, memoryview(self._first)
        elif word == "rest":
            self._unread = False
        elif word == "send":
            self._asked = True

    def stop(self) -> None:
        self.stopping = True

    @property
    def is_silent(self) -> bool:
        """Whether nothing was sent yet: then nobody there needs to be told to stop."""
        return self._silent

    @property
    def is_blocked(self) -> bool:
        return bool(self._due)

    def write(self, channel: Input) -> bool:
        """Send what is due, and return whether anything went; more may follow at once.

        What making a piece of the payload raises, goes on to the caller.
        """
        if not self._due:
            self._due = memoryview(self._next())
        if self._due:
            return self._send(channel)
        if self._said and not self._ended:
            self._ended = True
            with suppress(OSError, EOFError):
                channel.end_input()
        return False

    def _send(self, channel: Input) -> bool:
        try:
            taken = channel.send(self._due)
        except (OSError, EOFError):  # nobody reads any more: the end of the run tells why
            self._due, self._said, self._ended = memoryview(b""), True, True
            return False
        self._due = self._due[taken:]
        return taken > 0

    def _next(self) -> bytes:
        if self._silent or self._unread or self._said:
            return b""
        if self.stopping:
            self._said = True
            return b"" if self._asked else STOP  # it would be taken for a part of the payload
        if self._asked:
            return self._piece()
        return b""

    def _piece(self) -> bytes:
        """An empty piece means that there is nothing at the moment."""
        for piece in self._payload:
            return piece
        self._asked = False
        return b""
