"""A signal is exit code 130, wherever it strikes."""

import signal

import pytest
from fabric_predeploy.config.errors import InterruptedRunError, RefusedError
from fabric_predeploy.remote.signals import signals_raise


def fail_of(signal_number, failure):
    """As Python's threading does, when a thread has come to its end before it is seen to begin."""
    try:
        signal.raise_signal(signal_number)
    finally:
        raise failure


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_failure_that_comes_of_a_signal_is_an_interrupt(number):
    with pytest.raises(InterruptedRunError, match=number.name), signals_raise(number):
        fail_of(number, KeyError("thread"))


def test_a_failure_of_ours_is_told_as_such():
    with pytest.raises(RefusedError), signals_raise(signal.SIGINT):
        fail_of(signal.SIGINT, RefusedError("not confirmed"))


def test_a_failure_without_a_signal_stays_what_it_is():
    with pytest.raises(KeyError), signals_raise(signal.SIGINT):
        raise KeyError
