"""The page of messages holds what the code says, and all of it."""

import re

from tests.messages import PAGE, ROOT, collected, page


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
