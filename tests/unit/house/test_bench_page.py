"""What `make bench` writes: the table of its page, and nothing else of that page."""

from bench.report import Row, page
from tests.pages import page as read_page


def test_a_measurement_replaces_the_one_before_and_nothing_else():
    before = read_page("performance")
    row = Row("a dump", [1.0], [2.0], "s", 0.7)
    after = page(before, [row])
    begin, end = "<!-- measured: written by make bench -->", "<!-- end -->"
    assert str(row) in after
    assert before.count(begin) == before.count(end) == 1
    assert "pg_wrapper" not in after
    assert after.partition(begin)[0] == before.partition(begin)[0]
    assert after.partition(end)[2] == before.partition(end)[2]
    assert page(after, [row]) == after
