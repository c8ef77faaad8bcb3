"""Keep an archive whatever the retention policy says, or no longer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..config import errors
from ..remote import recipes
from ._host.choosing import chosen
from ._host.command import Call, command
from ._show.report import tell

if TYPE_CHECKING:
    from ..remote.catalog import Archive

_FILE = "archive: its name, a unique part of it, or latest"
_SAYS = {
    (True, True): "pinned {}",
    (True, False): "{} is pinned already",
    (False, True): "unpinned {}",
    (False, False): "{} is not pinned",
}


@command(file=_FILE)
def pin(call: Call, file: str | None = None) -> Archive:
    """Keep an archive: rotation leaves it alone until it is unpinned."""
    return _set(call, "pin", file, pinned=True)


@command(file=_FILE)
def unpin(call: Call, file: str | None = None) -> Archive:
    """Leave an archive to rotation, those that a restore has kept too."""
    return _set(call, "unpin", file, pinned=False)


def _set(call: Call, name: str, file: str | None, *, pinned: bool) -> Archive:
    from ..remote.catalog import read

    if file is None:
        raise errors.ConfigurationError(f"{name}: give --file=<archive>")
    with call.session() as host:
        catalog = read(host.must(name, recipes.listing()))
        archive = chosen(host, name, catalog, file)
        several = recipes.pinning(host.settings, archive.name, pinned=pinned)
        changed = host.must(name, several).of("pin").word("changed", "yes", "no") == "yes"
        tell(_SAYS[pinned, changed].format(archive.name))
        return replace(archive, pinned=pinned)
