"""Commands that GitHub's runner obeys.

It reads stdout and stderr each for itself, so only what is on one stream stays in order: all
commands go where the host's log goes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from ...config.github import github
from ...config.harmless import harmless, harmless_lines
from .stream import order

_IN_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = {**_IN_DATA, ord(":"): "%3A", ord(","): "%2C"}


def annotate(kind: str, text: str, title: str = "") -> bool:
    """Tell a warning or an error to the runner; False where there is none."""
    if github().commands:
        command(kind, harmless_lines(text), {"title": harmless(title)} if title else {})
        return True
    return False


def command(name: str, data: str = "", properties: Mapping[str, str] | None = None) -> None:
    told = ",".join(
        f"{key}={value.translate(_IN_PROPERTY)}" for key, value in (properties or {}).items()
    )
    order(f"::{name}{told and ' '}{told}::{data.translate(_IN_DATA)}", sys.stderr)
