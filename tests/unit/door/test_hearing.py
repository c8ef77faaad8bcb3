"""What a host prints is taken apart alike in whatever pieces it comes; it cannot say too much."""

import tracemalloc

import pytest
from fabric_predeploy.remote._door import hearing
from fabric_predeploy.remote._door.hearing import Hearing, TooMuchError
from hypothesis import given
from hypothesis import strategies as st

FENCE = "0123456789abcdef" * 2
TOLD = f"""half a line of an rc file
{FENCE} door
{FENCE} begin lock
client=ci@runner
{FENCE} end lock
{FENCE} rest

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
]
ASKED = [("door", ""), ("rest", ""), ("send", "")]
FILES = [b"a\n%s raw 5\n" % FENCE.encode(), b"", b"\0\xff\n\n"]
POURED = b"motd raw 9\n" + b"".join(
    b"\n%s raw %d\n%s" % (FENCE.encode(), len(each), each) for each in FILES
)


class Heard(Hearing):
    """Keeps what it passes on."""

    def __init__(self, data, cuts=(), fence=FENCE, **options):
        self.events, self.asked, self.came = [], [], {}
        super().__init__(fence, self.note_event, self.note_ask, self.note_file, **options)
        before = 0
        for cut in [*sorted(cuts), len(data)]:
            self.hear(data[before:cut])
            before = cut
        self.end()

    def note_event(self, *event):
        self.events.append(event)

    def note_ask(self, *event):
        self.asked.append(event)

    def note_file(self, number, piece):
        self.came[number] = self.came.get(number, b"") + piece


@given(st.lists(st.integers(0, len(TOLD)), max_size=20))
def test_each_whole_line_is_heard_once_wherever_the_output_is_cut(cuts):
    heard = Heard(TOLD.encode(), cuts)
    assert (heard.events, heard.asked) == (EVENTS, ASKED)
    assert heard.facts == {"lock": [("client", "ci@runner")], "dump": []}
    assert heard.noise == "half a line of an rc file\n"


@given(st.sets(st.integers(1, len(POURED))))
def test_files_and_lines_are_told_apart_wherever_they_are_cut(cuts):
    heard = Heard(POURED, cuts, files={1: 100, 2: 0, 3: 4})
    assert [heard.came.get(number, b"") for number in (1, 2, 3)] == FILES
    assert heard.noise == "motd raw 9\n\n"


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
    heard = Heard(f"{line}\n".encode())
    assert (heard.events, heard.begun) == ([], False)
    assert heard.noise == f"{line}\n"


def test_what_is_told_between_two_steps_counts_for_neither():
    told = f"{FENCE} begin a\nx=1\n{FENCE} end a\nx=2\n{FENCE} begin b\n{FENCE} end b\nx=3\n"
    assert Heard(told.encode()).facts == {"a": [("x", "1")], "b": []}


def test_a_step_that_is_told_anew_replaces_what_it_told_before():
    told = f"{FENCE} begin a\nx=1\n{FENCE} end a\n{FENCE} begin a\nx=2\n{FENCE} end a\n"
    assert Heard(told.encode()).facts == {"a": [("x", "2")]}


def test_a_run_is_over_with_its_result_alone():
    assert not Heard(f"{FENCE} begin result\ncode=0\n{FENCE} end dump\n".encode()).over
    assert Heard(f"{FENCE} begin result\ncode=0\n{FENCE} end result\n".encode()).over


@pytest.mark.parametrize(
    "told", ["-5", "", "5 ", "0x5", "5.0", "+5", "\u0665", "9" * 400, "99999999999999", "11"]
)
def test_a_file_that_is_longer_than_asked_for_or_of_no_length_is_refused(told):
    with pytest.raises(TooMuchError, match="at most 10 were asked for"):
        Heard(f"\n{FENCE} raw {told}\n".encode(), files={1: 10})


def test_a_file_that_nobody_asked_for_is_refused():
    with pytest.raises(TooMuchError):
        Heard(f"\n{FENCE} raw 1\n".encode())
    with pytest.raises(TooMuchError):
        Heard(f"\n{FENCE} raw 1\nx\n{FENCE} raw 1\n".encode(), files={1: 10})


BEGUN = f"{FENCE} door\n{FENCE} begin lock\n".encode()
FLOODS = {
    "lines": b"a=b\n",
    "empty lines": b"\n",
    "long lines": b"x" * 100_000 + b"\n",
    "one endless line": b"x" * 65_536,
    "events": f"{FENCE} progress bytes 1\n".encode(),
    "steps": f"{FENCE} begin a\nx=1\n{FENCE} end a\n".encode(),
}


def flood(heard, piece, total=64 * 1024 * 1024):
    block = piece * (65_536 // len(piece) or 1)
    for _ in range(total // len(block)):
        heard.hear(block)


@pytest.mark.parametrize("name", FLOODS)
@pytest.mark.parametrize("begun", [b"", BEGUN], ids=["before the script", "within a step"])
def test_a_flood_is_refused_and_takes_little_memory(name, begun):
    heard = Hearing(FENCE)
    heard.hear(begun)
    tracemalloc.start()
    try:
        with pytest.raises(TooMuchError):
            flood(heard, FLOODS[name])
        assert tracemalloc.get_traced_memory()[1] < 90_000_000
    finally:
        tracemalloc.stop()


def test_what_the_largest_directories_and_databases_tell_is_no_flood():
    archive = "".join(f"{key}={'v' * 30}\n" for key in "abcdefghijklmnopqrst")
    heard = Hearing(FENCE)
    heard.hear(BEGUN + f"archive=a\n{archive}".encode() * 10_000)
    assert hearing.MOST_LINES > 10_000 * 21


def test_noise_without_an_end_does_not_hide_the_beginning():
    heard = Heard(b"x" * 3_000_000 + b"\n" + BEGUN)
    assert heard.begun
    assert len(heard.noise) <= hearing.NOISE_BYTES
