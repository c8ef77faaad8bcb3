"""Remove what the retention policy no longer keeps."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from invoke.tasks import task

from ..remote import steps
from ..remote.catalog import Catalog, parse
from .report import tell, warn
from .session import session
from .verify import prove

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from invoke.context import Context

    from ..config.settings import Settings
    from ..remote.catalog import Archive
    from ..remote.shell import Fact, Report
    from .retention import Expired


@task(
    auto_shortflags=False,
    help={
        "keep": "archives to keep per project, label and database; default 5",
        "dry-run": "show what would go and why, and remove nothing",
    },
)
def rotate(c: Context, keep: str | None = None, dry_run: bool = False) -> list[Expired]:
    """Remove what the retention policy no longer keeps, each with its reason."""
    with session(c, {"MAX_BACKUPS": keep}) as host:
        rotation = Rotation(host.settings)
        looking = [] if dry_run else [steps.lock(host.settings, create=False)]
        report = host.must("rotate", [*looking, steps.catalog()])
        going = rotation.decide(report.facts)
        if going and not dry_run:
            for archive in rotation.foundations():
                prove(host, archive, "written")
            all_steps = [steps.lock(host.settings, create=False), steps.catalog(), steps.prune()]
            report = host.run("rotate", all_steps, answer=rotation.answer)
            going = rotation.removed(report)
        for each in going:
            tell(f"{'would remove' if dry_run else 'removed'} {each.archive.name}: {each.reason}")
        if report.code != 0:
            raise host.failure("rotate", report)
        if not going:
            tell(f"nothing to remove in {host.settings.backup_dir} on {host.name}")
        return going


class Rotation:
    """What goes, decided once the host has shown its catalog, and kept to tell of it afterwards."""

    def __init__(self, settings: Settings) -> None:
        from .retention import Policy

        self.policy = Policy(
            settings.max_backups,
            settings.keep_days,
            settings.keep_daily,
            settings.keep_weekly,
            settings.keep_monthly,
            settings.proof,
        )
        self.going: list[Expired] = []
        self.catalog = Catalog(())

    def decide(self, facts: Mapping[str, Sequence[Fact]]) -> list[Expired]:
        """An archive that was published in the same run stays, whatever the host's clock says."""
        from .retention import expired

        just_made = frozenset(value for key, value in facts.get("publish", ()) if key == "archive")
        self.catalog = parse(facts["catalog"])
        self.going = expired(
            self.catalog.archives, self.policy, datetime.now(timezone.utc), just_made
        )
        return self.going

    def foundations(self) -> list[Archive]:
        """The newest proven archives for which others go: they are looked at before that."""
        from .retention import newest_proven

        newest = newest_proven(self.catalog.archives, self.policy, datetime.now(timezone.utc))
        return [newest[group] for group in sorted({each.archive.group for each in self.going})]

    def answer(self, facts: Mapping[str, Sequence[Fact]]) -> list[str]:
        return [each.archive.name for each in self.decide(facts)]

    def removed(self, report: Report) -> list[Expired]:
        told = {value for key, value in report.facts.get("prune", ()) if key == "removed"}
        for name in self.catalog.unreadable:
            warn(f"{name} is left alone: its manifest is not readable")
        return [each for each in self.going if each.archive.name in told]
