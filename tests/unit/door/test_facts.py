"""What a host says as a fact is of its kind, or an error that names host, step and fact."""

from datetime import datetime, timezone

import pytest
from fabric_predeploy.config.errors import UnreadableFactError
from fabric_predeploy.remote._door.report import Report
from fabric_predeploy.remote.catalog import read, read_one
from fabric_predeploy.remote.facts import Facts, number
from fabric_predeploy.tasks._show.progress import Stage

NO_NUMBERS = ["", " ", "-5", "1e9", "9" * 400, "9" * 5000, "٣", "²", "1\n", "0x1", "1_0", "+1"]
NO_TIMES = [
    "",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "2025-02-30T00:00:00Z",
    "2025-03-14T12:34:56",
    "2025-03-14T12:34:56+0000",
    "2025-03-14T12:34:56Z\n",
    "٢٠٢٥-03-14T12:34:56Z",
]


def told(*values, key="it"):
    return Facts([(key, value) for value in values], "the step look", "web1 (shop.example)")


def refused(read, *arguments):
    with pytest.raises(UnreadableFactError) as raised:
        read(*arguments)
    message = raised.value.message
    assert "what web1 (shop.example) says cannot be used: it, of the step look, " in message
    assert raised.value.code == 1
    return message


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_whole_number_is_refused(text):
    refused(told(text).whole, "it")
    assert number(text) == 0


@pytest.mark.parametrize("text", ["0", "7", "007", "9" * 18])
def test_a_whole_number_is_read(text):
    assert told(text).whole("it") == number(text) == int(text)


def test_a_number_has_a_bound():
    assert told("5").whole("it", 5) == 5
    assert "up to 5" in refused(told("6").whole, "it", 5)


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused(text):
    refused(told(text).time, "it")


def test_a_time_is_read():
    expected = datetime(2025, 3, 14, 12, 34, 56, tzinfo=timezone.utc)
    assert told("2025-03-14T12:34:56Z").time("it") == expected


def test_a_word_is_one_of_those_that_there_are():
    assert told("yes").word("it", "yes", "no") == "yes"
    assert "must be yes or no" in refused(told("maybe").word, "it", "yes", "no")


@pytest.mark.parametrize("kind", ["whole", "time", "word", "__getitem__"])
def test_what_is_not_told_or_told_twice_in_different_words_is_refused(kind):
    assert "is not told" in refused(getattr(told(), kind), "it")
    assert "told twice" in refused(getattr(told("1", "2"), kind), "it")
    assert told("1", "1")["it"] == "1"


def test_a_name_may_hold_blanks_beside_its_number():
    assert told("5 public.a b", "0 c").counted("it") == {"public.a b": 5, "c": 0}
    for wrong in ("5", "public.a 5", " 5 a", f"{'9' * 19} a", "5 "):
        refused(told(wrong).counted, "it")


def test_a_value_is_shown_shortened_and_harmless_unless_it_looks_like_a_secret():
    assert r"\x1b[2J" in refused(told("\x1b[2J").whole, "it")
    assert len(refused(told("x" * 10_000).whole, "it")) < 600
    assert "hunter2" not in refused(told("postgresql://me:hunter2@host/db").whole, "it")


def test_a_step_that_did_not_end_tells_nothing():
    report = Report({}, 0, host="web1 (shop.example)")
    assert report.of("look") == {}
    with pytest.raises(UnreadableFactError, match=r"its end, of the step look, is not told"):
        report.must("look")
    with pytest.raises(UnreadableFactError, match=r"its end, of the step catalog, is not told"):
        read(report)


def test_an_archive_without_a_manifest_that_can_be_read_is_refused():
    report = Report({"publish": [("archive", "x.dump"), ("bytes", "many")]}, 0)
    with pytest.raises(UnreadableFactError, match="the manifest, of the step publish, cannot be"):
        read_one(report, "publish")


@pytest.mark.parametrize("code", ["", "00", "-1", "9" * 5000, "٣", "1.0"])
def test_a_run_has_ended_as_ssh_says_or_not_at_all(code):
    assert Report({"result": [("code", code)]}, 0).code is None
    assert Report({"result": [("code", "0")]}, 0).code == 0
    assert Report({"result": [("code", "0")]}, 13).code is None


@pytest.mark.parametrize("word", ["bytes", "expected", "expected 5", ""])
@pytest.mark.parametrize("text", [*NO_NUMBERS, "9" * 18])
def test_no_progress_that_a_host_tells_ends_a_run(word, text):
    stage = Stage("dump")
    stage.hear(f"{word} {text} {text} {text}")

    assert len(str(stage)) < 100
