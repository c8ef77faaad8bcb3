"""Remove what the retention policy no longer keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..remote import recipes
from ._gate.outcome import expired, foundations, named, removed
from ._gate.proving import prove
from ._host.command import Call, command
from ._show.report import tell

if TYPE_CHECKING:
    from ..remote.catalog import Archive


@dataclass(frozen=True)
class Expired:
    archive: Archive
    reason: str


@command(dry_run="show what would go and why, and remove nothing")
def rotate(call: Call, *, dry_run: bool = False, quiet: bool = False) -> list[Expired]:
    """Remove what retention no longer keeps, each with its reason."""
    with call.session(quiet=quiet) as host:
        settings = host.settings
        report = host.must("rotate", recipes.judging(settings, locked=not dry_run))
        going = expired(report)
        if going and not dry_run:
            for archive in foundations(report):
                prove(host, archive, "written")
            report = host.run("rotate", recipes.removing(settings))
            going = removed(report)
        for name, reason in going.items():
            tell(f"{'would remove' if dry_run else 'removed'} {name}: {reason}")
        if report.code != 0:
            raise host.failure("rotate", report)
        if not going:
            tell(f"nothing to remove in {settings.backup_dir} on {host.name}")
        archives = named(report, going)
        return [Expired(archive, going[archive.name]) for archive in archives]
