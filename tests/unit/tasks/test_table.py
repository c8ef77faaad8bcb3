"""How the archives read: beside each other, in the width that there is."""

import io
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from fabric_predeploy.config.harmless import harmless
from fabric_predeploy.remote.catalog import Archive
from fabric_predeploy.tasks._history.table import as_data, as_table, entries, sparkline
from fabric_predeploy.tasks._show.units import age, duration

NOW = datetime(2025, 3, 14, 12, tzinfo=timezone.utc)


def archive(version="v1.0.0", hours_ago=1, size=1000, label="pre-deploy", **fields):
    created = NOW - timedelta(hours=hours_ago)
    facts = {"dump_seconds": "75", "git_commit": "0123456789abcdef" * 2, **fields.pop("facts", {})}
    return Archive(
        name=f"pricehawk-{label}-{version}-{created:%Y%m%d-%H%M%S}.dump",
        project="pricehawk",
        label=label,
        version=version,
        database="shop",
        created=created,
        bytes=size,
        present_bytes=fields.pop("present_bytes", size),
        sha256="0" * 64,
        proof=fields.pop("proof", "read"),
        facts=facts,
        **fields,
    )


def table(*archives, expiring=None, columns=None, limit=1000):
    everything = entries(archives, NOW, expiring or {})
    return as_table(everything[-limit:], everything, columns)


def row(text, name):
    (line,) = (line for line in text.splitlines() if name in line)
    return line


@pytest.fixture(params=["utf-8", "ascii"])
def bars(request, monkeypatch):
    """Draws sizes for a reader of that encoding; and how it draws nothing, half, and all."""

    def draw(sizes):
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=request.param))
        return sparkline(sizes)

    return draw, {"utf-8": "▁▅█", "ascii": "_=#"}[request.param]


def test_each_archive_is_a_row_with_all_that_is_asked_of_it():
    first, second = archive("v1.0.0", 50, 1000), archive("v1.1.0", 3, 1500, pinned=True)
    text = table(first, second, expiring={first.name: "beyond the newest 1"})
    told = ["2d", "1.0", "kB", "-", "1:15", "read", "goes", "next", "0123456", "v1.0.0", first.name]
    assert row(text, first.name).split() == told
    told = ["3h", "1.5", "kB", "+50.0%", "1:15", "read", "pinned", "0123456", "v1.1.0", second.name]
    assert row(text, second.name).split() == told


def test_a_typical_name_stands_beside_the_rest_within_120_columns():
    text = table(archive("v1.10.12", 30, 123_456_789), archive("v1.10.13", 3, 223_456_789))
    assert max(map(len, text.splitlines())) <= 120
    assert table(archive("v1.10.12"), columns=120).count("\n") == 2


@pytest.mark.parametrize("columns", [80, 100])
def test_in_less_room_each_name_has_a_line_of_its_own(columns):
    long = archive("v1.10.12-314-g0123456789-dirty", 3, 223_456_789)
    text = table(archive("v1.10.12", 30, 123_456_789), long, columns=columns)
    assert f"\n  {long.name}" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_change_is_against_the_one_before_of_the_same_group():
    mine, other, next_one = (
        archive("v1", 3, 1000),
        archive("v1", 2, 10, label="pre-restore"),
        archive("v2", 1, 900),
    )
    changes = [entry.change_bytes for entry in entries([mine, other, next_one], NOW, {})]
    assert changes == [None, None, -100]


def test_an_archive_before_the_limit_is_still_what_the_first_shown_is_compared_with():
    text = table(archive("v1", 3, 1000), archive("v2", 2, 1100), limit=1)
    assert "+10.0%" in text
    assert "v1" not in text


def test_the_group_with_the_newest_archive_comes_last_and_its_newest_at_its_end():
    text = table(
        archive("v1", 4), archive("v1", 3, label="pre-restore"), archive("v2", 2), archive("v3", 1)
    )
    names = [line.split()[-1] for line in text.splitlines() if line.endswith(".dump")]
    assert [name.split("-2025")[0] for name in names] == [
        "pricehawk-pre-restore-v1",
        "pricehawk-pre-deploy-v1",
        "pricehawk-pre-deploy-v2",
        "pricehawk-pre-deploy-v3",
    ]


def test_one_that_has_shrunk_is_shown_as_such():
    shrunk = archive(shrunk=True)
    assert " read, shrunk " in row(table(shrunk), shrunk.name)
    assert as_data(entries([shrunk], NOW, {})[0])["shrunk"] is True


def test_a_damaged_archive_is_shown_as_such():
    damaged = archive(size=1000, present_bytes=999)
    assert " damaged " in row(table(damaged), damaged.name)


@pytest.mark.parametrize("size", [0, 1000])
def test_archives_without_commit_duration_or_bytes_are_shown_all_the_same(size):
    bare = archive("v1", 2, size, facts={"git_commit": ""})
    del bare.facts["dump_seconds"]
    after = archive("v2", 1, 1000)
    text = table(bare, after)
    assert row(text, bare.name).split()[3:7] == ["-", "-", "read", "-"]
    assert row(text, after.name).split()[3] == ("-" if size == 0 else "+0.0%")


def test_what_a_manifest_says_gives_no_orders_to_the_terminal():
    order = "\x1b[2J"
    spoilt = replace(archive(proof=order, facts={"git_commit": order}), version=order)
    assert "\x1b" not in table(replace(spoilt, project=order, label=order, database=order))


def test_a_sparkline_shows_half_the_size_as_half_a_bar(bars):
    draw, (nothing, half, everything) = bars
    assert draw([0, 500, 1000]) == nothing + half + everything
    assert draw([0]) == nothing
    assert draw([7]) == everything


def test_a_sparkline_of_thousands_shows_the_newest(bars):
    draw, (nothing, _, everything) = bars
    assert draw([1000] * 3000 + [0]) == 59 * everything + nothing


def test_data_tell_the_same_in_numbers():
    first, second = archive("v1", 2, 1000), archive("v2", 1, 900)
    data = [as_data(each) for each in entries([first, second], NOW, {first.name: "why"})]
    assert [each["age_seconds"] for each in data] == [7200, 3600]
    assert [each["change_bytes"] for each in data] == [None, -100]
    assert [each["expires_next"] for each in data] == [True, False]
    assert [each["expires_reason"] for each in data] == ["why", ""]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0s"), (59.9, "59s"), (60, "1m"), (7199, "1h"), (86_400, "1d"), (-7200, "in 2h")],
)
def test_an_age_is_one_number(seconds, told):
    assert age(seconds) == told


@pytest.mark.parametrize(("seconds", "told"), [(3, "3 s"), (75, "1:15"), (3661, "1:01:01")])
def test_a_duration_reads_as_a_clock(seconds, told):
    assert duration(seconds) == told


def test_what_a_terminal_would_obey_is_spelt_out():
    assert harmless("a\tb\x1b[31m\x07\r\x9b\u202ec é") == r"a" "\t" r"b\x1b[31m\x07\r\x9b\u202ec é"
