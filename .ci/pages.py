"""Write what follows from the code, in docs/ and in the shipped profile: `make docs`.

A page holds each such part between two comments, `<!-- NAME: written by make docs -->` and
`<!-- end -->`. What stands outside of them is written by hand.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from textwrap import wrap
from typing import Any

from fabric_predeploy.config import errors
from fabric_predeploy.config.settings import SECTIONS, SPECS
from fabric_predeploy.config.spec import Spec
from fabric_predeploy.tasks import namespace

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PROFILE = ROOT / "config" / "siteground.env"
WIDTH = 99
PART = re.compile(r"(<!-- ([\w-]+): written by make docs -->\n).*?(<!-- end -->)", re.DOTALL)


def settings() -> str:
    lines = []
    for section, specs in _sections():
        lines += [f"## {section}", "", *_head("variable", "meaning", "default")]
        lines += [*map(_setting, specs), ""]
    return "\n".join(lines)


def _sections() -> Iterator[tuple[str, list[Spec]]]:
    """Each part of the table with its title. PREDEPLOY_HOST has no help: no profile can hold it."""
    for section in SECTIONS:
        specs = [SPECS[item.name] for item in fields(section)]
        yield str(section.__doc__).rstrip("."), [spec for spec in specs if spec.help]


def _setting(spec: Spec) -> str:
    flag = f" Flag: `{spec.flag.name}`." if spec.flag.commands else ""
    default = f"`{spec.default}`" if spec.default else "none"
    return _row(f"`{spec.variable}`", spec.help + flag, spec.unset or default)


def secrets() -> str:
    names = [f"`{spec.variable}`" for spec in SPECS.values() if spec.secret]
    return f"These settings are secrets: {', '.join(names[:-1])} and {names[-1]}.\n"


def profile(text: str) -> str:
    """Return the text of the shipped profile as it must be: its head, and what is set, stay."""
    head, _, _ = text.partition("\n# --- ")
    set_here = {line.split("=")[0]: line for line in re.findall("(?m)^[A-Z].*", text)}
    lines = [head]
    for section, specs in _sections():
        lines += [f"# --- {section} ".ljust(WIDTH, "-"), ""]
        for spec in specs:
            lines += _comment(spec.help)
            lines += _comment(f"Not set: {spec.unset}.") if spec.unset else []
            unset_here = f"#{spec.variable}={spec.default or ''}"
            lines += [set_here.get(spec.variable, unset_here), ""]
    return "\n".join(lines)


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(text, WIDTH - 2, break_on_hyphens=False)]


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
    "secrets": secrets,
    "exit-codes": exit_codes,
    "commands": commands,
}


def written(text: str) -> str:
    """Return the text of a page with its parts as they must be."""
    return PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n{part[3]}", text)


def main() -> None:
    for path in [*sorted(DOCS.glob("*.md")), PROFILE]:
        before = path.read_text(encoding="utf-8")
        after = profile(before) if path == PROFILE else written(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"written: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
