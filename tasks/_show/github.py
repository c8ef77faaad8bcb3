"""What GitHub's runner is told of a run, where it is there: in commands, and in its files."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...config.errors import PredeployError
from ...config.github import github, plain
from ...config.harmless import harmless, harmless_lines
from .obeyed import annotate, command
from .report import warn
from .stream import show

if TYPE_CHECKING:
    from ...config.settings import Settings

_SHORTEST_LINE_OF_A_KEY = 8
_NOT_SECRET = re.compile(r"-----[A-Z0-9 ]+-----|[A-Za-z-]+: .*")


def mask(settings: Settings) -> None:
    """Have the runner star out what is secret, wherever it came from."""
    if github().commands:
        for secret in _secrets(settings):
            command("add-mask", secret)


def _secrets(settings: Settings) -> Iterator[str]:
    """Of every secret setting. One of several lines, as a key, line by line, as the log has it."""
    from ...config.settings import SPECS

    for name, spec in SPECS.items():
        text = str(getattr(settings, name) or "") if spec.secret else ""
        if "\n" in text:
            yield from filter(_is_of_a_secret, map(str.strip, text.split("\n")))
        elif text and not text.isspace():
            yield text


def _is_of_a_secret(line: str) -> bool:
    """A short end of a key would star out more than it hides."""
    return len(line) >= _SHORTEST_LINE_OF_A_KEY and not _NOT_SECRET.fullmatch(line)


@contextmanager
def folded(title: str) -> Iterator[None]:
    """Fold the log of a host, and have nothing in it obeyed: not all of its words are ours."""
    if not github().commands:
        yield
        return
    import secrets

    token = secrets.token_hex(16)
    command("group", harmless(title))
    command("stop-commands", token)
    try:
        yield
    finally:
        show("", sys.stderr)  # the log may have ended within a line, of which this must not be part
        command(token)
        command("endgroup")


@contextmanager
def failures_told() -> Iterator[None]:
    """Tell an expected failure once, on its way out of however many sessions."""
    try:
        yield
    except PredeployError as failure:
        if not failure.told:
            failure.told = True
            _tell_failure(failure)
        raise


def _tell_failure(failure: PredeployError) -> None:
    words = re.findall("[A-Z][a-z]+", type(failure).__name__.removesuffix("Error"))
    title = f"exit code {failure.exit_code}: {' '.join(words).lower()}"
    annotate("error", str(failure.message), title)
    summarise(f"## {escaped(title)}\n\n<pre>{escaped(str(failure.message))}</pre>\n")
    failure.message = plain(str(failure.message))  # which is printed next


def output(values: Mapping[str, str]) -> None:
    """Give values to the jobs that come next, one a line: which makes a dotenv file for GitLab."""
    lines = "".join(
        f"{name}={harmless(' '.join(value.split()))}\n" for name, value in values.items()
    )
    _append("GITHUB_OUTPUT", github().output, lines)


def summarise(markdown: str) -> None:
    _append("GITHUB_STEP_SUMMARY", github().summary, f"{markdown}\n")


def escaped(text: str) -> str:
    """Text as GitHub's Markdown and HTML show it, whatever is in it."""
    return re.sub(r"[^\w\s.,/()-]|_|\n", lambda found: f"&#{ord(found[0])};", harmless_lines(text))


def _append(variable: str, file: Path | None, text: str) -> None:
    """What has been proven stays so, whatever becomes of the words about it."""
    if file is None:
        return
    try:
        with file.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        warn(f"{variable} ({file}) could not be written: {error.strerror}")
