"""What is read of a host's output while it comes: whole lines behind the fence, each once."""

import io
import threading

import pytest
from fabric_predeploy.remote.events import Events, Log, Once, Stopwatch
from fabric_predeploy.remote.shell import _read_facts
from hypothesis import given
from hypothesis import strategies as st

FENCE = "0123456789abcdef" * 2
TOLD = f"""half a line of an rc file
{FENCE} begin lock
client=ci@runner
{FENCE} end lock

{FENCE} begin dump
{FENCE} progress bytes 4096

{FENCE} progress note a=b c
{FENCE} end dump
{FENCE} send
{FENCE} end of something that was cut o"""
EVENTS = [
    ("begin", "lock"),
    ("end", "lock"),
    ("begin", "dump"),
    ("progress", "bytes 4096"),
    ("progress", "note a=b c"),
    ("end", "dump"),
    ("send", ""),
]


def heard(stream, cuts=()):
    """Submit what a reader would have after each of its reads, which end at these places."""
    events = []
    watcher = Events(FENCE, [lambda *event: events.append(event)])
    for end in [*sorted(cuts), len(stream)]:
        assert watcher.submit(stream[:end]) == []
    return events


@given(st.lists(st.integers(0, len(TOLD)), max_size=20))
def test_each_whole_line_is_heard_once_wherever_the_output_is_cut(cuts):
    assert heard(TOLD, cuts) == EVENTS


def test_output_that_comes_letter_by_letter_is_heard_too():
    assert heard(TOLD, range(len(TOLD))) == EVENTS


@pytest.mark.parametrize(
    "line",
    [
        "begin dump",
        " begin dump",
        f" {FENCE} begin dump",
        f"noise {FENCE} begin dump",
        f"{FENCE}0 begin dump",
        f"{FENCE[:-1]} begin dump",
        f"{FENCE.upper()} begin dump",
        FENCE,
    ],
)
def test_what_only_looks_like_an_event_is_none(line):
    assert heard(f"{line}\n") == []


def test_a_huge_output_without_an_event_is_looked_at_once():
    class Counting(str):
        __slots__ = ()
        searched = 0

        def find(self, *args):
            Counting.searched += len(self) - args[1]
            return super().find(*args)

    watcher = Events(FENCE, [])
    stream = "x" * 10_000
    for end in range(100, len(stream) + 1, 100):
        watcher.submit(Counting(stream[:end]))
    assert Counting.searched == len(stream)


def test_every_thread_of_invoke_reads_a_stream_of_its_own():
    events = []
    watcher = Events(FENCE, [lambda *event: events.append(event)])
    for _ in range(2):
        reader = threading.Thread(target=watcher.submit, args=(f"{FENCE} begin dump\n",))
        reader.start()
        reader.join()
    assert events == [("begin", "dump")] * 2


def test_what_a_step_says_of_its_progress_is_no_fact():
    assert _read_facts(TOLD, FENCE) == {"lock": [("client", "ci@runner")], "dump": []}


def test_what_is_told_between_two_steps_counts_for_neither():
    told = f"{FENCE} begin a\nx=1\n{FENCE} end a\nx=2\n{FENCE} begin b\n{FENCE} end b\nx=3\n"
    assert _read_facts(told, FENCE) == {"a": [("x", "1")], "b": []}


def test_the_seconds_of_a_step_that_runs_twice_are_those_of_both(monkeypatch):
    now = iter([10.0, 10.25, 20.0, 22.5])
    monkeypatch.setattr("fabric_predeploy.remote.events.time.monotonic", lambda: next(now))
    stopwatch = Stopwatch()
    for word in ("begin", "end", "begin", "end"):
        stopwatch.follow(word, "verify")
    assert stopwatch.seconds == {"verify": 2.75}


def test_a_step_that_has_not_ended_or_never_began_has_no_seconds():
    stopwatch = Stopwatch()
    stopwatch.follow("begin", "dump")
    stopwatch.follow("end", "verify")
    assert stopwatch.seconds == {}


def test_of_a_run_that_is_told_anew_only_what_is_new_is_passed_on():
    heard = []
    once = Once([lambda *event: heard.append(event)])
    for event in (("begin", "lock"), ("end", "lock")):
        once.follow(*event)
    once.again()
    for event in (("begin", "lock"), ("end", "lock"), ("begin", "dump")):
        once.follow(*event)
    assert heard == [("begin", "lock"), ("end", "lock"), ("begin", "dump")]


def test_of_a_log_that_is_told_anew_only_what_is_new_is_shown():
    shown = io.StringIO()
    log = Log(shown)
    log.write("of an rc file\nfirst\n  the same\n  the same\nhalf a li")
    log.again()
    log.write("first\n  the same\n  the same\nhalf a line\n  the")
    log.write(" same\nlast, without its end")
    log.end()
    assert shown.getvalue() == (
        "of an rc file\nfirst\n  the same\n  the same\nhalf a li\n"
        "half a line\n  the same\nlast, without its end\n"
    )


def test_a_reader_of_the_log_that_has_gone_does_not_end_the_run():
    class Gone(io.StringIO):
        def write(self, _text):
            raise BrokenPipeError

    log = Log(Gone())
    log.write("a line\n")
    log.flush()


def test_of_what_is_told_again_one_has_caught_up_when_all_that_was_known_has_come():
    once = Once([])
    assert not once.caught_up
    once.follow("begin", "dump")
    once.follow("end", "dump")
    assert once.caught_up
    once.again()
    once.follow("begin", "dump")
    assert not once.caught_up
    once.follow("end", "dump")
    assert once.caught_up
