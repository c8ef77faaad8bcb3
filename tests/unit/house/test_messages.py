"""The page of messages holds what the code says, and all of it."""

import re

from tests.messages import PAGE, ROOT, collected, page
from tests.pages import page as read


def test_the_page_is_what_the_code_says():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_each_place_that_ends_a_run_is_on_the_page():
    """Counted apart from how the messages are read: a call, and the text that begins there."""
    said = {(each.where, each.code) for each in collected()}
    for file in (ROOT / "remote" / "steps").rglob("*.sh"):
        for code in re.findall(r"(?m)^[^#]*\b(?:die|refuse) (\d+) \"", file.read_text()):
            assert (file.stem.lstrip("_"), code) in said


def test_what_a_message_names_is_told_in_words_and_not_in_code():
    for each in collected():
        assert not re.search(r"\$[({\w]", each.text + each.remedy), each
        assert each.text.count("{") == each.text.count("}"), each


def test_each_obstacle_of_a_restore_has_a_row_that_says_what_to_do_and_who_does_it():
    table = re.findall(r"(?m)^\| (`.*?) \| (.+) \| (.+) \|$", read("obstacles"))
    assert len(table) > 15
    quoted = [text for row, _, _ in table for text in re.findall(r"`([^`]+)`", row)]
    wanted = ["".join(f".*{re.escape(part.strip())}" for part in re.split("…", q)) for q in quoted]
    said = [each for each in collected() if "(obstacles.md)" in each.remedy]
    obstacles = [each.text for each in said]
    assert len(obstacles) > 20
    told = [re.sub(r"\{\.\.\.\}", "some thing", text) for text in obstacles]
    assert all("".join(q.split("…")).strip() for q in quoted)
    assert [text for text in told if not any(re.match(each, text) for each in wanted)] == []
