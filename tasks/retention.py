"""Which archives stay and which go, and why: pure, so that a dry run shows what a run would do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..remote.catalog import GRADES, Archive

_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Policy:
    """An archive stays if any rule keeps it; None and 0 mean that there is no such rule.

    keep_last: the newest N. keep_days: all younger than N days. keep_daily, keep_weekly and
    keep_monthly: the newest of each of the last N days, ISO weeks or months (UTC) that have one.
    Only archives of this grade of proof or a better one count for a rule.
    """

    keep_last: int
    keep_days: int | None = None
    keep_daily: int | None = None
    keep_weekly: int | None = None
    keep_monthly: int | None = None
    proof: str = "read"

    def __post_init__(self) -> None:
        rules = [
            rule or 0
            for rule in (
                self.keep_last,
                self.keep_days,
                self.keep_daily,
                self.keep_weekly,
                self.keep_monthly,
            )
        ]
        if min(rules) < 0:
            raise ValueError(f"a retention rule cannot be negative: {self}")
        if max(rules) == 0:
            raise ValueError(f"a retention policy must keep something: {self}")
        if self.proof not in GRADES:
            raise ValueError(f"unknown grade of proof {self.proof!r}, not in {', '.join(GRADES)}")


@dataclass(frozen=True)
class Verdict:
    archive: Archive
    keep: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Expired:
    archive: Archive
    reason: str


@dataclass(frozen=True)
class _Rule:
    keeps: Mapping[str, str]  # archive name → why it stays
    otherwise: str  # why any other goes


def expired(
    archives: Sequence[Archive],
    policy: Policy,
    now: datetime,
    protect: frozenset[str] = frozenset(),
) -> list[Expired]:
    """Return what goes, oldest first; see judge."""
    verdicts = judge(archives, policy, now, protect)
    return [Expired(each.archive, "; ".join(each.reasons)) for each in verdicts if not each.keep]


def judge(
    archives: Sequence[Archive],
    policy: Policy,
    now: datetime,
    protect: frozenset[str] = frozenset(),
) -> list[Verdict]:
    """Return a verdict for each archive, oldest first; each group is judged by itself.

    Whatever the policy says, these stay: the newest proven one, the newest of the best grade, the
    pinned, those that `protect` names, and unproven ones as long as no newer one is proven. Those
    dated in the future stay too, and do not count: by a clock that was wrong they would be the
    newest for years.
    """
    groups: dict[tuple[str, str, str], list[Archive]] = {}
    for archive in archives:
        groups.setdefault(archive.group, []).append(archive)
    verdicts = [
        verdict for group in groups.values() for verdict in _judge(group, policy, now, protect)
    ]
    return sorted(verdicts, key=lambda verdict: verdict.archive.order)


def newest_proven(
    archives: Sequence[Archive], policy: Policy, now: datetime
) -> dict[tuple[str, str, str], Archive]:
    """Return what each group stands on: the archive for which its older ones may go."""
    newest: dict[tuple[str, str, str], Archive] = {}
    for archive in sorted(archives, key=lambda each: each.order):
        if archive.at_least(policy.proof) and archive.created <= now + _TOLERANCE:
            newest[archive.group] = archive
    return newest


def _judge(
    group: Sequence[Archive], policy: Policy, now: datetime, protect: frozenset[str]
) -> Iterator[Verdict]:
    dated_ahead = {archive.name for archive in group if archive.created > now + _TOLERANCE}
    proven = [
        archive
        for archive in group
        if archive.at_least(policy.proof) and archive.name not in dated_ahead
    ]
    proven.sort(key=lambda archive: archive.order, reverse=True)
    newest = proven[0] if proven else None
    best = max(proven, key=lambda archive: archive.rank, default=None)  # the newest of equals
    rules = list(_rules(proven, policy, now))
    for archive in group:
        stays = list(_unconditional(archive, newest, best, protect))
        goes: tuple[str, ...] = ()
        if archive.name in dated_ahead:
            stays.append("dated in the future, by a clock that was wrong")
        elif archive.at_least(policy.proof):
            stays += [rule.keeps[archive.name] for rule in rules if archive.name in rule.keeps]
            goes = tuple(rule.otherwise for rule in rules)
        elif newest and newest.order > archive.order:
            goes = (f"{_flaw(archive)}, newer proven archive {newest.name} exists",)
        else:
            stays.append(f"{_flaw(archive)}, but no newer proven archive exists")
        yield Verdict(archive, bool(stays), tuple(stays) or goes)


def _unconditional(
    archive: Archive, newest: Archive | None, best: Archive | None, protect: frozenset[str]
) -> Iterator[str]:
    if archive.name in protect:
        yield "just made"
    if archive.pinned:
        yield "pinned"
    if archive == newest:
        yield "newest proven"
    if archive == best:
        yield f"newest of the best grade ({archive.proof})"


def _rules(proven: Sequence[Archive], policy: Policy, now: datetime) -> Iterator[_Rule]:
    if last := policy.keep_last:
        keeps = {archive.name: f"among the newest {last}" for archive in proven[:last]}
        yield _Rule(keeps, f"beyond the newest {last}")
    if days := policy.keep_days:
        young = [archive for archive in proven if (now - archive.created).days < days]
        keeps = {archive.name: f"younger than {days} days" for archive in young}
        yield _Rule(keeps, f"not younger than {days} days")
    for periods, word, calendar in (
        (policy.keep_daily, "daily", "%Y-%m-%d"),
        (policy.keep_weekly, "weekly", "%G-W%V"),
        (policy.keep_monthly, "monthly", "%Y-%m"),
    ):
        if periods:
            newest: dict[str, Archive] = {}
            for archive in proven:
                newest.setdefault(archive.created.strftime(calendar), archive)
            chosen = list(newest.items())[:periods]
            keeps = {archive.name: f"{word}: newest of {period}" for period, archive in chosen}
            yield _Rule(keeps, f"not among {periods} {word}")


def _flaw(archive: Archive) -> str:
    if archive.intact:
        return f"unproven ({archive.proof})"
    return f"damaged: {archive.present_bytes} of {archive.bytes} bytes"
