"""Where profiles and .env are found, how they are read, and what a committed one may not hold."""

import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .secrecy import leaks

SHIPPED: Final = Path(__file__).parent


@dataclass(frozen=True)
class Source:
    """One place that sets variables, and sentences on what is wrong with it."""

    origin: str
    values: Mapping[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def dotenv(directory: Path) -> Source:
    path = directory / ".env"
    # A virtual environment may have that name too.
    return _read(path, ".env")[0] if _exists(path) and not path.is_dir() else Source(".env")


def profile(
    name: str, directory: Path, variables: Collection[str], secret: Collection[str]
) -> Source | None:
    """Read the profile of that name: the working directory's, else the shipped one."""
    found = [path for path in places(name, directory) if _exists(path)]
    if not found:
        return None
    return _judged(*_read(found[0], _origin(found[0], directory)), variables, secret)


def draft(text: str, origin: str, variables: Collection[str], secret: Collection[str]) -> Source:
    """Read a profile that is not written yet, as strictly as it will be read then."""
    return _judged(_parsed(text, origin), text, variables, secret)


def _judged(file: Source, text: str, variables: Collection[str], secret: Collection[str]) -> Source:
    held = {*leaks(text, secret), *(variable for variable in secret if file.values.get(variable))}
    file.problems.extend(
        f"{file.origin} holds {leak}: a profile is committed, so secrets belong in the "
        "environment (CI secrets) or in .env"
        for leak in sorted(held)
    )
    if not held:  # else what looks like a name may be a line of a key
        file.problems.extend(_unknown(file, variables))
    return file


def places(name: str, directory: Path) -> list[Path]:
    return list(dict.fromkeys(folder / f"{name}.env" for folder in _folders(directory)))


def existing(directory: Path) -> list[str]:
    files = (path for folder in _folders(directory) for path in folder.glob("[!.]*.env"))
    return sorted({path.stem for path in files})


def _folders(directory: Path) -> tuple[Path, Path]:
    return directory / "config", SHIPPED


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except OSError:
        return False
    return True


def _origin(path: Path, directory: Path) -> str:
    return str(path.relative_to(directory) if path.is_relative_to(directory) else path)


def _read(path: Path, origin: str) -> tuple[Source, str]:
    file = Source(origin)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        file.problems.append(f"{origin} line {line} is not UTF-8 text")
        return file, ""
    except OSError as error:
        file.problems.append(f"{origin} cannot be read: {error.strerror}")
        return file, ""
    return _parsed(text, origin), text


def _parsed(text: str, origin: str) -> Source:
    values: dict[str, str] = {}
    file = Source(origin, values)
    for line, variable, value in _bindings(text):
        if value is None:
            file.problems.append(f"{origin} line {line} is not of the form NAME=value")
        else:
            values[variable] = value
    return file


def _bindings(text: str) -> Iterator[tuple[int, str, str | None]]:
    """Yield line, variable and value; the value is None where the line makes no sense."""
    # The parser that dotenv_values uses, which itself only logs what it cannot read.
    from dotenv.parser import parse_stream

    for binding in parse_stream(io.StringIO(text)):
        if binding.error or binding.key:
            source = binding.original.string
            blank_lines = source[: len(source) - len(source.lstrip())].count("\n")
            yield binding.original.line + blank_lines, binding.key or "", binding.value


def _unknown(file: Source, variables: Collection[str]) -> Iterator[str]:
    import difflib

    for name in file.values:
        if name not in variables:
            close = difflib.get_close_matches(name.upper(), sorted(variables), n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield f"unknown setting {name} in {file.origin}{hint}"
