"""Every message that a user can meet, read from the code that says it, for docs/messages.md."""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fabric_predeploy.config import errors

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "messages.md"
TREES = ("config", "remote", "tasks")
# A step adds what it finds to a list; the run then ends with this code.
PREFLIGHT = str(errors.PreflightError.exit_code)
_SAYS = re.compile(r"(?<![\w-])(?:(?:die|refuse) (\d+)|problem)(?= [\"'$\\])")
_CODES = {
    name: str(kind.exit_code)
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.PredeployError)
}
_CODES |= {"Trouble": _CODES["HostError"], "ValueError": _CODES["ConfigurationError"], "warn": "0"}
_WARNS = re.compile(r"(?<![\w-])log(?= \"WARNING: )")
_REFUSED = _CODES["RefusedError"]
_OBSTACLE = re.compile(r"(?s)INSERT INTO obstacle\s(.*?);\n")
_LITERAL = re.compile(r"(?s)(?:format\(|SELECT )'((?:[^']|'')+)'")
_HEAD = """\
# Messages

Each message that a command may show, as the code has it: `make docs` reads them from there. A word
like {archive} stands for what the message names at that moment, and "where" is the file that says
it. What the exit codes mean is on [a page of its own](exit-codes.md).
"""
_OBSTACLES = "see [what stands in the way](obstacles.md)"
_TITLES = {
    "0": "Warnings, which do not change the exit code",
    _REFUSED: f"Exit code {_REFUSED}, or a warning of the gate where another way back is open",
}


@dataclass(frozen=True, order=True)
class Message:
    code: str
    where: str
    text: str
    remedy: str


def collected() -> list[Message]:
    """Sorted by code, then by the file that says it."""
    found: set[Message] = set()
    for tree in TREES:
        for file in sorted((ROOT / tree).rglob("*")):
            if file.suffix == ".sh":
                found.update(_of_shell(file))
            elif file.suffix == ".sql":
                found.update(_of_sql(file))
            elif file.suffix == ".py":
                found.update(_of_python(file))
    return sorted(found, key=lambda message: (int(message.code), message))


def _of_shell(file: Path) -> Iterator[Message]:
    lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    for said in _SAYS.finditer(text):
        words = list(_words(text, said.end()))
        if words and words[0].strip("{}") not in {"1", "2", "3", ""}:
            remedy = words[1] if len(words) > 1 else ""
            yield Message(said.group(1) or PREFLIGHT, file.stem.lstrip("_"), words[0], remedy)
    for said in _WARNS.finditer(text):
        yield Message("0", file.stem.lstrip("_"), next(_words(text, said.end())), "")


def _of_sql(file: Path) -> Iterator[Message]:
    for told in _OBSTACLE.finditer(file.read_text()):
        for literal in _LITERAL.finditer(told.group(1)):
            words = re.sub("%[sIL]", "{...}", literal.group(1).replace("''", "'"))
            if re.search(r"[a-z]{2} .*[a-z]{2}", words):  # others are names of kinds of objects
                yield Message(_REFUSED, file.stem.lstrip("_"), words, _OBSTACLES)


def _words(text: str, start: int) -> Iterator[str]:
    """The words of a command, up to its end, with names in the place of what it expands."""
    position = start
    while position < len(text) and text[position] in " \t":
        while position < len(text) and text[position] in " \t":
            position += 1
        word = ""
        while position < len(text) and text[position] not in " \t\n;|&)":
            piece, position = _piece(text, position)
            word += piece
        yield word


def _piece(text: str, at: int) -> tuple[str, int]:
    if text[at] == '"':
        word, at = "", at + 1
        while text[at] != '"':
            piece, at = _quoted(text, at)
            word += piece
        return word, at + 1
    if text[at] == "'":
        end = text.index("'", at + 1)
        return text[at + 1 : end], end + 1
    return _quoted(text, at)


def _quoted(text: str, at: int) -> tuple[str, int]:
    """One character, or the name of what stands there."""
    if text[at] == "\\":
        return text[at + 1], at + 2
    if text[at] != "$":
        return text[at], at + 1
    if text[at + 1] in "({":
        end = _closing(text, at + 1)
        return _named(text[at + 2 : end]), end + 1
    name = re.compile(r"\w+|.").match(text, at + 1)
    assert name
    return _shown(name.group()), name.end()


def _closing(text: str, at: int) -> int:
    """Where the bracket ends that is open there: within it, quotes may hold others."""
    close = {"(": ")", "{": "}"}[text[at]]
    opened, quote, position = 1, "", at
    while opened:
        position += 1
        sign = text[position]
        if sign == "\\":
            position += 1
        elif quote == "'":
            quote = "" if sign == "'" else quote
        elif sign in "\"'":
            quote = "" if sign == quote else quote or sign
        elif sign == text[at]:
            opened += 1
        elif sign == close:
            opened -= 1
    return position


def _shown(name: str) -> str:
    return "{" + name + "}"


def _named(expansion: str) -> str:
    variable = re.match(r"\w+(?=$|[#%:?+-])", expansion)
    if variable:
        return _shown(variable.group())
    if expansion.startswith("psql_words"):
        return "{what the database says}"
    inner = re.search(r"\$\{?(\w+)", expansion)
    return _shown(inner.group(1) if inner else "...")


def _of_python(file: Path) -> Iterator[Message]:
    tree = ast.parse(file.read_text())
    # The way to the host has a class of its own that is called like one of ours.
    made = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    codes = {**_CODES, **dict.fromkeys(made & set(_CODES), _CODES["HostError"])}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not (node.args or node.keywords):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        told = [_text(argument) for argument in node.args]
        if name in codes:
            named = {each.arg: _named_or_text(each.value) for each in node.keywords}
            what = named.get("message") or ": ".join(filter(None, [*told[:1], named.get("why")]))
            first, _, rest = what.partition("\n")
            remedy = " ".join([rest, named.get("more", ""), named.get("remedy", ""), *told[1:2]])
            if first and re.search(r"[a-z]{2}", re.sub("{.*?}", "", f"{first} {remedy}")):
                yield Message(codes[name], file.stem.lstrip("_"), first, remedy)


def _named_or_text(node: ast.expr) -> str:
    name = getattr(node, "attr", getattr(node, "id", ""))
    return _shown(name.strip("_")) if name else _text(node)


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return _text(node.left) + _text(node.right)
    if isinstance(node, ast.FormattedValue):
        names = (
            each for each in ast.walk(node.value) if isinstance(each, ast.Name | ast.Attribute)
        )
        last = next(names, None)
        shown = last.attr if isinstance(last, ast.Attribute) else getattr(last, "id", "…")
        return _shown(shown.strip("_"))
    return ""


def page() -> str:
    parts = [_HEAD]
    messages = collected()
    for code in dict.fromkeys(message.code for message in messages):
        title = _TITLES.get(code, f"Exit code {code}")
        parts.append(f"\n## {title}\n\n| where | what it says | what to do |\n|---|---|---|\n")
        parts += [
            f"| {each.where} | {_cell(each.text)} | {_cell(each.remedy)} |\n"
            for each in messages
            if each.code == code
        ]
    return "".join(parts)


def _cell(text: str) -> str:
    return re.sub(r" \(exit \w+\)", "", " ".join(text.split())).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
