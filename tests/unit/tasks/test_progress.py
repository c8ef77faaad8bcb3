"""What is shown of a run: the words for how far it is, and its log in whole lines."""

import io
import sys

import pytest
from fabric_predeploy.tasks._show import progress
from fabric_predeploy.tasks._show.progress import Progress, Stage


@pytest.fixture
def after(monkeypatch):
    """A stage that began so many seconds ago and has heard these lines."""

    def make(seconds, *heard, step="dump", expected_seconds=0):
        stage = Stage(step, expected_seconds, begun=100.0)
        monkeypatch.setattr(progress.time, "monotonic", lambda: 100.0 + seconds)
        for line in heard:
            stage.hear(line)
        return str(stage)

    return make


@pytest.mark.parametrize(
    ("seconds", "heard", "shown"),
    [
        (7, [], "dumping: 0:07"),
        (90, ["expected  ", "bytes 120300000"], "dumping: 120.3 MB so far, 1:30"),
        (3700, ["expected 2000 ", "bytes 1000"], "dumping: 1.0 kB of about 2.0 kB, 1:01:40"),
        (
            90,
            ["expected 2000 250", "bytes 900"],
            "dumping: 900 bytes of about 2.0 kB, 1:30 of about 4:10",
        ),
        (90, ["expected 2000 250"], "dumping: 1:30 of about 4:10"),
        (600, ["expected 2000 250", "bytes 2001"], "dumping: 2.0 kB so far, 10:00"),
    ],
)
def test_a_stage_tells_what_is_known_of_it(after, seconds, heard, shown):
    assert after(seconds, *heard) == shown


@pytest.mark.parametrize(
    "line",
    ["", "bytes", "bytes ", "bytes x", "bytes -1", "expected", "expected -5 x", "other 5 6 7"],
)
def test_what_it_cannot_read_it_leaves_out(after, line):
    assert after(5, line) == "dumping: 0:05"


def test_a_restore_is_expected_to_take_as_long_as_its_plan_said(after):
    assert after(5, step="replay", expected_seconds=65) == "restoring: 0:05 of about 1:05"


def test_a_test_restore_is_told_by_how_much_of_the_database_is_there_again(after):
    shown = after(90, "expected 2000 ", "bytes 900", step="drill")
    assert shown == "restoring to compare: 900 bytes of about 2.0 kB, 1:30"


def test_a_step_without_words_of_its_own_is_told_by_its_name(after):
    assert after(5, step="prune") == "prune: 0:05"


def test_the_log_is_shown_as_it_comes(capsys):
    shown = Progress({})
    with shown.shown():
        shown.write("a line\nand another\n")
        assert capsys.readouterr().err == "a line\nand another\n"


def test_a_terminal_that_has_gone_does_not_end_the_run(monkeypatch):
    class Gone(io.StringIO):
        def write(self, _text):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stderr", Gone())
    shown = Progress({})
    with shown.shown():
        shown.write("a line\n")
        shown.follow("begin", "dump")
