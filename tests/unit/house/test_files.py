"""Where files lie, and how long they are."""

import re
from collections import Counter
from pathlib import Path

import pytest
from fabric_predeploy.remote._door import contract, script

ROOT = Path(__file__).parents[3]
WRITTEN = (".py", ".sh", ".sql", ".awk", ".env")
LONGEST = 250
PRODUCT = [
    path
    for room in ("config", "remote", "tasks", "bench", "sandbox", ".ci")
    for path in sorted((ROOT / room).rglob("*.*"))
    if path.suffix in WRITTEN
]
SENT = [
    path for path in PRODUCT if path.suffix in (".sh", ".sql", ".awk") and "remote" in path.parts
]


def test_no_file_of_the_product_is_longer_than_a_reader_bears():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PRODUCT}
    assert len(lengths) > 250
    too_long = {path.name for path, length in lengths.items() if length > LONGEST}
    assert too_long == set()


def test_what_is_sent_to_a_host_lies_where_it_is_found():
    assert sorted(SENT) == sorted(contract.files().values())


def test_no_name_is_in_two_folders_as_the_first_would_be_sent_for_the_second():
    names = Counter(path.name for path in SENT)
    assert [name for name, times in names.items() if times > 1] == []


def test_each_file_of_functions_is_needed_by_a_step():
    parts = {path.stem for path in SENT if path.stem.startswith("_")}
    needed = {part for step in contract.steps() for part in contract.contract(step).needs}
    assert needed == parts


def test_the_parts_of_the_library_are_all_sent():
    library = {path.stem for path in SENT if path.parent.name == "lib"}
    assert library == set(script.LIBRARY)


@pytest.mark.parametrize("path", [path for path in SENT if path.suffix == ".sql"], ids=str)
def test_no_text_in_sql_has_a_line_that_looks_like_a_comment(path):
    """Lines that begin with -- are left out when it is sent."""
    open_quote = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        assert not (line.startswith("--") and open_quote), line
        for found in re.findall(r"""--|['"]""", line):
            if found == "--" and not open_quote:
                break
            if found == open_quote:
                open_quote = ""
            elif found != "--" and not open_quote:
                open_quote = found
    assert not open_quote
