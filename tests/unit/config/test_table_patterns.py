"""Patterns of tables become one regular expression, in which only * and ? are more than letters."""

import re

import pytest
from fabric_predeploy.config.parsers import as_expression, table_patterns


@pytest.mark.parametrize(
    ("patterns", "matched", "not_matched"),
    [
        ("cron.job", ["cron.job"], ["cron.job2", "xcron.job", "cronxjob", "cron.j"]),
        ("cron.*", ["cron.job", "cron."], ["a.cron.job", "cronjob"]),
        ("a.b, c?.d*", ["a.b", "cc.d", "cx.dd"], ["c.d", "a.b, c", "ccc.d"]),
        ('a."B *|.x"', ["a.B *|.x"], ["a.B y", "a.B ", "a.x"]),
        ("a.b$", ["a.b$"], ["a.b"]),
    ],
)
def test_what_they_match(patterns, matched, not_matched):
    expression = as_expression(table_patterns(patterns))
    assert [each for each in [*matched, *not_matched] if re.search(expression, each)] == matched


@pytest.mark.parametrize(
    "text", ["job", "a.b.c", "a.B", "a.b;c", 'a."b', "a.b,", ",a.b", "a b.c", ""]
)
def test_what_is_no_pattern_is_refused(text):
    with pytest.raises(ValueError, match=r"schema\.table"):
        table_patterns(text)
