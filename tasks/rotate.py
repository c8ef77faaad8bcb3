"""Remove what the retention policy no longer keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from invoke.tasks import task

from ..remote import steps
from ._host.session import session
from ._show.report import tell
from .verify import prove

if TYPE_CHECKING:
    from collections.abc import Collection

    from invoke.context import Context

    from ..config.settings import Settings
    from ..remote._door.script import Step
    from ..remote._door.shell import Report
    from ..remote.catalog import Archive


@dataclass(frozen=True)
class Expired:
    archive: Archive
    reason: str


@task(
    auto_shortflags=False,
    help={
        "keep": "archives to keep per project, label and database; default 5",
        "dry-run": "show what would go and why, and remove nothing",
        "quiet": "no log and no progress: the result, warnings and errors",
    },
)
def rotate(
    c: Context, keep: str | None = None, dry_run: bool = False, quiet: bool = False
) -> list[Expired]:
    """Remove what retention no longer keeps, each with its reason."""
    with session(c, {"MAX_BACKUPS": keep}, quiet=quiet) as host:
        settings = host.settings
        report = host.must("rotate", judging(settings, locked=not dry_run))
        going = expired(report)
        if going and not dry_run:
            for archive in foundations(report):
                prove(host, archive, "written")
            report = host.run("rotate", [*judging(settings, locked=True), steps.prune()])
            going = removed(report)
        for name, reason in going.items():
            tell(f"{'would remove' if dry_run else 'removed'} {name}: {reason}")
        if report.code != 0:
            raise host.failure("rotate", report)
        if not going:
            tell(f"nothing to remove in {settings.backup_dir} on {host.name}")
        archives = named(report, going)
        return [Expired(archive, going[archive.name]) for archive in archives]


def judging(settings: Settings, *, locked: bool) -> list[Step]:
    locking = [steps.lock(settings, create=False)] if locked else []
    return [*locking, steps.awk(), steps.catalog(), steps.retention(settings)]


def expired(report: Report) -> dict[str, str]:
    """What the policy no longer keeps, oldest first: names and reasons."""
    return dict(report.of("retention").matched("expired", "([^ ]+) (.*)", "a name and a reason"))


def removed(report: Report) -> dict[str, str]:
    """What of it is gone."""
    gone = set(report.of("prune").all("removed"))
    return {name: reason for name, reason in expired(report).items() if name in gone}


def foundations(report: Report) -> list[Archive]:
    """The newest proven archives for which others go: they are looked at before that."""
    return named(report, report.must("retention").all("foundation"))


def named(report: Report, names: Collection[str]) -> list[Archive]:
    """The archives of these names; raise UnreadableFactError where the catalog has none of one."""
    from ..config.secrecy import shown
    from ..remote.catalog import read

    archives = {archive.name: archive for archive in read(report).archives}
    unknown = [name for name in names if name not in archives]
    if unknown:
        raise report.of("catalog").unreadable(
            f"the archive {shown(unknown[0])}", "is not told, but is to be rotated"
        )
    return [archives[name] for name in names]
