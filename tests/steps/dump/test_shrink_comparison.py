"""What shrink.awk takes for much less than before: under each awk that is here."""

import os
import subprocess
from datetime import timedelta

import pytest
from fabric_predeploy.remote.steps import text

from tests.steps.judging import AWKS, NOW, archive, manifest

PERCENT = {"shrink_bytes_percent": "50", "shrink_rows_percent": "90"}
SHOP = {"public.offers": 500, "public.shops": 40}


class Directory:
    def __init__(self, awk, path):
        self.awk, self.path, self.sizes = awk, path, {}

    def add(self, days_ago, rows=SHOP, *, size=1_000_000, facts=(), **changes):
        """An archive of that many days ago."""
        created = NOW - timedelta(days=days_ago)
        name = f"pricehawk-pre-deploy-v1-{created:%Y%m%d-%H%M%S}.dump"
        made = archive("x", created, bytes=size, present_bytes=size)
        told = manifest(made, **{"compress": "gzip:1", "client_version": "15.18", **changes})
        head = told.partition("rows=")[0]
        self.write(name, f"{head}{counts(rows)}{''.join(facts)}", size)
        return name

    def write(self, name, text, size):
        path = self.path / name.replace(".dump", ".manifest")
        path.write_text(text)
        self.sizes |= {name: size, path.name: len(text.encode())}

    def compare(self, rows=SHOP, *, size=1_000_000, **changes):
        (self.path / "facts").write_text(f"locale=C\nrole=owner\n{counts(rows)}")
        listing = "".join(
            f"-rw------- 1 0 0 {n} Mar 14 12:00 {each}\n" for each, n in self.sizes.items()
        )
        now = {
            "project": "pricehawk",
            "label": "pre-deploy",
            "db_name": "shop",
            "bytes": str(size),
        }
        now |= {"created": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "compress": "gzip:1"}
        now |= {"client_version": "15.18", "backup_dir": str(self.path), "run_dir": str(self.path)}
        done = subprocess.run(
            [*AWKS[self.awk], text("manifests.awk") + text("shrink.awk")],
            input=f"total 8\n{listing}listed=0\n",
            env={"LC_ALL": "C", "PATH": os.environ["PATH"], **now, **PERCENT, **changes},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()


def counts(rows):
    return "".join(f"rows={number} {table}\n" for table, number in rows.items())


def lost(told):
    return [line.removeprefix("lost=") for line in told if line.startswith("lost=")]


@pytest.fixture(params=AWKS)
def directory(request, tmp_path):
    return Directory(request.param, tmp_path)


# What is told.


def test_where_there_is_nothing_to_compare_with_nothing_is_said(directory):
    assert directory.compare() == []


def test_what_is_as_before_has_not_shrunk(directory):
    directory.add(1)
    assert directory.compare() == ["compared=1"]


def test_a_table_that_was_emptied_is_named(directory):
    directory.add(1)
    assert directory.compare({**SHOP, "public.offers": 0}) == [
        "compared=1",
        "lost=public.offers has 0 rows instead of at least 500 (-100 %)",
    ]


def test_a_table_that_has_lost_nearly_all_is_named_and_one_that_has_lost_less_is_not(directory):
    directory.add(1)
    assert lost(directory.compare({**SHOP, "public.offers": 51})) == []
    assert lost(directory.compare({**SHOP, "public.offers": 50})) == [
        "public.offers has 50 rows instead of at least 500 (-90 %)"
    ]


def test_a_few_rows_are_no_loss(directory):
    directory.add(1, {"public.flags": 9, "public.units": 10})
    assert lost(directory.compare({"public.flags": 0, "public.units": 10})) == []
    assert lost(directory.compare({"public.flags": 9, "public.units": 0})) == [
        "public.units has 0 rows instead of at least 10 (-100 %)"
    ]


def test_an_archive_of_less_than_half_the_size_is_told(directory):
    directory.add(1)
    assert directory.compare(size=500_001) == ["compared=1"]
    assert lost(directory.compare(size=500_000)) == [
        "the archive has 500000 bytes instead of about 1000000 (-50 %)"
    ]


def test_a_hundred_kilobytes_are_not_missed(directory):
    directory.add(1, size=100_000)
    assert directory.compare(size=1) == ["compared=1"]
    directory.add(1, size=100_001)
    assert len(lost(directory.compare(size=1))) == 1


def test_sizes_beyond_what_fits_into_32_bits_are_numbers_all_the_same(directory):
    many = 123_456_789_012_345
    directory.add(1, {"public.clicks": many}, size=many)
    assert lost(directory.compare({"public.clicks": 9_999_999_999}, size=8_888_888_888)) == [
        f"the archive has 8888888888 bytes instead of about {many} (-99 %)",
        f"public.clicks has 9999999999 rows instead of at least {many} (-99 %)",
    ]


def test_of_many_tables_the_five_that_lost_most_are_named_and_the_rest_is_counted(directory):
    tables = {f"public.t{n:03}": 100 + n for n in range(200)}
    directory.add(1, tables)
    told = lost(directory.compare(dict.fromkeys(tables, 0)))
    assert [line.split()[0] for line in told[:5]] == [f"public.t{n}" for n in range(199, 194, -1)]
    assert told[5:] == ["and 195 more tables have lost their rows"]


def test_names_are_whatever_a_database_allows(directory):
    odd = 'public."rows=7 $(x) `y` \\n %s é"'
    directory.add(1, {odd: 20, **SHOP})
    assert lost(directory.compare({odd: 0, **SHOP})) == [
        f"{odd} has 0 rows instead of at least 20 (-100 %)"
    ]


# What is gone: a migration drops tables on purpose, so only all together they count.


def test_a_table_that_is_gone_is_told_and_is_no_loss(directory):
    directory.add(1)
    assert directory.compare({"public.offers": 500}) == ["compared=1", "gone=public.shops"]


def test_of_many_that_are_gone_five_are_named(directory):
    directory.add(1, {**SHOP, **{f"public.p{n}": 10 for n in range(7)}, "public.none": 9})
    named = ", ".join(f"public.p{n}" for n in range(5))
    assert directory.compare() == ["compared=1", f"gone={named} and 2 more"]


def test_one_that_was_gone_before_is_not_told_again(directory):
    directory.add(2, {**SHOP, "public.old": 99})
    directory.add(1)
    assert directory.compare() == ["compared=2"]


def test_when_all_tables_are_gone_it_is_a_loss(directory):
    directory.add(1)
    told = directory.compare({})
    assert lost(told) == ["all tables together have 0 rows instead of at least 540 (-100 %)"]
    assert "gone=public.offers, public.shops" in told


# With what it is compared.


def test_an_odd_size_in_between_does_not_matter(directory):
    for days, size in enumerate([1_000_000, 100, 1_100_000, 9_000_000_000, 1_200_000], start=1):
        directory.add(days, size=size)
    assert "about 1100000 " in lost(directory.compare(size=200_000))[0]


def test_only_the_last_five_count(directory):
    directory.add(6, {"public.offers": 20}, size=2)
    for days in range(1, 6):
        directory.add(days)
    told = directory.compare({"public.offers": 2}, size=1)
    assert told[0] == "compared=5"
    assert "public.offers has 2 rows instead of at least 500 (-99 %)" in lost(told)


def test_a_table_that_comes_and_goes_is_held_against_its_fewest(directory):
    for days, rows in enumerate([800, 12, 300], start=1):
        directory.add(days, {"public.jobs": rows})
    assert lost(directory.compare({"public.jobs": 3})) == []
    assert "instead of at least 12 " in lost(directory.compare({"public.jobs": 0}))[0]


def test_that_a_table_was_not_filled_yet_says_nothing(directory):
    directory.add(3, {"public.offers": 0})
    directory.add(2, {})
    directory.add(1, {"public.offers": 500})
    assert "at least 500 " in lost(directory.compare({"public.offers": 0}))[0]


def test_one_that_has_shrunk_is_not_what_others_are_held_against(directory):
    directory.add(2)
    directory.add(1, {"public.offers": 0}, shrunk="yes")
    assert directory.compare({**SHOP, "public.offers": 0}, size=10)[0] == "compared=1"
    assert len(lost(directory.compare({**SHOP, "public.offers": 0}, size=10))) == 2


def test_what_was_accepted_is_the_measure_from_then_on(directory):
    for days in range(3, 9):
        directory.add(days)
    directory.add(2, {"public.offers": 0}, size=10, shrink_accepted="ci@runner")
    assert directory.compare({"public.offers": 0}, size=10) == ["compared=1"]
    directory.add(1, {"public.offers": 500}, size=1_000_000)
    assert directory.compare({"public.offers": 0}, size=1_000_000) == ["compared=2"]


@pytest.mark.parametrize(
    "changes",
    [
        {"project": "dove"},
        {"label": "on-host"},
        {"database": "stats"},
        {"proof": "failed"},
        {"format": "2"},
        {"shrunk": "maybe"},
        {"created": "2025-03-13T12:00:01Z"},
        {"sha256": None},
        {"bytes": "999999"},
    ],
)
def test_what_is_of_others_damaged_or_cannot_be_trusted_is_not_compared_with(directory, changes):
    directory.add(1, **changes)
    assert directory.compare({}, size=1) == []


def test_one_dated_in_the_future_is_not_compared_with(directory):
    directory.add(-1)
    assert directory.compare({}, size=1) == []


def test_manifests_that_are_cut_empty_gone_or_no_text_are_passed_over(directory):
    cut, empty, gone, odd = (directory.add(days) for days in (1, 2, 3, 4))
    directory.add(5)
    for name, content in ((cut, b"format=1\n"), (empty, b""), (odd, b"\xff\xfe\n" * 90)):
        path = directory.path / name.replace(".dump", ".manifest")
        path.write_bytes(content)
        directory.sizes[path.name] = len(content)
    (directory.path / gone.replace(".dump", ".manifest")).unlink()
    assert directory.compare()[0] == "compared=1"


def test_lines_of_rows_that_are_no_numbers_are_passed_over(directory):
    odd = ("rows= public.a\n", "rows=x public.b\n", "rows=7\n", "content=rows:5 public.c\n")
    directory.add(1, facts=odd)
    assert directory.compare() == ["compared=1"]


def test_an_archive_of_a_version_that_counted_no_rows_is_compared_by_its_size(directory):
    directory.add(1, {})
    assert directory.compare({}) == ["compared=1"]
    assert len(lost(directory.compare(size=1))) == 1


@pytest.mark.parametrize("other", [{"compress": "none"}, {"client_version": "17.6"}])
def test_sizes_are_compared_with_those_of_the_same_compression_alone(directory, other):
    directory.add(1, size=9_000_000, **other)
    assert lost(directory.compare()) == []
    directory.add(2, client_version="15.2")
    assert "about 1000000 " in lost(directory.compare(size=3))[0]
    assert lost(directory.compare({**SHOP, "public.offers": 0}))


# Settings.


def test_each_threshold_can_be_another_or_off(directory):
    directory.add(1)
    now = {"rows": {**SHOP, "public.offers": 350}, "size": 700_000}
    assert lost(directory.compare(**now)) == []
    assert len(lost(directory.compare(**now, shrink_bytes_percent="30"))) == 1
    assert len(lost(directory.compare(**now, shrink_rows_percent="30"))) == 1
    assert len(lost(directory.compare({}, size=1, shrink_bytes_percent="0"))) == 1
    assert len(lost(directory.compare({}, size=1, shrink_rows_percent="0"))) == 1
    assert lost(directory.compare({"public.offers": 1}, shrink_rows_percent="100")) == []


def test_a_table_that_could_not_be_counted_is_neither_gone_nor_shrunk(directory):
    directory.add(1, rows={"public.a": 1000, "public.b": 10})
    assert directory.compare(rows={"public.a": "unknown", "public.b": 10}) == ["compared=1"]


def test_what_was_counted_beside_an_unknown_table_is_compared(directory):
    directory.add(1, rows={"public.a": "unknown", "public.b": 1000})
    assert lost(directory.compare(rows={"public.a": 1, "public.b": 1}))[0].startswith("public.b")
    assert lost(directory.compare(rows={"public.a": "unknown", "public.b": 1}))
