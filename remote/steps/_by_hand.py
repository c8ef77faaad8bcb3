"""The script that runs on the host without a client."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from .._door.script import Step

if TYPE_CHECKING:
    from ...config.settings import Settings


def standalone(settings: Settings) -> Step:
    """The first step of a script that runs without a client; see remote/by_hand/standalone.py."""
    from ...config.settings import ON_THE_HOST

    values = ((variable, getattr(settings, name)) for name, variable in ON_THE_HOST.items())
    lines = (f"{variable}={'' if value is None else value}" for variable, value in values)
    return Step("standalone", {"defaults": "\n".join(lines), "profile": settings.profile})


def installed() -> Step:
    """Its fact `installed` is the version and the checksum of the script, where one is there."""
    return Step("installed")


def install(script: bytes) -> Step:
    """The run's payload is the script."""
    checksum = hashlib.sha256(script).hexdigest()
    return Step("install", {"script_bytes": str(len(script)), "script_sha256": checksum})


def uninstall() -> Step:
    return Step("uninstall")
