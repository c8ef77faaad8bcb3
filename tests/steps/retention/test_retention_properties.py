"""Whatever the catalog, the policy and the clock: properties of every answer of retention.awk."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from fabric_predeploy.remote.catalog import GRADES, Archive
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.steps.judging import AWKS, NOW, RULES, Judge, Policy, archive, full

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
            shrunk=shrunk,
        )
        for name, (group, created, proof, present_bytes, pinned, shrunk) in zip(
            names, drafts, strict=True
        )
    ]


numbers = st.fixed_dictionaries({rule: st.integers(0, 6) for rule in RULES}).filter(
    lambda rules: any(rules.values())
)
policies = st.builds(
    lambda rules, proof: Policy(**rules, proof=proof), numbers, st.sampled_from(GRADES)
)
clocks = st.integers(-90, 90).map(lambda days: NOW + timedelta(days=days))
just_made = st.one_of(st.just(""), st.integers(0, 24).map(lambda number: full(f"a{number}")))

quick = settings(deadline=None, max_examples=40)


def names(archives: Sequence[Archive]) -> set[str]:
    return {each.name for each in archives}


@pytest.fixture(scope="session", params=AWKS)
def judge(request):
    return Judge(request.param)


@pytest.fixture(scope="session")
def removed(judge):
    """The names of what goes."""
    return lambda *asked, published="": set(judge(*asked, published=published).removed)


def counts(archive: Archive, grade: str) -> bool:
    return archive.at_least(grade) and not archive.shrunk


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
                if each.group == group and counts(each, grade) and not ahead(each, now)
            ),
            key=lambda each: (each.created, each.name),
            reverse=True,
        )
        for group in GROUPS
    ]


@quick
@given(catalogs(), policies, clocks, just_made)
def test_whatever_goes_a_newer_proven_archive_of_its_group_stays(
    removed, archives, policy, now, published
):
    lost = removed(archives, policy, now, published=published)
    for each in archives:
        if each.name in lost:
            assert any(
                (other.created, other.name) > (each.created, each.name)
                for other in archives
                if other.group == each.group
                and counts(other, policy.proof)
                and other.name not in lost
            )


@quick
@given(catalogs(), policies, clocks)
def test_the_newest_proven_and_the_newest_of_the_best_grade_always_stay(
    removed, archives, policy, now
):
    lost = removed(archives, policy, now)
    for grade in GRADES[GRADES.index(policy.proof) :]:
        for proven in proven_groups(archives, grade):
            best = bool(proven) and not any(
                other.group == proven[0].group and counts(other, better)
                for better in GRADES[GRADES.index(grade) + 1 :]
                for other in archives
            )
            if proven and (grade == policy.proof or best):
                assert proven[0].name not in lost


@quick
@given(catalogs(), policies, clocks, just_made)
def test_pinned_and_protected_archives_always_stay(removed, archives, policy, now, published):
    lost = removed(archives, policy, now, published=published)
    assert lost.isdisjoint({published} | {each.name for each in archives if each.pinned})


@quick
@given(catalogs(), policies, clocks)
def test_the_newest_keep_last_and_all_younger_than_keep_days_stay(removed, archives, policy, now):
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
    removed, archives, last, now
):
    unpinned = [replace(each, pinned=False) for each in archives]
    lost = removed(unpinned, Policy(keep_last=last), now)
    for proven in proven_groups(unpinned, "read", now):
        best = max(proven, key=lambda each: (each.rank, each.order), default=None)
        assert names(proven) - lost == names([*proven[:last], *([best] if best else [])])


@quick
@given(catalogs(), policies, clocks, just_made)
def test_unproven_archives_do_not_pile_up(removed, archives, policy, now, published):
    lost = removed(archives, policy, now, published=published)
    proven = proven_groups(archives, policy.proof, now)
    newest = {each[0].group: each[0] for each in proven if each}
    for each in archives:
        if counts(each, policy.proof) or each.pinned or each.name == published or ahead(each, now):
            continue
        judged_by = newest.get(each.group)
        surpassed = judged_by is not None and (judged_by.created, judged_by.name) > (
            each.created,
            each.name,
        )
        assert (each.name in lost) == surpassed


@quick
@given(catalogs(), policies, clocks, just_made)
def test_several_rules_expire_just_what_each_of_them_alone_would_expire(
    removed, archives, policy, now, published
):
    alone = [
        Policy(**{"keep_last": 0, rule: getattr(policy, rule)}, proof=policy.proof)
        for rule in RULES
        if getattr(policy, rule)
    ]
    each_expires = [removed(archives, single, now, published=published) for single in alone]
    assert removed(archives, policy, now, published=published) == set.intersection(*each_expires)


@quick
@given(catalogs(), policies, clocks, st.sampled_from(RULES), st.integers(1, 5))
def test_a_further_or_wider_rule_never_expires_more(removed, archives, policy, now, rule, more):
    wider = replace(policy, **{rule: getattr(policy, rule) + more})
    assert removed(archives, wider, now) <= removed(archives, policy, now)


@quick
@given(catalogs(), policies, clocks, just_made)
def test_what_stays_stays_when_it_is_judged_again(removed, archives, policy, now, published):
    lost = removed(archives, policy, now, published=published)
    left = [each for each in archives if each.name not in lost]
    assert removed(left, policy, now, published=published) == set()


@quick
@given(catalogs(), policies, clocks)
def test_other_groups_do_not_matter(removed, archives, policy, now):
    alone = [
        removed([each for each in archives if each.group == group], policy, now) for group in GROUPS
    ]
    assert removed(archives, policy, now) == set().union(*alone)


@quick
@given(catalogs(), policies, clocks)
def test_a_group_without_a_proven_archive_loses_nothing(removed, archives, policy, now):
    unproven = [
        each if each.group != GROUPS[0] else replace(each, proof="sworn") for each in archives
    ]
    lost = removed(unproven, policy, now)
    assert lost.isdisjoint({each.name for each in unproven if each.group == GROUPS[0]})


@quick
@given(catalogs(), policies, clocks, just_made, st.randoms(use_true_random=False))
def test_each_archive_gets_one_verdict_with_a_reason_in_the_same_order_every_time(
    judge, archives, policy, now, published, random
):
    judged = judge(archives, policy, now, published=published)
    oldest_first = sorted(archives, key=lambda each: (each.created, each.name))
    assert [verdict.name for verdict in judged.verdicts] == [each.name for each in oldest_first]
    assert all(verdict.reason for verdict in judged.verdicts)
    assert judged.unreadable == ()
    random.shuffle(archives)
    assert judge(archives, policy, now, published=published) == judged


@quick
@given(catalogs(), policies, clocks)
def test_what_others_go_for_is_the_newest_proven_of_its_group_and_stays(
    judge, archives, policy, now
):
    judged = judge(archives, policy, now)
    lost = set(judged.removed)
    newest = {each[0].name for each in proven_groups(archives, policy.proof, now) if each}
    losing = {each.group for each in archives if each.name in lost}
    assert {each.group for each in archives if each.name in judged.foundations} == losing
    assert len(judged.foundations) == len(losing)
    assert set(judged.foundations) <= newest - lost


@quick
@given(catalogs(), policies, clocks)
def test_those_that_have_shrunk_do_not_change_what_becomes_of_the_others(
    removed, archives, policy, now
):
    others = [each for each in archives if not each.shrunk]
    assert removed(archives, policy, now) & names(others) == removed(others, policy, now)


@quick
@given(catalogs(), policies, clocks, st.integers(1, 9))
def test_however_often_a_run_is_tried_again_no_good_one_goes_for_it(
    removed, archives, policy, now, tries
):
    retries = [
        archive(f"retry{n}", NOW + timedelta(minutes=n), project=GROUPS[0][0], label=GROUPS[0][1])
        for n in range(tries)
    ]
    marked = [replace(each, shrunk=True, proof="equal") for each in retries]
    good = {each.name for each in archives if not each.shrunk}
    before = removed(archives, policy, now)
    assert removed([*archives, *marked], policy, now) & good == before & good


@quick
@given(catalogs(), policies, st.sampled_from(GROUPS))
def test_what_is_told_to_go_next_is_what_a_run_then_removes(judge, archives, policy, group):
    """But for what is dated ahead: by then, time will have come nearer to it."""
    past = [each for each in archives if each.created < NOW]
    told = judge(past, policy, upcoming="\n".join(group))
    project, label, database = group
    made = archive("new", NOW, project=project, label=label, database=database, proof=policy.proof)
    then = judge([*past, made], policy, published=made.name)
    assert told.removed == then.removed
