"""The script that runs on the host without a client."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .._door.script import Step

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...config.spec import Spec


# The shell functions that do not have the names of the parsers in config/parsers.py.
_SHELL_NAMES: Final = {"one_line": "line", "remote_directory": "directory"}


def standalone(settings: Settings) -> Step:
    """The first step of a script that runs without a client; see remote/by_hand/standalone.py."""
    from ...config.settings import ON_THE_HOST, SPECS

    defaults, checks, gives = [], [], []
    for name in ON_THE_HOST:
        spec, value = SPECS[name], getattr(settings, name)
        defaults.append(f"{spec.variable}={'' if value is None else value}")
        checks.append(_check(spec))
        gives.append(f"{name}=${spec.variable}")
    texts = {"defaults": defaults, "checks": checks, "gives": gives}
    variables = {name: "\n".join(lines) for name, lines in texts.items()}
    return Step("standalone", {**variables, "profile": settings.profile})


def _check(spec: Spec) -> str:
    """Return the line of shell that checks a setting as its parser does."""
    rule: Any = spec.there
    rule, arguments = (rule.func, rule.args) if isinstance(rule, partial) else (rule, ())
    name = rule.__name__.lstrip("_")
    return " ".join([_SHELL_NAMES.get(name, name), spec.variable, *map(str, arguments)])


def installed() -> Step:
    """Its fact `installed` is the version and the checksum of the script, where one is there."""
    return Step("installed")


def install(script: bytes) -> Step:
    """The run's payload is the script."""
    checksum = hashlib.sha256(script).hexdigest()
    return Step("install", {"script_bytes": str(len(script)), "script_sha256": checksum})


def login() -> Step:
    """Its fact `login` says whether cron would get into the database, `said` why not."""
    return Step("login")


def uninstall() -> Step:
    return Step("uninstall")
