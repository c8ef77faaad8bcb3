"""The lines of ssh_config and of the files that it includes, each with what it depends on."""

import glob
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from ...config.errors import ConfigurationError
from .tokens import with_variables

LISTS: Final = frozenset({"identityfile", "certificatefile"})  # all count, not the first alone
ALONE: Final = frozenset({"all", "canonical", "final"})  # of Match, without an argument
BETWEEN: Final = "\n"  # the patterns of Host; a comma is a part of one
_SEVERAL: Final = frozenset({"userknownhostsfile", "globalknownhostsfile"})
_COMMANDS: Final = frozenset({"proxycommand", "localcommand", "remotecommand"})
_LINE: Final = re.compile(r"\s*(\w+)(?:\s*=\s*|\s+)(.*)")
_WORD: Final = re.compile(r""""((?:\\.|[^"\\])*)"|'([^']*)'|(#.*)|((?:\\.|\S)+)""")
_DEEPEST: Final = 16  # as ssh has it


class Criterion(NamedTuple):
    kind: str
    patterns: str
    negated: bool = False


@dataclass(frozen=True)
class Line:
    """One keyword, with all the Host and Match lines that it stands below."""

    criteria: tuple[Criterion, ...]
    keyword: str
    value: str


@dataclass(frozen=True)
class ConfigFile:
    path: Path
    includes: Path  # where the relative names of its Include lines begin


def lines_of(
    file: ConfigFile, path: Path, outer: tuple[Criterion, ...], depth: int
) -> Iterator[Line]:
    """Yield the lines of a file and of those that it includes; `outer` holds for all of them."""
    if depth > _DEEPEST:
        raise ConfigurationError(
            f"ssh_config: {path} is included by itself, or {_DEEPEST} files deep",
            remedy="take the Include line out that leads back to it.",
        )
    criteria = outer
    for text in _text(path).splitlines():
        found = _LINE.match(text)
        if text.lstrip().startswith("#") or not found:
            continue
        keyword, rest = found[1].lower(), found[2].strip()
        words = _words(rest)
        if keyword == "host":
            criteria = (*outer, Criterion("host line", BETWEEN.join(words)))
        elif keyword == "match":
            criteria = (*outer, *_criteria(words))
        elif keyword == "include":
            for name in words:
                for included in _included(file, name):
                    yield from lines_of(file, included, criteria, depth + 1)
        elif words:
            yield Line(criteria, keyword, _value(keyword, rest, words))


def _text(path: Path) -> str:
    """Like ssh, go on without a file that is not there; a directory is no file, either."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return ""
    except OSError as error:
        raise ConfigurationError(
            f"ssh_config: {path} cannot be read: {error.strerror}",
            remedy="let this account read it, or give fab another file: fab -S FILE.",
        ) from None


def _included(file: ConfigFile, name: str) -> list[Path]:
    name = os.path.expanduser(with_variables(name, "Include"))  # noqa: PTH111
    return [Path(each) for each in sorted(glob.glob(str(file.includes / name)))]  # noqa: PTH207


def _words(text: str) -> list[str]:
    """Split a line as ssh does: quotes of both kinds, backslashes, a comment at its end."""
    words = []
    for double, single, comment, plain in (
        (found[1], found[2], found[3], found[0]) for found in _WORD.finditer(text)
    ):
        if comment:
            break
        words.append(next(each for each in (double, single, plain) if each is not None))
    return [re.sub(r"""\\(["'\\ ])""", r"\1", word) for word in words]


def _criteria(words: list[str]) -> Iterator[Criterion]:
    rest = iter(words)
    for word in rest:
        kind = word.lstrip("!").lower()
        patterns = "" if kind in ALONE else next(rest, "")
        yield Criterion(kind, patterns, word.startswith("!"))


def _value(keyword: str, rest: str, words: list[str]) -> str:
    if keyword in _COMMANDS:
        return rest
    return words[0] if len(words) == 1 and keyword not in _SEVERAL else shlex.join(words)
