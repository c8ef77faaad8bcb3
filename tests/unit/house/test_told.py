"""Only text of ours is told to psql: no name can leave a quote open there, for us to wait for ever.

What else comes, comes through a variable of psql, which quotes it, or through a file of its own,
at whose end psql leaves off.
"""

import re
from pathlib import Path

SHELL = sorted((Path(__file__).parents[3] / "remote").rglob("*.sh"))
TOLD = re.compile(r"tell_psql (\"(?:[^\"\\]|\\.)*\"|'[^']*')")
VARIABLE = re.compile(r"(?<!\\)\$\{?(\w+)")
# Each is of a plain alphabet: by the parser of its setting, or by a pattern where it was heard.
OURS = {
    "fence",  # in hexadecimal
    "lock_timeout_seconds",
    "drill_again_rows",
    "known",  # of a fixed list
    "script",
    "terminate",
    "1",  # the words of the caller, or the number of an entry
    "2",
    "archive_encoding",
    "encoding",
    "strings",
    "creator",
    "seen",
    "transaction",
    "line",  # a setting of the archive
    "opening",  # what a session begins with
    "parting",  # and ends with
    "pin",  # the search path of a session
    "unpin",
}


def told():
    for path in SHELL:
        for statement in TOLD.findall(path.read_text(encoding="utf-8")):
            yield path.name, statement


def test_what_is_told_to_psql_holds_nothing_but_what_is_ours():
    found = list(told())
    assert len(found) > 50
    for name, statement in found:
        for variable in VARIABLE.findall(statement) if statement.startswith('"') else ():
            assert variable in OURS or variable.endswith("_sql"), (name, statement)


def test_nothing_else_is_told_to_psql():
    """Each call is one that the other test can read."""
    for path in SHELL:
        text = path.read_text(encoding="utf-8")
        calls = len(re.findall(r"^\s*(?:\[.*\|\| )?tell_psql ", text, re.MULTILINE))
        assert calls == len(TOLD.findall(text)), path.name
