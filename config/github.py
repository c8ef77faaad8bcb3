"""What GitHub's runner tells a step in its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


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
