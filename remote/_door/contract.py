"""What a step says of itself, in the first lines of its file.

: "${project:?}" "${version?}"        what Python gives; what ends in `?` alone may be empty
# context_sql: locale context         the files of such a text, where there are several
# needs: _psql _entries               the files of functions that it is made of, beside its own
# after preflight: bin_dir            what an earlier step has set; `or` between several steps
# tells: name created                 its facts that Python reads
# fails: 12                           the exit code when a command of ours breaks in it
# shows: dumping                      what a person reads while it is at work
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_REMOTE: Final = Path(__file__).parents[1]
_GIVEN: Final = re.compile(r'(?m)^(: "\$\{.*)$')
_LINE: Final = re.compile(r"(?m)^# ([a-z_]+(?: [a-z_]+)*):(?: (.*))?$")


@dataclass(frozen=True)
class Contract:
    """`given` says of each variable whether it may be empty."""

    given: Mapping[str, bool]
    lines: Mapping[str, str]

    def words(self, line: str) -> list[str]:
        return self.lines.get(line, "").split()

    @property
    def needs(self) -> list[str]:
        """The files of functions, each behind those that it needs itself."""
        several = [[*contract(name).needs, name] for name in self.words("needs")]
        return list(dict.fromkeys(name for names in several for name in names))

    def files_of(self, text: str) -> list[str]:
        """The names of the files that a text like `context_sql` is made of, in their order."""
        name, _, kind = text.rpartition("_")
        return [f"{each}.{kind}" for each in self.words(text) or [name]]


@cache
def contract(name: str) -> Contract:
    """Of that step, or of that file of functions."""
    head = _head(source(f"{name}.sh"))
    given = re.findall(r"\$\{(\w+)(:?)\?\}", "".join(_GIVEN.findall(head)))
    return Contract({variable: not colon for variable, colon in given}, dict(_LINE.findall(head)))


def _head(text: str) -> str:
    """The lines before the first that is neither a comment nor one of the variables."""
    return re.match(r"(?:(?:#.*|: \"\$\{.*)\n)*", text)[0]  # type: ignore[index]


def steps() -> set[str]:
    """The names of all steps: what is no part of another, and not of every script."""
    shell = (path for path in files().values() if path.suffix == ".sh")
    return {each.stem for each in shell if each.stem[0] != "_" and each.parent.name != "lib"} - {
        "door"
    }


def source(name: str) -> str:
    return files()[name].read_text(encoding="utf-8")


@cache
def files() -> dict[str, Path]:
    """What a script is made of, by name: no name is in two folders."""
    found = (*_REMOTE.glob("_door/*.sh"), *_REMOTE.glob("steps/*/*.*"))
    return {path.name: path for path in found}
