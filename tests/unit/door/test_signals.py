import random
import signal
import threading
import time
from contextlib import suppress
from threading import Event

import pytest
from fabric_predeploy.config.errors import InterruptedRunError
from fabric_predeploy.remote.signals import awaited, held_back, signals_raise

ROUNDS = 300
LONG_SECONDS = 20


def nothing():
    pass


def test_what_is_awaited_is_returned():
    assert awaited(lambda: 7, nothing) == 7


def test_what_it_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        awaited(lambda: 1 / 0, nothing)


def test_it_is_awaited_in_other_threads_than_the_main_one_too():
    told = []
    thread = threading.Thread(target=lambda: told.append(awaited(lambda: 7, nothing)))
    thread.start()
    thread.join()
    assert told == [7]


def test_a_signal_ends_the_wait_and_has_it_given_up(strike):
    given_up = Event()
    with signals_raise(signal.SIGINT):
        strike.put(0.3)
        with pytest.raises(InterruptedRunError):
            awaited(lambda: given_up.wait(LONG_SECONDS), given_up.set)
    assert given_up.is_set()


def test_a_signal_does_not_wait_for_what_cannot_be_given_up(strike):
    began, end = time.monotonic(), Event()
    with signals_raise(signal.SIGINT):
        strike.put(0.3)
        with pytest.raises(InterruptedRunError):
            awaited(lambda: end.wait(LONG_SECONDS), nothing)
    assert time.monotonic() - began < LONG_SECONDS / 2
    end.set()


def test_a_signal_that_nobody_minds_does_not_end_the_wait(strike):
    came = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append("came"))
    try:
        strike.put(0.05)
        assert awaited(lambda: time.sleep(0.3), nothing) is None
        strike.struck()
    finally:
        signal.signal(signal.SIGINT, before)
    assert came == ["came"]


def test_a_signal_at_any_moment_leaves_no_thread_that_waits_for_ever(strike, monkeypatch):
    """Threads are started and events waited for, as paramiko does; once in a hundred it broke."""
    failed = []
    monkeypatch.setattr("sys.unraisablehook", lambda told: failed.append(told.exc_value))
    chance = random.Random(7)  # noqa: S311

    def work():
        began.append("work")
        done = Event()
        threading.Thread(target=done.set, daemon=True).start()
        assert done.wait(LONG_SECONDS)
        ended.append("work")

    for _ in range(ROUNDS):
        began, ended = [], []
        with suppress(InterruptedRunError), signals_raise(signal.SIGINT):
            strike.put(chance.random() / 1000)
            awaited(work, nothing)
            while True:  # until it strikes; not in one sleep, which may sleep through it
                time.sleep(0.001)
        strike.struck()
        assert ended == began
    assert failed == []


def test_a_signal_that_is_held_back_strikes_at_the_end():
    reached = []

    def strike_in_the_middle():
        with held_back():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end")
        reached.append("what follows")

    with pytest.raises(InterruptedRunError), signals_raise(signal.SIGINT):
        strike_in_the_middle()
    assert reached == ["the end"]
