"""Which archives go: restic's rules, except that what was not proven counts for nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from fabric_predeploy.remote.catalog import GRADES, Archive
from fabric_predeploy.tasks.retention import Policy, expired, judge
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2025, 3, 14, 12, 0, tzinfo=timezone.utc)  # a Friday


def archive(name: str, created: datetime = NOW, **changes: Any) -> Archive:
    usual = Archive(
        name=f"{name}.dump",
        project="pricehawk",
        label="pre-deploy",
        version="v1.0.0",
        database="shop",
        created=created,
        bytes=20,
        present_bytes=20,
        sha256="ab" * 32,
        proof="read",
    )
    return replace(usual, **changes)


def at(text: str, **changes: Any) -> Archive:
    """Make an archive named after its time, such as 2025-03-14T12."""
    return archive(text, datetime.fromisoformat(f"{text}:00+00:00"), **changes)


def gone(archives: Sequence[Archive], policy: Policy, **more: Any) -> list[str]:
    return [
        each.archive.name.removesuffix(".dump") for each in expired(archives, policy, NOW, **more)
    ]


def why(archives: Sequence[Archive], policy: Policy, **more: Any) -> dict[str, tuple[bool, str]]:
    return {
        verdict.archive.name.removesuffix(".dump"): (verdict.keep, "; ".join(verdict.reasons))
        for verdict in judge(archives, policy, NOW, **more)
    }


WEEK = [at(f"2025-03-{day:02}T12") for day in range(8, 15)]


def test_keep_last_keeps_the_newest() -> None:
    assert gone(WEEK, Policy(keep_last=5)) == ["2025-03-08T12", "2025-03-09T12"]
    assert gone(WEEK, Policy(keep_last=7)) == []
    assert gone(WEEK, Policy(keep_last=100)) == []


def test_what_goes_is_listed_oldest_first_in_whatever_order_it_came() -> None:
    policy = Policy(keep_last=1)
    assert expired(WEEK[::-1], policy, NOW) == expired(WEEK, policy, NOW)
    assert gone(WEEK[::-1], policy) == sorted(gone(WEEK, policy))


def test_a_later_archive_of_a_lower_version_or_name_is_the_newer_one() -> None:
    v9 = archive("v1.9", NOW - timedelta(hours=1))
    v10 = archive("v1.10", NOW)
    assert gone([v9, v10], Policy(keep_last=1)) == ["v1.9"]


def test_of_archives_of_the_same_second_the_name_decides() -> None:
    assert gone([archive("b"), archive("c"), archive("a")], Policy(keep_last=2)) == ["a"]


def test_keep_days_keeps_what_is_younger_and_not_what_is_just_as_old() -> None:
    second = timedelta(seconds=1)
    two_days = timedelta(days=2)
    archives = [
        archive("older", NOW - two_days - second),
        archive("just", NOW - two_days),
        archive("younger", NOW - two_days + second),
        archive("newest"),
    ]
    assert gone(archives, Policy(keep_last=0, keep_days=2)) == ["older", "just"]


def test_keep_days_of_any_length_is_no_overflow() -> None:
    assert gone(WEEK, Policy(keep_last=1, keep_days=10**30)) == []


def test_keep_daily_keeps_the_newest_of_each_day_in_utc() -> None:
    archives = [
        at(f"2025-03-{hour}")
        for hour in ("12T00", "12T23", "13T00", "13T01", "13T23", "14T00", "14T11")
    ]
    assert gone(archives, Policy(keep_last=0, keep_daily=2)) == [
        "2025-03-12T00",
        "2025-03-12T23",
        "2025-03-13T00",
        "2025-03-13T01",
        "2025-03-14T00",
    ]


def test_days_without_an_archive_do_not_count() -> None:
    archives = [at("2023-01-01T12"), at("2024-01-01T12"), at("2025-01-01T12"), at("2025-03-14T11")]
    assert gone(archives, Policy(keep_last=0, keep_daily=3)) == ["2023-01-01T12"]


def test_weeks_are_iso_weeks_that_start_on_monday_and_ignore_new_year() -> None:
    archives = [
        at("2024-12-29T12"),  # Sunday of 2024-W52
        at("2024-12-30T12"),  # Monday of 2025-W01
        at("2025-01-01T12"),
        at("2025-01-05T12"),  # Sunday of 2025-W01
        at("2025-01-06T12"),
    ]
    policy = Policy(keep_last=0, keep_weekly=3)
    assert gone(archives, policy) == ["2024-12-30T12", "2025-01-01T12"]
    assert why(archives, policy)["2025-01-05T12"] == (True, "weekly: newest of 2025-W01")


def test_keep_monthly_keeps_the_newest_of_each_month_of_its_year() -> None:
    archives = [
        at("2024-03-31T12"),
        at("2025-01-31T12"),
        at("2025-02-01T12"),
        at("2025-02-28T12"),
        at("2025-03-01T12"),
    ]
    assert gone(archives, Policy(keep_last=0, keep_monthly=4)) == ["2025-02-01T12"]
    assert gone(archives, Policy(keep_last=0, keep_monthly=3)) == ["2024-03-31T12", "2025-02-01T12"]


def test_an_archive_stays_if_any_rule_keeps_it() -> None:
    policy = Policy(keep_last=1, keep_days=3, keep_monthly=2)
    archives = [at("2025-01-31T12"), at("2025-02-27T12"), at("2025-02-28T12"), *WEEK]
    assert gone(archives, policy) == [
        "2025-01-31T12",
        "2025-02-27T12",
        "2025-03-08T12",
        "2025-03-09T12",
        "2025-03-10T12",
        "2025-03-11T12",
    ]


def test_a_person_reads_why_each_stays_or_goes() -> None:
    policy = Policy(keep_last=1, keep_days=2, keep_daily=2, keep_weekly=1, keep_monthly=1)
    verdicts = why(WEEK, policy)
    assert verdicts["2025-03-08T12"] == (
        False,
        "beyond the newest 1; not younger than 2 days; "
        "not among 2 daily; not among 1 weekly; not among 1 monthly",
    )
    assert verdicts["2025-03-13T12"] == (
        True,
        "younger than 2 days; daily: newest of 2025-03-13",
    )
    assert verdicts["2025-03-14T12"] == (
        True,
        "newest proven; newest of the best grade (read); among the newest 1; younger than 2 days; "
        "daily: newest of 2025-03-14; weekly: newest of 2025-W11; monthly: newest of 2025-03",
    )


def test_an_unproven_archive_counts_for_nothing_and_goes_once_a_newer_one_is_proven() -> None:
    archives = [
        archive("old", NOW - timedelta(days=3)),
        archive("unproven", NOW - timedelta(days=2), proof="written"),
        archive("damaged", NOW - timedelta(days=1), present_bytes=10),
        archive("new", NOW),
    ]
    verdicts = why(archives, Policy(keep_last=2))
    assert verdicts["old"] == (True, "among the newest 2")
    newer = "newer proven archive new.dump exists"
    assert verdicts["unproven"] == (False, f"unproven (written), {newer}")
    assert verdicts["damaged"] == (False, f"damaged: 10 of 20 bytes, {newer}")


def test_an_unproven_archive_that_is_newer_than_all_proven_ones_stays() -> None:
    archives = [archive("proven", NOW - timedelta(days=1)), archive("new", NOW, proof="written")]
    stays = (True, "unproven (written), but no newer proven archive exists")
    assert why(archives, Policy(keep_last=1))["new"] == stays


def test_a_policy_that_demands_less_counts_what_is_only_written() -> None:
    archives = [archive("a", proof="written"), archive("b", proof="written")]
    assert gone(archives, Policy(keep_last=1, proof="read")) == []
    assert gone(archives, Policy(keep_last=1, proof="written")) == ["a"]


def test_the_newest_of_the_best_grade_stays_though_newer_ones_are_good_enough() -> None:
    archives = [
        archive("a", proof="read"),
        archive("b", proof="read"),
        archive("c", proof="written"),
        archive("d", proof="written"),
    ]
    policy = Policy(keep_last=1, proof="written")
    assert gone(archives, policy) == ["a", "c"]
    assert why(archives, policy)["b"] == (True, "newest of the best grade (read)")


def test_a_pinned_archive_stays_in_any_condition() -> None:
    archives = [
        archive("a", pinned=True),
        archive("b", pinned=True, proof="written"),
        archive("c", pinned=True, present_bytes=0),
        archive("d"),
        archive("e"),
    ]
    assert gone(archives, Policy(keep_last=1)) == ["d"]
    assert why(archives, Policy(keep_last=1))["b"] == (True, "pinned")


def test_the_archive_just_made_stays_though_the_clock_jumped_back() -> None:
    archives = [archive("a-just-made", NOW - timedelta(days=999)), *WEEK]
    policy = Policy(keep_last=2)
    assert "a-just-made" in gone(archives, policy)
    protect = frozenset({"a-just-made.dump"})
    assert "a-just-made" not in gone(archives, policy, protect=protect)
    assert why(archives, policy, protect=protect)["a-just-made"] == (True, "just made")


def test_archives_from_the_future_stay_and_push_no_other_out() -> None:
    future = [archive("y", NOW + timedelta(days=400)), archive("z", NOW + timedelta(days=500))]
    present = [archive("a", NOW - timedelta(days=1)), archive("b", NOW + timedelta(minutes=1))]
    assert gone([*present, *future], Policy(keep_last=1)) == ["a"]
    assert gone([*present, *future], Policy(keep_last=0, keep_days=1)) == ["a"]


def test_each_project_label_and_database_keeps_its_own() -> None:
    archives = [
        archive("a"),
        archive("b"),
        archive("other-project", project="x"),
        archive("other-label", label="x"),
        archive("other-database", database="x"),
    ]
    assert gone(archives, Policy(keep_last=1)) == ["a"]


def test_nothing_expires_from_nothing() -> None:
    assert expired([], Policy(keep_last=1), NOW) == []


@pytest.mark.parametrize(
    "nonsense",
    [
        {"keep_last": 0},
        {"keep_last": 0, "keep_daily": 0},
        {"keep_last": -1},
        {"keep_last": -1, "keep_days": 3},
        {"keep_last": 5, "keep_days": -1},
        {"keep_last": 5, "keep_daily": -1},
        {"keep_last": 5, "keep_weekly": -1},
        {"keep_last": 5, "keep_monthly": -1},
        {"keep_last": 5, "proof": "sworn"},
        {"keep_last": 5, "proof": ""},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(nonsense: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"retention|grade"):
        Policy(**nonsense)


# Whatever the catalog, the policy and the clock: properties of every answer.

RULES = ("keep_last", "keep_days", "keep_daily", "keep_weekly", "keep_monthly")
GROUPS = (("hawk", "pre", "shop"), ("hawk", "pre", "stats"), ("dove", "pre", "shop"))


@st.composite
def catalogs(draw: st.DrawFn) -> list[Archive]:
    drafts = draw(
        st.lists(
            st.tuples(
                st.sampled_from(GROUPS),
                st.integers(-60, 6).map(lambda steps: NOW + timedelta(hours=12 * steps)),
                st.sampled_from([*GRADES, *GRADES, "read", "sworn"]),
                st.sampled_from([20, 20, 20, 20, 10]),
                st.sampled_from([False] * 5 + [True]),
            ),
            max_size=25,
        )
    )
    names = draw(st.permutations(range(len(drafts))))
    return [
        archive(
            f"a{name}",
            created,
            project=group[0],
            label=group[1],
            database=group[2],
            proof=proof,
            present_bytes=present_bytes,
            pinned=pinned,
        )
        for name, (group, created, proof, present_bytes, pinned) in zip(names, drafts, strict=True)
    ]


numbers = st.fixed_dictionaries({rule: st.integers(0, 6) for rule in RULES}).filter(
    lambda rules: any(rules.values())
)
policies = st.builds(
    lambda rules, proof: Policy(**rules, proof=proof), numbers, st.sampled_from(GRADES)
)
clocks = st.integers(-90, 90).map(lambda days: NOW + timedelta(days=days))
protected = st.frozensets(st.integers(0, 24).map(lambda number: f"a{number}.dump"), max_size=2)

quick = settings(deadline=None, max_examples=200)


def names(archives: Sequence[Archive]) -> set[str]:
    return {each.name for each in archives}


def removed(
    archives: Sequence[Archive],
    policy: Policy,
    now: datetime,
    protect: frozenset[str] = frozenset(),
) -> set[str]:
    return names([each.archive for each in expired(archives, policy, now, protect)])


def ahead(archive: Archive, now: datetime | None) -> bool:
    return now is not None and archive.created > now + timedelta(minutes=5)


def proven_groups(
    archives: Sequence[Archive], grade: str, now: datetime | None = None
) -> list[list[Archive]]:
    """Proven archives of each group, newest first, up to now; empty for a group without."""
    return [
        sorted(
            (
                each
                for each in archives
                if each.group == group and each.at_least(grade) and not ahead(each, now)
            ),
            key=lambda each: (each.created, each.name),
            reverse=True,
        )
        for group in GROUPS
    ]


@quick
@given(catalogs(), policies, clocks, protected)
def test_whatever_goes_a_newer_proven_archive_of_its_group_stays(
    archives: list[Archive], policy: Policy, now: datetime, protect: frozenset[str]
) -> None:
    lost = removed(archives, policy, now, protect)
    for each in archives:
        if each.name in lost:
            assert any(
                (other.created, other.name) > (each.created, each.name)
                for other in archives
                if other.group == each.group
                and other.at_least(policy.proof)
                and other.name not in lost
            )


@quick
@given(catalogs(), policies, clocks)
def test_the_newest_proven_and_the_newest_of_the_best_grade_always_stay(
    archives: list[Archive], policy: Policy, now: datetime
) -> None:
    lost = removed(archives, policy, now)
    for grade in GRADES[GRADES.index(policy.proof) :]:
        for proven in proven_groups(archives, grade):
            best = bool(proven) and not any(
                other.group == proven[0].group and other.at_least(better)
                for better in GRADES[GRADES.index(grade) + 1 :]
                for other in archives
            )
            if proven and (grade == policy.proof or best):
                assert proven[0].name not in lost


@quick
@given(catalogs(), policies, clocks, protected)
def test_pinned_and_protected_archives_always_stay(
    archives: list[Archive], policy: Policy, now: datetime, protect: frozenset[str]
) -> None:
    lost = removed(archives, policy, now, protect)
    assert lost.isdisjoint(protect | {each.name for each in archives if each.pinned})


@quick
@given(catalogs(), policies, clocks)
def test_the_newest_keep_last_and_all_younger_than_keep_days_stay(
    archives: list[Archive], policy: Policy, now: datetime
) -> None:
    lost = removed(archives, policy, now)
    for proven in proven_groups(archives, policy.proof):
        young = [
            each
            for each in proven
            if policy.keep_days and now - each.created < timedelta(days=policy.keep_days)
        ]
        assert lost.isdisjoint(names([*proven[: policy.keep_last], *young]))


@quick
@given(catalogs(), st.integers(1, 6), clocks)
def test_keep_last_alone_keeps_no_other_proven_one_but_the_newest_of_the_best_grade(
    archives: list[Archive], last: int, now: datetime
) -> None:
    unpinned = [replace(each, pinned=False) for each in archives]
    lost = removed(unpinned, Policy(keep_last=last), now)
    for proven in proven_groups(unpinned, "read", now):
        best = max(proven, key=lambda each: (each.rank, each.order), default=None)
        assert names(proven) - lost == names([*proven[:last], *([best] if best else [])])


@quick
@given(catalogs(), policies, clocks, protected)
def test_unproven_archives_do_not_pile_up(
    archives: list[Archive], policy: Policy, now: datetime, protect: frozenset[str]
) -> None:
    lost = removed(archives, policy, now, protect)
    proven = proven_groups(archives, policy.proof, now)
    newest = {each[0].group: each[0] for each in proven if each}
    for each in archives:
        if each.at_least(policy.proof) or each.pinned or each.name in protect or ahead(each, now):
            continue
        judged_by = newest.get(each.group)
        surpassed = judged_by is not None and (judged_by.created, judged_by.name) > (
            each.created,
            each.name,
        )
        assert (each.name in lost) == surpassed


@quick
@given(catalogs(), policies, clocks, protected)
def test_several_rules_expire_just_what_each_of_them_alone_would_expire(
    archives: list[Archive], policy: Policy, now: datetime, protect: frozenset[str]
) -> None:
    alone = [
        Policy(**{"keep_last": 0, rule: getattr(policy, rule)}, proof=policy.proof)
        for rule in RULES
        if getattr(policy, rule)
    ]
    each_expires = [removed(archives, single, now, protect) for single in alone]
    assert removed(archives, policy, now, protect) == set.intersection(*each_expires)


@quick
@given(catalogs(), policies, clocks, st.sampled_from(RULES), st.integers(1, 5))
def test_a_further_or_wider_rule_never_expires_more(
    archives: list[Archive], policy: Policy, now: datetime, rule: str, more: int
) -> None:
    wider = replace(policy, **{rule: getattr(policy, rule) + more})
    assert removed(archives, wider, now) <= removed(archives, policy, now)


@quick
@given(catalogs(), policies, clocks, protected)
def test_what_stays_stays_when_it_is_judged_again(
    archives: list[Archive], policy: Policy, now: datetime, protect: frozenset[str]
) -> None:
    lost = removed(archives, policy, now, protect)
    left = [each for each in archives if each.name not in lost]
    assert removed(left, policy, now, protect) == set()


@quick
@given(catalogs(), policies, clocks)
def test_other_groups_do_not_matter(archives: list[Archive], policy: Policy, now: datetime) -> None:
    alone = [
        removed([each for each in archives if each.group == group], policy, now) for group in GROUPS
    ]
    assert removed(archives, policy, now) == set().union(*alone)


@quick
@given(catalogs(), policies, clocks)
def test_a_group_without_a_proven_archive_loses_nothing(
    archives: list[Archive], policy: Policy, now: datetime
) -> None:
    unproven = [
        each if each.group != GROUPS[0] else replace(each, proof="sworn") for each in archives
    ]
    lost = removed(unproven, policy, now)
    assert lost.isdisjoint({each.name for each in unproven if each.group == GROUPS[0]})


@quick
@given(catalogs(), policies, clocks, protected, st.randoms(use_true_random=False))
def test_each_archive_gets_one_verdict_with_a_reason_in_the_same_order_every_time(
    archives: list[Archive], policy: Policy, now: datetime, protect: frozenset[str], random: Any
) -> None:
    verdicts = judge(archives, policy, now, protect)
    oldest_first = sorted(archives, key=lambda each: (each.created, each.name))
    assert [verdict.archive for verdict in verdicts] == oldest_first
    assert all(verdict.reasons and all(verdict.reasons) for verdict in verdicts)
    random.shuffle(archives)
    assert judge(archives, policy, now, protect) == verdicts
