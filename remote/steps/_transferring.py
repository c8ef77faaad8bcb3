"""Archives on their way between here and the host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._door.script import Step

if TYPE_CHECKING:
    pass


def fetch(name: str, sha256: str, offset: int) -> Step:
    """For `shell.pour`: from that byte of the dump on; a dump with another checksum is refused."""
    return Step("fetch", {"archive": name, "sha256": sha256, "offset": str(offset)})


def transfer() -> Step:
    """What `receive` and `install` have in common; it goes before either."""
    return Step("transfer")


def receive(upload: str, dump_bytes: int, manifest_bytes: int, sha256: str) -> Step:
    """The run's payload is the manifest, if there is one, and then the dump."""
    return Step(
        "receive",
        {
            "upload": upload_name(upload),
            "dump_bytes": str(dump_bytes),
            "manifest_bytes": str(manifest_bytes),
            "sha256": sha256,
        },
    )


def upload_name(upload: str) -> str:
    """A plain and visible file name, whatever the client's own holds."""
    return re.sub(r"^\.|[^A-Za-z0-9._+-]", "_", upload)[:200]
