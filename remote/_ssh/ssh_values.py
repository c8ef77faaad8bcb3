"""What the values of ssh_config mean to Fabric."""

import re
from typing import Any, Final

from .ssh_config_lines import LISTS

_TIME: Final = re.compile("(?:[0-9]{1,6}[smhdw])*(?:[0-9]{1,6})?")
_PART: Final = re.compile("([0-9]+)([smhdw]?)")
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def meant(options: dict[str, Any]) -> dict[str, Any]:
    """Leave out what says `none`, and what Fabric would choke on or act on."""
    for keyword in LISTS & options.keys():
        options[keyword] = [each for each in options[keyword] if each.lower() != "none"]
    options.pop("forwardagent", None)  # no host needs our keys
    seconds = _seconds(options.pop("connecttimeout", ""))
    if seconds:
        options["connecttimeout"] = str(seconds)
    return options


def _seconds(text: str) -> int:
    """Return a time as ssh writes it, such as 1m30s, and 0 for what is none."""
    text = text.lower()
    if not _TIME.fullmatch(text):
        return 0
    return sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))
