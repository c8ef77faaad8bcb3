"""The shell script of a run: the command of its request, and the rest, which goes over stdin."""

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .contract import contract, source

# RFC 4253, section 6.1: every SSH server takes a packet of 32,768 bytes.
COMMAND_BYTES: Final = 32_000
# The beginning is one argument of plain characters, decoded by a builtin, so that any login shell
# passes it on as it is.
COMMAND: Final = "exec sh -c 'eval \"$(printf %b \"$1\")\"' sh '{}'"
_PLAIN: Final = frozenset(range(0x20, 0x7F)) - frozenset(b"'\\!")
_ENCODED: Final = {
    byte: "\\n" if byte == ord("\n") else f"\\0{byte:03o}"
    for byte in range(256)
    if byte not in _PLAIN
}
_LONGEST_REST: Final = 10**9
# What every step shares, in the order in which the shell reads it.
LIBRARY: Final = (
    *("state", "words", "children", "client", "ending"),
    *("manifest", "files", "directory", "set_out"),
)


@dataclass(frozen=True)
class Step:
    """One remote/steps/*/<name>.sh with the variables that it declares."""

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)

    def script(self, *, readable: bool = False) -> str:
        own = contract(self.name)
        begin = " ".join(["begin", self.name, *own.words("fails")])
        elsewhere = {each for part in own.needs for each in contract(part).given} - {*own.given}
        text = _file(
            self.name, self.variables.keys() - elsewhere, self.variables, readable=readable
        )
        return "\n".join([begin, text, f"end {self.name}"])

    def functions(self, name: str, *, readable: bool = False) -> str:
        """A file of functions that the step needs."""
        return _file(name, contract(name).given.keys(), self.variables, readable=readable)


class WherePlaced(Step):
    """A step that runs only where `place` has found a place for a test restore."""

    def script(self, *, readable: bool = False) -> str:
        return f'if [ -n "$place" ]; then\n{super().script(readable=readable)}\nfi'


def script(steps: Sequence[Step], variables: Mapping[str, str], *, readable: bool = False) -> str:
    """The whole of it, without the door; `readable` by people, with comments and indentation."""
    return "\n".join(_parts(steps, variables, readable=readable))


def request(steps: Sequence[Step], variables: Mapping[str, str], fence: str) -> tuple[str, bytes]:
    """The command, and the rest of the script.

    The command begins with as many parts as fit; what is in it runs while the rest is on its way.
    """
    parts = _parts(steps, {"fence": fence, **variables})
    there = _fitting(parts, COMMAND_BYTES - len(_command(fence, [], _LONGEST_REST)))
    rest = "\n".join(parts[there:]).encode(errors="surrogateescape")
    return _command(fence, parts[:there], len(rest)), rest


def _fitting(parts: Sequence[str], room: int) -> int:
    for number, part in enumerate(parts):
        room -= len(encoded(f"{part}\n"))
        if room < 0:
            return number
    return len(parts)


def _parts(
    steps: Sequence[Step], variables: Mapping[str, str], *, readable: bool = False
) -> list[str]:
    parts = {"library": "\n".join([*assignments(variables), library(readable=readable)])}
    for number, step in enumerate(steps):
        for name in contract(step.name).needs:
            if name not in parts:  # functions that several steps need are sent once
                parts[name] = step.functions(name, readable=readable)
        parts[f"step {number}"] = step.script(readable=readable)
    return list(parts.values())


def _command(fence: str, parts: Sequence[str], rest_bytes: int) -> str:
    door = [*assignments({"fence": fence, "rest_bytes": str(rest_bytes)}), _code("door.sh")]
    last = ["run_rest"] if rest_bytes else []
    return COMMAND.format(encoded("\n".join([*door, *parts, *last])))


def assignments(variables: Mapping[str, str]) -> list[str]:
    return [f"{name}={shlex.quote(value)}" for name, value in variables.items()]


def library(*, readable: bool = False) -> str:
    return "\n".join(_text(name, readable=readable) for name in LIBRARY)


def _file(
    name: str, given: Collection[str], variables: Mapping[str, str], *, readable: bool
) -> str:
    """Behind the values of those variables."""
    values = {key: value for key, value in variables.items() if key in given}
    values = values if readable else _without_comments(values)
    return "\n".join([*assignments(values), _text(name, readable=readable)])


def _text(name: str, *, readable: bool) -> str:
    return source(f"{name}.sh") if readable else _code(f"{name}.sh")


def _without_comments(variables: Mapping[str, str]) -> dict[str, str]:
    """SQL has them on lines of their own, and psql need not get those."""
    return {
        name: re.sub(r"(?m)^--.*\n", "", value) if name.endswith("_sql") else value
        for name, value in variables.items()
    }


def _code(name: str) -> str:
    """What a shell reads of a file: a third of it is comments and indentation."""
    return re.sub(r"(?m)^\s*(#.*\n)?", "", source(name))


def encoded(text: str) -> str:
    """As printf's %b reads it; what some shell takes for special within single quotes in octal."""
    return text.encode(errors="surrogateescape").decode("latin-1").translate(_ENCODED)
