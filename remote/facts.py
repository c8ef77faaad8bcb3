"""What a host says as a fact, read strictly: what cannot be used is an expected error."""

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any, Final

from ..config.errors import UnreadableFactError
from ..config.secrecy import shown

Fact = tuple[str, str]

WHOLE: Final = "[0-9]{1,18}"
"""The largest is less than what 64 bits hold, and can be divided, shown and added up."""
MOST_SECONDS: Final = 10**9
_TIME: Final = re.compile(r"(19[7-9]|2\d\d)\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


class Facts(dict[str, str]):
    """The facts of one step of a host, or of one manifest there.

    Each way to read one raises UnreadableFactError where it is not told, told twice in different
    words, or not of its kind. `in` and `get` are for what need not be told.
    """

    def __init__(self, pairs: Iterable[Fact] = (), step: str = "", host: str = "") -> None:
        self.pairs, self.step, self.host = tuple(pairs), step, host
        super().__init__(self.pairs)
        self._contested = {key for key, value in self.pairs if self.get(key) != value}

    def __missing__(self, key: str) -> str:
        raise self.unreadable(key, "is not told")

    def __getitem__(self, key: str) -> str:
        if key in self._contested:
            raise self.unreadable(key, "is told twice, in different words")
        return super().__getitem__(key)

    def whole(self, key: str, most: int = 10**18) -> int:
        text = self[key]
        if not re.fullmatch(WHOLE, text) or int(text) > most:
            raise self._wrong(key, text, f"must be a whole number up to {most}")
        return int(text)

    def time(self, key: str) -> datetime:
        text = self[key]
        try:
            return time_of(text)
        except ValueError:
            raise self._wrong(key, text, "must be a time such as 2025-03-14T12:34:56Z") from None

    def word(self, key: str, *words: str) -> str:
        text = self[key]
        if text not in words:
            raise self._wrong(key, text, f"must be {' or '.join(words)}")
        return text

    def all(self, key: str) -> tuple[str, ...]:
        return tuple(value for each, value in self.pairs if each == key)

    def matched(self, key: str, shape: str, kind: str) -> list[tuple[Any, ...]]:
        """The parts of each value of that key, by a pattern whose groups they are."""
        return [self._parts(key, value, shape, kind) for value in self.all(key)]

    def counted(self, key: str) -> dict[str, int]:
        """Each value is a number and a name, which may hold blanks."""
        pairs = self.matched(key, f"({WHOLE}) (.+)", "a number and a name")
        return {name: int(number) for number, name in pairs}

    def _parts(self, key: str, value: str, shape: str, kind: str) -> tuple[Any, ...]:
        found = re.fullmatch(shape, value, re.DOTALL)
        if not found:
            raise self._wrong(key, value, f"must be {kind}")
        return found.groups()

    def _wrong(self, key: str, text: str, why: str) -> UnreadableFactError:
        return self.unreadable(key, f"is {shown(text)}, and {why}")

    def unreadable(self, key: str, why: str) -> UnreadableFactError:
        return UnreadableFactError(
            f"what {self.host or 'the host'} says cannot be used: {key},"
            f" of {self.step or 'the run'}, {why}",
            remedy=(
                "a damaged file of the host says this, or a damaged program: look"
                " at `status` and the *.manifest files in BACKUP_DIR, and at awk,"
                " date, df, ls and sed."
            ),
        )


def time_of(text: str) -> datetime:
    """Raise ValueError for all but the form in which a host tells a time, in these centuries."""
    if not _TIME.fullmatch(text):
        raise ValueError("no time")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def number(text: str) -> int:
    """0 for what is none: for what is only shown, and what need not be told."""
    return int(text) if re.fullmatch(WHOLE, text) else 0
