"""What GitHub's runner tells a step in its environment, and what it would obey."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# `::name …::` at the beginning of a line, and `##[name …]` anywhere.
_OBEYED: Final = re.compile(r"(?P<before>(?:^|[\r\n])\s*)::(?=[^\r\n]*::)|##\[")


@dataclass(frozen=True)
class GitHub:
    """`commands`: it obeys lines of our output; `output` and `summary` are files to add to."""

    commands: bool
    output: Path | None
    summary: Path | None


def github(environ: Mapping[str, str] | None = None) -> GitHub:
    environ = os.environ if environ is None else environ
    output, summary = environ.get("GITHUB_OUTPUT"), environ.get("GITHUB_STEP_SUMMARY")
    return GitHub(
        commands=environ.get("GITHUB_ACTIONS") == "true",
        output=Path(output) if output else None,
        summary=Path(summary) if summary else None,
    )


def plain(text: str) -> str:
    """Change what the runner would obey, so that it does not; what is JSON keeps its meaning."""
    if not github().commands:
        return text
    return _OBEYED.sub(
        lambda found: f"{found['before']}\\::" if found["before"] is not None else "##\\u005b", text
    )
