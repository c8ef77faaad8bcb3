"""Remove what the retention policy no longer keeps."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from invoke import task
from invoke.context import Context

from ..config import Settings
from ..remote import steps
from ..remote.catalog import Catalog, parse
from ..remote.shell import Answer, Fact, Report
from .report import warn
from .retention import Expired, Policy, expired
from .session import Host, session


@task(
    help={
        "keep": "archives to keep per project, label and database; default 5",
        "dry-run": "show what would go and why, and remove nothing",
    }
)
def rotate(c: Context, keep: str | None = None, dry_run: bool = False) -> list[Expired]:
    """Remove what the retention policy no longer keeps, each with its reason."""
    with session(c, {"MAX_BACKUPS": keep}) as host:
        report = host.must("rotate", [steps.catalog()])
        going = decide(parse(report.facts["catalog"]), host.settings)
        if going and not dry_run:
            again = [steps.lock(host.settings, create=False), steps.catalog(), steps.prune()]
            report = host.must("rotate", again, answer=deciding(host))
            names = set(removed(report))
            going = [each for each in going if each.archive.name in names]
        for each in going:
            print(f"{'would remove' if dry_run else 'removed'} {each.archive.name}: {each.reason}")
        if not going:
            print("nothing to remove")
        return going


def decide(catalog: Catalog, settings: Settings, protect: frozenset[str] = frozenset()) -> list[Expired]:
    for name in catalog.unreadable:
        warn(f"{name} is left alone: its manifest is not readable")
    policy = Policy(
        settings.max_backups,
        settings.keep_days,
        settings.keep_daily,
        settings.keep_weekly,
        settings.keep_monthly,
        settings.proof,
    )
    return expired(catalog.archives, policy, datetime.now(timezone.utc), protect)


def deciding(host: Host) -> Answer:
    """What to tell the prune step once the catalog is known; an archive published in the same run stays."""

    def names(facts: Mapping[str, Sequence[Fact]]) -> list[str]:
        protect = frozenset(value for key, value in facts.get("publish", ()) if key == "archive")
        going = decide(parse(facts["catalog"]), host.settings, protect)
        for each in going:
            print(f"expired: {each.archive.name}: {each.reason}")
        return [each.archive.name for each in going]

    return names


def removed(report: Report) -> list[str]:
    return [value for key, value in report.facts.get("prune", ()) if key == "removed"]
