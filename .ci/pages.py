"""Write the parts of docs/ that follow from the code: `make docs`.

A page holds each such part between two comments, `<!-- NAME: written by make docs -->` and
`<!-- end -->`. What stands outside of them is written by hand.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from fabric_predeploy.config import errors
from fabric_predeploy.config.settings import SPECS, Settings
from fabric_predeploy.tasks import namespace

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PART = re.compile(r"(<!-- ([\w-]+): written by make docs -->\n).*?(<!-- end -->)", re.DOTALL)


def settings() -> str:
    """What the comments of the shipped profile say, with flags and defaults from the code."""
    profile = (ROOT / "config" / "siteground.env").read_text(encoding="utf-8")
    _, *sections = re.split(r"^# --- (.*?) -+$", profile, flags=re.MULTILINE)
    lines = []
    for title, text in zip(sections[::2], sections[1::2], strict=True):
        lines += [f"## {title}", "", *_head("variable", "meaning", "default"), *_rows(text), ""]
    return "\n".join(lines)


def _rows(section: str) -> Iterator[str]:
    found = {spec.variable: (name, spec) for name, spec in SPECS.items()}
    defaults = {item.name: item.default for item in fields(Settings)}
    pattern = r"((?:^# .*\n)+)^#?(\w+)=(.*)$"
    for comment, variable, written in re.findall(pattern, section, re.MULTILINE):
        name, spec = found[variable]
        text = " ".join(line.removeprefix("# ") for line in comment.splitlines())
        meaning, _, unset = text.partition(" Not set: ")
        if spec.flag.startswith("--"):
            meaning += f" Flag: `{spec.flag}`."
        yield _row(f"`{variable}`", meaning, unset.rstrip(".") or _default(defaults[name], written))


def _default(value: Any, written: str) -> str:
    return "none" if value in (None, MISSING) else f"`{written}`"


def exit_codes() -> str:
    """The docstrings of the expected failures: their last paragraph says what to do."""
    rows = [_row("0", "The command is done.", "nothing")]
    failures = [errors.PredeployError, *errors.PredeployError.__subclasses__()]
    for failure in failures:
        if failure is errors.PredeployError or failure.exit_code > 1:
            *meaning, remedy = inspect.cleandoc(failure.__doc__ or "").split("\n\n")
            rows.append(_row(str(failure.exit_code), _line(" ".join(meaning)), _line(remedy)))
    return "\n".join([*_head("code", "meaning", "what to do"), *rows, ""])


def _line(text: str) -> str:
    return " ".join(text.split())


def commands() -> str:
    return "\n".join(_command(task) for _, task in sorted(namespace.tasks.items()))


def _command(task: Any) -> str:
    text = inspect.cleandoc(task.__doc__).replace("\n", " ")
    lines = [f"## {task.name}", "", text, ""]
    arguments = [each for each in task.get_arguments() if each.name != "c"]
    if arguments:
        lines += [*_head("flag", "meaning"), *map(_flag, sorted(arguments, key=str)), ""]
    return "\n".join(lines)


def _flag(argument: Any) -> str:
    name = argument.name.replace("_", "-").strip("-")
    value = "=…" if argument.takes_value else ""
    return _row(f"`--{name}{value}`", argument.help.replace("<", "&lt;"))


def _head(*cells: str) -> list[str]:
    return [_row(*cells), "|" + "---|" * len(cells)]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "exit-codes": exit_codes,
    "commands": commands,
}


def written(text: str) -> str:
    """Return the text of a page with its parts as they must be."""
    return PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n{part[3]}", text)


def main() -> None:
    for page in sorted(DOCS.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        if (after := written(before)) != before:
            page.write_text(after, encoding="utf-8")
            print(f"written: {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
