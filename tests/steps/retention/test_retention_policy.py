"""Which archives go: restic's rules, except that what was not proven counts for nothing."""

from datetime import timedelta

import pytest

from tests.steps.judging import AWKS, NOW, Judge, Policy, archive, at, full, manifest, short


@pytest.fixture(scope="session", params=AWKS)
def judge(request):
    return Judge(request.param)


def gone(judge, archives, policy, **more):
    return [short(name) for name in judge(archives, policy, **more).removed]


def why(judge, archives, policy, **more):
    verdicts = judge(archives, policy, **more).verdicts
    return {short(each.name): (each.keep, each.reason) for each in verdicts}


WEEK = [at(f"2025-03-{day:02}T12") for day in range(8, 15)]


def test_keep_last_keeps_the_newest(judge):
    assert gone(judge, WEEK, Policy(keep_last=5)) == ["2025-03-08T12", "2025-03-09T12"]
    assert gone(judge, WEEK, Policy(keep_last=7)) == []
    assert gone(judge, WEEK, Policy(keep_last=100)) == []


def test_what_goes_is_listed_oldest_first_in_whatever_order_it_came(judge):
    policy = Policy(keep_last=1)
    assert judge(WEEK[::-1], policy) == judge(WEEK, policy)
    assert gone(judge, WEEK[::-1], policy) == sorted(gone(judge, WEEK, policy))


def test_a_later_archive_of_a_lower_version_or_name_is_the_newer_one(judge):
    v9 = archive("v1.9", NOW - timedelta(hours=1))
    v10 = archive("v1.10", NOW)
    assert gone(judge, [v9, v10], Policy(keep_last=1)) == ["v1.9"]


def test_of_archives_of_the_same_second_the_name_decides(judge):
    assert gone(judge, [archive("b"), archive("c"), archive("a")], Policy(keep_last=2)) == ["a"]


def test_keep_days_keeps_what_is_younger_and_not_what_is_just_as_old(judge):
    second = timedelta(seconds=1)
    two_days = timedelta(days=2)
    archives = [
        archive("older", NOW - two_days - second),
        archive("just", NOW - two_days),
        archive("younger", NOW - two_days + second),
        archive("newest"),
    ]
    assert gone(judge, archives, Policy(keep_last=0, keep_days=2)) == ["older", "just"]


def test_keep_days_of_any_length_is_no_overflow(judge):
    assert gone(judge, WEEK, Policy(keep_last=1, keep_days=10**30)) == []


def test_keep_daily_keeps_the_newest_of_each_day_in_utc(judge):
    archives = [
        at(f"2025-03-{hour}")
        for hour in ("12T00", "12T23", "13T00", "13T01", "13T23", "14T00", "14T11")
    ]
    assert gone(judge, archives, Policy(keep_last=0, keep_daily=2)) == [
        "2025-03-12T00",
        "2025-03-12T23",
        "2025-03-13T00",
        "2025-03-13T01",
        "2025-03-14T00",
    ]


def test_days_without_an_archive_do_not_count(judge):
    archives = [at("2023-01-01T12"), at("2024-01-01T12"), at("2025-01-01T12"), at("2025-03-14T11")]
    assert gone(judge, archives, Policy(keep_last=0, keep_daily=3)) == ["2023-01-01T12"]


def test_weeks_are_iso_weeks_that_start_on_monday_and_ignore_new_year(judge):
    archives = [
        at("2024-12-29T12"),  # Sunday of 2024-W52
        at("2024-12-30T12"),  # Monday of 2025-W01
        at("2025-01-01T12"),
        at("2025-01-05T12"),  # Sunday of 2025-W01
        at("2025-01-06T12"),
    ]
    policy = Policy(keep_last=0, keep_weekly=3)
    assert gone(judge, archives, policy) == ["2024-12-30T12", "2025-01-01T12"]
    assert why(judge, archives, policy)["2025-01-05T12"] == (True, "weekly: newest of 2025-W01")


def test_keep_monthly_keeps_the_newest_of_each_month_of_its_year(judge):
    archives = [
        at("2024-03-31T12"),
        at("2025-01-31T12"),
        at("2025-02-01T12"),
        at("2025-02-28T12"),
        at("2025-03-01T12"),
    ]
    assert gone(judge, archives, Policy(keep_last=0, keep_monthly=4)) == ["2025-02-01T12"]
    assert gone(judge, archives, Policy(keep_last=0, keep_monthly=3)) == [
        "2024-03-31T12",
        "2025-02-01T12",
    ]


def test_an_archive_stays_if_any_rule_keeps_it(judge):
    policy = Policy(keep_last=1, keep_days=3, keep_monthly=2)
    archives = [at("2025-01-31T12"), at("2025-02-27T12"), at("2025-02-28T12"), *WEEK]
    assert gone(judge, archives, policy) == [
        "2025-01-31T12",
        "2025-02-27T12",
        "2025-03-08T12",
        "2025-03-09T12",
        "2025-03-10T12",
        "2025-03-11T12",
    ]


def test_a_person_reads_why_each_stays_or_goes(judge):
    policy = Policy(keep_last=1, keep_days=2, keep_daily=2, keep_weekly=1, keep_monthly=1)
    verdicts = why(judge, WEEK, policy)
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


def test_an_unproven_archive_counts_for_nothing_and_goes_once_a_newer_one_is_proven(judge):
    archives = [
        archive("old", NOW - timedelta(days=3)),
        archive("unproven", NOW - timedelta(days=2), proof="written"),
        archive("damaged", NOW - timedelta(days=1), present_bytes=10),
        archive("new", NOW),
    ]
    verdicts = why(judge, archives, Policy(keep_last=2))
    assert verdicts["old"] == (True, "among the newest 2")
    newer = f"newer proven archive {full('new')} exists"
    assert verdicts["unproven"] == (False, f"unproven (written), {newer}")
    assert verdicts["damaged"] == (False, f"damaged: 10 of 20 bytes, {newer}")


def test_an_unproven_archive_that_is_newer_than_all_proven_ones_stays(judge):
    archives = [archive("proven", NOW - timedelta(days=1)), archive("new", NOW, proof="written")]
    stays = (True, "unproven (written), but no newer proven archive exists")
    assert why(judge, archives, Policy(keep_last=1))["new"] == stays


def test_a_policy_that_demands_less_counts_what_is_only_written(judge):
    archives = [archive("a", proof="written"), archive("b", proof="written")]
    assert gone(judge, archives, Policy(keep_last=1, proof="read")) == []
    assert gone(judge, archives, Policy(keep_last=1, proof="written")) == ["a"]


def test_the_newest_of_the_best_grade_stays_though_newer_ones_are_good_enough(judge):
    archives = [
        archive("a", proof="read"),
        archive("b", proof="read"),
        archive("c", proof="written"),
        archive("d", proof="written"),
    ]
    policy = Policy(keep_last=1, proof="written")
    assert gone(judge, archives, policy) == ["a", "c"]
    assert why(judge, archives, policy)["b"] == (True, "newest of the best grade (read)")


def test_a_pinned_archive_stays_in_any_condition(judge):
    archives = [
        archive("a", pinned=True),
        archive("b", pinned=True, proof="written"),
        archive("c", pinned=True, present_bytes=0),
        archive("d"),
        archive("e"),
    ]
    assert gone(judge, archives, Policy(keep_last=1)) == ["d"]
    assert why(judge, archives, Policy(keep_last=1))["b"] == (True, "pinned")


def test_the_archive_just_made_stays_though_the_clock_jumped_back(judge):
    archives = [archive("a-just-made", NOW - timedelta(days=999)), *WEEK]
    policy = Policy(keep_last=2)
    assert "a-just-made" in gone(judge, archives, policy)
    published = full("a-just-made")
    assert "a-just-made" not in gone(judge, archives, policy, published=published)
    assert why(judge, archives, policy, published=published)["a-just-made"] == (True, "just made")


def test_archives_from_the_future_stay_and_push_no_other_out(judge):
    future = [archive("y", NOW + timedelta(days=400)), archive("z", NOW + timedelta(days=500))]
    present = [archive("a", NOW - timedelta(days=1)), archive("b", NOW + timedelta(minutes=1))]
    assert gone(judge, [*present, *future], Policy(keep_last=1)) == ["a"]
    assert gone(judge, [*present, *future], Policy(keep_last=0, keep_days=1)) == ["a"]


def test_each_project_label_and_database_keeps_its_own(judge):
    archives = [
        archive("a"),
        archive("b"),
        archive("other-project", project="x"),
        archive("other-label", label="x"),
        archive("other-database", database="x"),
    ]
    assert gone(judge, archives, Policy(keep_last=1)) == ["a"]


def test_nothing_expires_from_nothing(judge):
    assert judge([], Policy(keep_last=1)).verdicts == ()


def test_the_archive_that_others_go_for_is_named_once_for_each_group(judge):
    archives = [
        *(archive(name) for name in "abc"),
        *(archive(name, project="x") for name in "de"),
        archive("f", project="y"),
    ]
    assert judge(archives, Policy(keep_last=1)).foundations == (full("c"), full("e"))


def test_an_archive_that_is_to_come_pushes_out_what_it_will_push_out(judge):
    group = "pricehawk\npre-deploy\nshop"
    archives = [*WEEK[-3:], archive("z", proof="written"), archive("x", project="x")]
    policy = Policy(keep_last=3)
    assert gone(judge, archives, policy) == []
    assert gone(judge, archives, policy, upcoming=group) == ["2025-03-12T12", "z"]
    told = why(judge, archives, policy, upcoming=group)
    assert set(told) == {short(each.name) for each in archives}
    assert told["z"] == (
        False,
        "unproven (written), newer proven archive of the next run exists",
    )


def test_time_that_a_run_has_taken_is_added_to_the_time_of_its_beginning(judge):
    archives = [at("2025-03-14T11"), archive("new", NOW + timedelta(hours=2))]
    policy = Policy(keep_last=1)
    assert gone(judge, archives, policy) == []
    assert gone(judge, archives, policy, elapsed_seconds="7200") == ["2025-03-14T11"]


@pytest.mark.parametrize(
    ("nonsense", "complaint"),
    [
        ({}, "must keep something"),
        ({"max_backups": "0", "keep_daily": "0"}, "must keep something"),
        ({"max_backups": "-1"}, "whole number"),
        ({"max_backups": "-1", "keep_days": "3"}, "whole number"),
        ({"max_backups": "5", "keep_days": "1e3"}, "whole number"),
        ({"max_backups": "5", "keep_daily": "-1"}, "whole number"),
        ({"max_backups": "5", "keep_weekly": " 1"}, "whole number"),
        ({"max_backups": "5", "keep_monthly": "x"}, "whole number"),
        ({"max_backups": "5", "proof": "sworn"}, "no grade of proof sworn"),
        ({"max_backups": "5", "proof": ""}, "no grade of proof"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(judge, tmp_path, nonsense, complaint):
    variables = {"now": "2025-03-14T12:00:00Z", "proof": "read", **nonsense}
    done = judge.run("total 0\n", tmp_path, **variables)
    assert done.returncode != 0
    assert complaint in done.stderr
    assert done.stdout == ""


# What is no archive of ours, or cannot be trusted, is left alone.

POLICY = Policy(keep_last=1)
OLD = archive("old", NOW - timedelta(days=1))


def beside_a_newer_one(judge, tmp_path, text, name=OLD.name, size=20, listed=None):
    """The judgement on an archive that would go if its manifest, this text, were good."""
    sizes = {}
    for each, content in ((name, text), (full("z"), manifest(archive("z")))):
        file = each.replace(".dump", ".manifest")
        (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        sizes[each] = size
        sizes[file] = (tmp_path / file).stat().st_size
    sizes.update(listed or {})
    return judge.directory(tmp_path, sizes, POLICY)


UNREADABLE = [
    *({key: None} for key in ("format", "project", "label", "version", "database", "created")),
    *({key: None} for key in ("bytes", "sha256", "proof")),
    *({key: ""} for key in ("project", "label", "version", "database", "proof", "pinned")),
    *({"format": text} for text in ("2", "01", "1.0", "")),
    *({"pinned": text} for text in ("maybe", "YES")),
    *({"bytes": text} for text in ("", "-20", "2e1", "0x14", " 20", "20 ", "1" * 19)),
    *({"sha256": text} for text in ("ab" * 31, "ab" * 33, "AB" * 32, "gg" * 32)),
    {"dump_seconds": "x"},
    {"toc_entries": ""},
    {"relations": "-1"},
    {"database_bytes": "1" * 19},
    {"present_bytes": "20"},
    {"archive": "other.dump"},
]


@pytest.mark.parametrize("changes", UNREADABLE, ids=str)
def test_what_the_manifest_lacks_or_garbles_makes_it_unreadable(judge, tmp_path, changes):
    judged = beside_a_newer_one(judge, tmp_path, manifest(OLD, **changes))
    assert judged.unreadable == (full("old"),)
    assert judged.removed == []


@pytest.mark.parametrize(
    ("time", "is_one"),
    [
        ("2024-02-29T00:00:00Z", True),
        ("2000-02-29T23:59:59Z", True),
        ("2025-02-29T00:00:00Z", False),
        ("1900-02-29T00:00:00Z", False),
        ("2024-12-31T00:00:00Z", True),
        ("2024-12-32T00:00:00Z", False),
        ("2024-11-31T00:00:00Z", False),
        ("2024-00-01T00:00:00Z", False),
        ("2024-13-01T00:00:00Z", False),
        ("2024-01-00T00:00:00Z", False),
        ("2024-01-01T24:00:00Z", False),
        ("2024-01-01T00:60:00Z", False),
        ("2024-01-01T00:00:60Z", False),
        ("0000-01-01T00:00:00Z", False),
        ("2024-01-01T00:00:00", False),
        ("2024-01-01 00:00:00Z", False),
        ("x2024-01-01T00:00:00Z", False),
    ],
)
def test_a_time_is_a_day_of_the_calendar(judge, tmp_path, time, is_one):
    judged = beside_a_newer_one(judge, tmp_path, manifest(OLD, created=time))
    assert (judged.removed, judged.unreadable) == (
        ([full("old")], ()) if is_one else ([], (full("old"),))
    )


GOOD = manifest(OLD)
SPOILT = {
    "a line twice": f"{GOOD}version=v2\n",
    "a line of no key twice": f"{GOOD}=\n=\n",
    "empty": "",
    "zeros": bytes(len(GOOD)),
    "a zero in a value": GOOD.replace(":00Z\n", ":00\0Z\n"),
    "half of it zeros": GOOD.encode()[: len(GOOD) // 2] + bytes(len(GOOD) // 2),
}


@pytest.mark.parametrize("text", SPOILT.values(), ids=SPOILT)
def test_a_manifest_that_the_disk_has_spoilt_is_unreadable(judge, tmp_path, text):
    judged = beside_a_newer_one(judge, tmp_path, text)
    assert (judged.removed, judged.unreadable) == ([], (full("old"),))


def test_a_zero_behind_a_value_does_not_mix_up_names(judge, tmp_path):
    """Some awks take it for a line's end, to some it is a character."""
    judged = beside_a_newer_one(judge, tmp_path, GOOD.replace("Z\n", "Z\0\n"))
    assert [*judged.removed, *judged.unreadable] == [full("old")]


def test_a_manifest_that_was_not_read_to_its_end_is_unreadable(judge, tmp_path):
    listed = {full("old").replace(".dump", ".manifest"): len(GOOD) + 5}
    judged = beside_a_newer_one(judge, tmp_path, GOOD, listed=listed)
    assert (judged.removed, judged.unreadable) == ([], (full("old"),))


@pytest.mark.parametrize(
    "text",
    [
        GOOD.removesuffix("\n"),
        f"{GOOD}a line that is none\n",
        f"{GOOD}warning=w\nwarning=w\nmissing=m\nmissing=m\n",
        GOOD.replace("bytes=20", "bytes=00020"),
        GOOD.replace("pinned=no\n", ""),
        f"{GOOD}comment=% $x \\n\n",
    ],
)
def test_what_else_a_manifest_holds_does_no_harm(judge, tmp_path, text):
    assert beside_a_newer_one(judge, tmp_path, text).removed == [full("old")]


@pytest.mark.parametrize(
    "name",
    [
        "by-hand.dump",
        "-rf-20250314-120000.dump",
        ".old-20250314-120000.dump",
        "old-20250314-12000.dump",
        "old-20250314-120000.dumps",
        "old 20250314-120000.dump",
        "old of-20250314-120000.dump",
        " old-20250314-120000.dump",
        "old\t-20250314-120000.dump",
        "ö-20250314-120000.dump",
    ],
)
def test_files_with_names_of_others_are_not_looked_at(judge, tmp_path, name):
    judged = beside_a_newer_one(judge, tmp_path, GOOD, name=name)
    assert [each.name for each in judged.verdicts] == [full("z")]
    assert judged.unreadable == ()


def test_a_name_with_a_line_break_does_not_pass_for_another_size(judge, tmp_path):
    forged = f"x\n-rw------- 1 0 0 5 Mar 14 12:00 {full('old')}"
    judged = beside_a_newer_one(judge, tmp_path, GOOD, listed={forged: 7})
    assert (judged.removed, judged.unreadable) == ([], (full("old"),))


def test_sizes_of_18_digits_are_told_apart(judge, tmp_path):
    text = GOOD.replace("bytes=20", f"bytes={10**17 + 1}")
    judged = beside_a_newer_one(judge, tmp_path, text, listed={full("old"): 10**17})
    assert judged.verdicts[0].reason.startswith(f"damaged: {10**17} of {10**17 + 1} bytes")
