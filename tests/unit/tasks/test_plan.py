"""What a restore would do is made of facts alone: rows, the way to go, the time, text and data."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from fabric_predeploy.config.loading import load
from fabric_predeploy.remote._door.report import Report
from fabric_predeploy.remote.facts import Facts
from fabric_predeploy.tasks._restore.plan import Rows, planned
from fabric_predeploy.tasks._restore.plan_text import as_data, as_text

ARCHIVE = {
    "file": "/backups/shop-v1.dump",
    "version": "v1.0.0",
    "git_commit": "0123456789abcdef",
    "database": "shop",
    "created": "2025-03-14T12:34:56Z",
    "proof": "read",
    "bytes": "2000000",
    "dump_seconds": "4",
    "client_version": "16.4",
    "server_version": "15.8",
    "reader_version": "17.1",
    "relations": "3",
}
NO_SWAP = ("swap_obstacle", "owner may not create databases")


@pytest.fixture
def plan(tmp_path):
    environ = {"DB_NAME": "shop", "DB_USER": "owner"}
    settings = load("web1", environ=environ, directory=tmp_path)

    def make(
        *, told=(), rehearsed=(), mode=None, terminate=False, relations_now="3", ours="5", **more
    ):
        facts = {
            "archive": [*{**ARCHIVE, **more}.items()],
            "preflight": [("server_version", "15.8"), ("relations", relations_now)],
            "rehearse": [*rehearsed, ("ours", ours)],
            "plan": [*told],
        }
        return planned("web1", settings, Report(facts, 0), mode, terminate)

    return make


def test_rows_are_lost_where_there_are_more_now_than_then():
    assert Rows("t", 5, 7).lost == 2
    assert Rows("t", 7, 5).lost == 0
    assert Rows("t", None, 3).lost == 3
    assert Rows("t", 3, None).lost == 0


def test_tables_are_matched_by_their_whole_name(plan):
    told = [("rows", "5 public.a b"), ("rows", "1 public.gone"), ("now", "7 public.a b")]
    rows = plan(told=[*told, ("now", '2 public."new"')]).rows
    assert rows == (
        Rows('public."new"', None, 2),
        Rows("public.a b", 5, 7),
        Rows("public.gone", 1, None),
    )


@pytest.mark.parametrize(
    ("told", "relations", "lost"),
    [
        ([("rows", "5 a"), ("now", "5 a")], "3", "no rows, by their number"),
        ([("rows", "5 a"), ("now", "6 a")], "3", "1 row in 1 table"),
        ([("rows", "5 a"), ("now", "7 a"), ("now", "1 b")], "3", "3 rows in 2 tables"),
        ([("now", "7 a")], "3", "unknown: the archive tells nothing of its rows"),
        ([("now", "7 a")], "0", "7 rows in 1 table"),
    ],
)
def test_what_is_lost_is_told_in_numbers_where_the_archive_has_them(plan, told, relations, lost):
    assert plan(told=told, relations=relations).lost == lost


def test_a_swap_is_made_where_the_role_may_and_is_alone(plan):
    assert plan().mode == "swap"
    assert plan(told=[("session", "pid 7")], terminate=True).mode == "swap"


def test_a_transaction_is_made_where_a_swap_cannot_be(plan):
    made = plan(rehearsed=[NO_SWAP])
    assert (made.mode, made.why) == ("transaction", "no swap: owner may not create databases")
    assert made.refusals == ()


def test_a_transaction_is_made_where_others_are_connected_unless_only_a_swap_can(plan):
    others = [("session", "pid 7, role reader")]
    assert plan(told=others).mode == "transaction"
    only_swap = [("transaction_obstacle", "too many locks")]
    assert plan(told=others, rehearsed=only_swap).mode == "swap"


def test_the_way_that_was_asked_for_is_taken_and_judged_by_its_own_obstacles(plan):
    made = plan(rehearsed=[NO_SWAP], mode="swap")
    assert (made.mode, made.why) == ("swap", "as asked for by --mode")
    assert made.refusals == ("owner may not create databases",)


def test_what_stands_in_every_way_is_told_of_both(plan):
    both = ("obstacle", "f() is leakproof")
    made = plan(rehearsed=[both, NO_SWAP, ("transaction_obstacle", "a view of theirs")])
    assert made.obstacles == {
        "swap": ("f() is leakproof", "owner may not create databases"),
        "transaction": ("f() is leakproof", "a view of theirs"),
    }
    assert as_data(made)["refused"] is True


@pytest.mark.parametrize(
    ("earlier", "seconds"),
    [
        ([], 8),  # twice what the dump took
        (["1000000 3"], 6),
        (["1000000 3", "3000000 1"], 2),
        (["0 0"], 8),
    ],
)
def test_the_time_is_estimated_by_earlier_restores_or_else_by_the_dump(plan, earlier, seconds):
    assert plan(told=[("earlier", line) for line in earlier]).estimate_seconds == seconds


def test_without_anything_to_go_by_the_time_is_unknown(plan):
    made = plan(dump_seconds="")
    assert made.estimate_seconds is None
    assert "time      unknown" in as_text(made)


@pytest.mark.parametrize(
    ("relations", "ours", "empty"), [("0", "0", True), ("1", "0", False), ("0", "1", False)]
)
def test_a_database_is_empty_where_there_are_no_relations_and_nothing_of_ours(
    plan, relations, ours, empty
):
    assert plan(relations_now=relations, ours=ours).empty is empty


def test_the_text_tells_what_of_whom_onto_what(plan):
    text = as_text(plan(rehearsed=[("disappears", "table public.added"), NO_SWAP]))
    assert text.startswith("Restore the database shop on web1\n")
    for part in (
        "/backups/shop-v1.dump",
        "v1.0.0, git 0123456789ab, of the database shop, taken 2025-03-14T12:34:56Z (",
        "days ago), proof read, 2.0 MB",
        "pg_dump 16.4, of a server 15.8; the server is 15.8, pg_restore here 17.1",
        "transaction (no swap: owner may not create databases)",
        "about 8 seconds",
        "DB_NAME=shop  (environment)",
        "DB_PORT=5432  (default)",
        "These are there now and will disappear:\n  - table public.added",
    ):
        assert part in text
    assert "This role cannot do it" not in text


@pytest.mark.parametrize(
    ("age", "told"),
    [
        (timedelta(seconds=1), "second"),
        (timedelta(seconds=90), "(1 minute ago)"),
        (timedelta(hours=5), "(5 hours ago)"),
        (timedelta(days=1, hours=3), "(1 day ago)"),
        (timedelta(days=-1), "(0 seconds ago)"),  # by the host's clock
    ],
)
def test_an_age_is_told_in_its_largest_unit(plan, age, told):
    created = (datetime.now(timezone.utc) - age).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert told in as_text(plan(created=created))


def test_a_file_that_tells_little_of_itself_is_described_by_what_there_is(plan):
    little = {"version": "", "git_commit": "", "created": "2025-03-14 12:34:56 UTC", "proof": ""}
    made = plan(**little)
    bare = {key: value for key, value in made.archive.items() if key not in little}
    made = replace(made, archive=Facts({**bare, "created": little["created"]}.items()))
    text = as_text(made)
    assert "no version, of the database shop, taken 2025-03-14 12:34:56 UTC, proof none" in text


def test_of_many_tables_those_that_lose_most_come_first_and_the_rest_is_counted(plan):
    told = [("rows", f"0 t{n:02}") for n in range(30)]
    told += [("now", f"{n} t{n:02}") for n in range(30)]
    lines = as_text(plan(told=told)).splitlines()
    header = next(n for n, line in enumerate(lines) if "IN THE ARCHIVE" in line)
    assert lines[header + 1].split() == ["t29", "0", "29", "29"]
    assert lines[header + 21] == "    … and 9 more tables: --json tells all"


def test_long_lists_are_cut_in_the_text_and_whole_in_the_data(plan):
    made = plan(rehearsed=[("disappears", f"table t{n}") for n in range(25)])
    assert "  … and 5 more: --json tells all" in as_text(made)
    assert len(as_data(made)["disappears"]) == 25


def test_the_data_are_valid_json_and_say_what_the_text_says(plan):
    told = [("rows", "5 a"), ("now", "7 a"), ("session", "pid 7")]
    data = json.loads(json.dumps(as_data(plan(told=told, rehearsed=[NO_SWAP]))))
    assert data["rows"] == {"a": {"then": 5, "now": 7, "lost": 2}}
    assert data["lost"] == "2 rows in 1 table"
    assert data["sessions"] == ["pid 7"]
    assert data["settings"]["DB_USER"] == {"value": "owner", "from": "environment"}
    assert (data["server_version"], data["client_version"]) == ("15.8", "17.1")
    assert data["archive"]["git_commit"] == "0123456789abcdef"
    assert data["refused"] is False


def test_an_archive_of_another_database_is_known(plan):
    assert plan(database="staging").other_database
    assert not plan().other_database


def test_a_table_that_the_dump_could_not_count_is_named_and_loses_no_number_of_rows(plan):
    told = [("rows", "unknown public.a"), ("now", "7 public.a"), ("there", "public.a")]
    made = plan(told=told)
    assert made.lost == "at least 0 rows; not counted: public.a"
    assert as_data(made)["not_counted"] == ["public.a"]
