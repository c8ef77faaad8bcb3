"""Keep an archive whatever the retention policy says, or no longer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from invoke.tasks import task

from ..config import errors
from ..remote import steps
from ._host.choosing import chosen
from ._host.session import session
from ._show.report import tell

if TYPE_CHECKING:
    from invoke.context import Context

    from ..remote.catalog import Archive

_FILE = "archive: its name, a unique part of it, or latest"
_SAYS = {
    (True, True): "pinned {}",
    (True, False): "{} is pinned already",
    (False, True): "unpinned {}",
    (False, False): "{} is not pinned",
}


@task(auto_shortflags=False, help={"file": _FILE})
def pin(c: Context, file: str | None = None) -> Archive:
    """Keep an archive: rotation leaves it alone until it is unpinned."""
    return _set(c, "pin", file, pinned=True)


@task(auto_shortflags=False, help={"file": _FILE})
def unpin(c: Context, file: str | None = None) -> Archive:
    """Leave an archive to rotation, those that a restore has kept too."""
    return _set(c, "unpin", file, pinned=False)


def _set(c: Context, name: str, file: str | None, *, pinned: bool) -> Archive:
    from ..remote.catalog import read

    if file is None:
        raise errors.ConfigurationError(f"{name}: give --file=<archive> (exit 2)")
    with session(c) as host:
        catalog = read(host.must(name, [steps.catalog()]))
        archive = chosen(host, name, catalog, file)
        several = [
            steps.lock(host.settings, create=False),
            steps.pin(archive.name, pinned=pinned),
        ]
        changed = host.must(name, several).of("pin").word("changed", "yes", "no") == "yes"
        tell(_SAYS[pinned, changed].format(archive.name))
        return replace(archive, pinned=pinned)
