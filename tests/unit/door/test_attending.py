"""The way back to a run: tried as long as the host would wait, and never to another host."""

import io

import pytest
from fabric_predeploy.config.errors import HostError, InterruptedRunError
from fabric_predeploy.remote._door import attending
from fabric_predeploy.remote._door.shell import Told

REFUSED = HostError("cannot connect to web1: connection refused")
REFUSED.may_pass = True
CHANGED = HostError("the host key of web1 has CHANGED")


class Line:
    run_seconds = None

    def __init__(self, *failures):
        self.failures, self.tries = iter(failures), 0

    def renew(self):
        self.tries += 1
        failure = next(self.failures, None)
        if failure:
            raise failure


@pytest.fixture
def slept(monkeypatch):
    """What was waited for, in a time that goes on by nothing else."""
    waits = []
    monkeypatch.setattr(attending.time, "sleep", waits.append)
    monkeypatch.setattr(attending.time, "monotonic", lambda: sum(waits))
    return waits


@pytest.fixture
def told():
    return Told(log=io.StringIO())


def test_it_is_told_what_was_lost_and_what_was_found_again(slept, told):
    assert attending.come_back(Line(), told, 120) == ""
    lost, found = told.log.stream.getvalue().splitlines()
    assert lost.startswith("WARNING: the connection was lost")
    assert found == "connected again, after 1 s"


def test_a_host_that_comes_up_again_is_tried_again_and_again(slept, told):
    assert attending.come_back(Line(*[REFUSED] * 6), told, 120) == ""
    assert slept == [1, 2, 2, 2, 2, 2, 2]


@pytest.mark.parametrize("seconds", range(1, 60))
def test_a_cut_costs_hardly_more_than_it_lasts(slept, told, seconds):
    class Cut(Line):
        def renew(self):
            if sum(slept) < seconds:
                raise REFUSED

    assert attending.come_back(Cut(), told, 120) == ""
    assert seconds <= sum(slept) <= seconds + 1


def test_a_host_that_stays_away_is_given_up_when_it_would_wait_no_more(slept, told):
    line = Line(*[REFUSED] * 100)
    why = attending.come_back(line, told, 20)
    assert why == f"for 19 s there was no way back. {REFUSED.message}"
    assert sum(slept) == 19


def test_a_host_that_is_another_by_now_is_not_tried_again(slept, told):
    line = Line(CHANGED)
    assert CHANGED.message in attending.come_back(line, told, 120)
    assert line.tries == 1


def test_an_interrupt_on_the_way_tells_what_the_host_does_by_itself(slept, told):
    with pytest.raises(InterruptedRunError, match="the host stops by itself, 120 s after"):
        attending.come_back(Line(InterruptedRunError("interrupted")), told, 120)


def test_the_deadline_of_fab_ends_the_way_back_too(slept, told, monkeypatch):
    monkeypatch.setattr(Line, "run_seconds", 5)
    with pytest.raises(InterruptedRunError, match="5 s that fab's -T allows"):
        attending.come_back(Line(*[REFUSED] * 100), told, 120)
