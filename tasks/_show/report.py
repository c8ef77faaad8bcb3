"""How results read: to people, and to programs."""

from __future__ import annotations

import json
import sys

from ...config.harmless import harmless_json
from .obeyed import annotate
from .stream import can_show, show


def tell(text: str) -> None:
    """Print what people and programs read."""
    show(text, sys.stdout)


def note(text: str) -> None:
    """Print it beside that: what a program that reads our output must not find there."""
    show(text, sys.stderr)


def tell_data(data: object) -> None:
    """As JSON, which has its own way to write for a reader that knows ASCII only."""
    text = harmless_json(json.dumps(data, indent=2, ensure_ascii=False))
    tell(text if can_show(text) else json.dumps(data, indent=2))


def warn(message: str) -> None:
    if not annotate("warning", message):
        note(f"WARNING: {message}")
