"""The table in docs/faults.md is that of the faults which the tests inject."""

import re

from tests.faults.table import FAULTS, GROUPS, TABLE, joined


def test_the_table_has_each_fault_once_and_in_order():
    """What came of each is compared by the test of that fault."""
    written = TABLE.read_text(encoding="utf-8")
    rows = [row.replace("\\|", "|") for row in re.findall(r"(?m)^\| (.*?) \|", written)]
    assert [row for row in rows if row != "fault"] == [fault.name for fault in FAULTS]
    assert re.findall(r"(?m)^## (.*)", written) == list(GROUPS)
    assert len(set(rows)) == len(FAULTS) + 1


def test_the_page_counts_what_is_tried_of_whole_databases():
    written = TABLE.read_text(encoding="utf-8")
    head = joined().partition("\n## ")[0]
    assert written.partition("\n## ")[0] == head, f"the page must begin so:\n{head}"
