"""The steps of a run as one script, for a host without a client: by hand, and from cron."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ...config.settings import ON_THE_HOST, SPECS
from .._door.script import Step, script
from ..catalog import ON_HOST
from ..steps import step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...config.settings import Settings
    from ...config.spec import Spec

# The shell functions that do not have the names of the parsers in config/parsers.py.
_SHELL_NAMES: Final = {"one_line": "line", "remote_directory": "directory"}
# What standalone.sh gives to the steps in the client's place, beside the settings that it takes.
_GIVEN_THERE = frozenset(
    {"client", "git_commit", "now", "version", "demand", "accept_shrink", "reconnect_seconds"}
)

_HEAD = """\
# Back up a database, prove the archive, rotate: `fab install` has put this here and replaces it,
# `fab install --remove` removes it. For people: remote-backup.sh --help
# Facts are for a client, and cron has no stdin. Whoever has closed one of the three is served too.
true 7>&2 || exec 2>/dev/null
true 2>/dev/null 7>&1 || exec >/dev/null
exec 7>&1 </dev/null >/dev/null
# What psql would take. The steps know one password alone, and no other program sees it.
account_password=${PGPASSWORD:-}
"""


def standalone(several: Sequence[Step], settings: Settings) -> str:
    """Return the text without its stamp; the same for the same steps and settings."""
    variables = {"fence": "none", "task": "predeploy", "backup_dir": "/"}
    variables |= {"keeps_status": "yes", "tells": "log"}
    first = _first(settings)
    text = script([first, *map(_without_client, several)], variables, readable=True)
    return f"{_HEAD}{text}\n"


def _first(settings: Settings) -> Step:
    """The step that stands in for the client."""
    values = {SPECS[name].variable: getattr(settings, name) for name in ON_THE_HOST}
    return step(
        "standalone",
        settings,
        defaults=[f"{key}={'' if value is None else value}" for key, value in values.items()],
        checks=[_check(SPECS[name]) for name in ON_THE_HOST],
        gives=[f"{name}=${SPECS[name].variable}" for name in ON_THE_HOST],
    )


def _check(spec: Spec) -> str:
    """Return the line of shell that checks a setting as its parser does."""
    rule: Any = spec.there
    rule, arguments = (rule.func, rule.args) if isinstance(rule, partial) else (rule, ())
    name = rule.__name__.lstrip("_")
    return " ".join([_SHELL_NAMES.get(name, name), spec.variable, *map(str, arguments)])


def _without_client(one: Step) -> Step:
    given = _GIVEN_THERE | ON_THE_HOST.keys()
    kept = {key: value for key, value in one.variables.items() if key not in given}
    if one.name == "dump":  # nothing that a deploy could go back to: so rotation keeps them apart
        kept["label"] = ON_HOST
    kind = _Rehearse if one.name == "rehearse" else Step
    return kind(one.name, kept)


class _Rehearse(Step):
    def script(self, *, readable: bool = False) -> str:
        asked = super().script(readable=readable)
        return f'if [ "$BACKUP_REHEARSAL" != off ]; then\n{asked}\nfi'


def stamped(text: str, version: str) -> str:
    """The whole file: its second line says by which version and of what content it was made."""
    return f"#!/bin/sh\n# {stamp(text, version)}\n{text}"


def stamp(text: str, version: str) -> str:
    import hashlib

    return f"fabric-predeploy {version} {hashlib.sha256(text.encode()).hexdigest()}"
