"""What is made of what a host tells: events passed on once, a log, and the seconds of each step."""

import io

from fabric_predeploy.remote._door.events import Log, Once, Stopwatch


def test_the_seconds_of_a_step_that_runs_twice_are_those_of_both(monkeypatch):
    now = iter([10.0, 10.25, 20.0, 22.5])
    monkeypatch.setattr("fabric_predeploy.remote._door.events.time.monotonic", lambda: next(now))
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
