"""The steps of a run as one script, for a host without a client: by hand, and from cron."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import steps
from .._door.script import Step, script
from ..catalog import ON_HOST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...config.settings import Settings

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
    first = steps.standalone(settings)
    text = script([first, *map(_without_client, several)], variables, readable=True)
    return f"{_HEAD}{text}\n"


def _without_client(step: Step) -> Step:
    from ...config.settings import ON_THE_HOST

    given = _GIVEN_THERE | ON_THE_HOST.keys()
    kept = {key: value for key, value in step.variables.items() if key not in given}
    if step.name == "dump":  # nothing that a deploy could go back to: so rotation keeps them apart
        kept["label"] = ON_HOST
    kind = _Rehearse if step.name == "rehearse" else Step
    return kind(step.name, kept)


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
