"""entries.awk: what stands in quotes is never taken for a line of pg_restore's own."""

import re
import subprocess

import pytest
from fabric_predeploy.remote.steps import text
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.hostile import TEXTS
from tests.steps.judging import AWKS

PROGRAM = text("entries.awk")
HEADER = """--
-- PostgreSQL database dump
--

\\restrict {key}

-- Dumped from database version 17.6
-- Dumped by pg_dump version 17.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = {strings};
SELECT pg_catalog.set_config('search_path', '', false);
SET row_security = off;

"""
END = (
    "-- Completed on 2025-03-14\n\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict k\n"
)
SET_UP = "SELECT pg_catalog.set_config('search_path', '', false);\nSET row_security = off;\n"

texts = st.one_of(
    st.sampled_from(TEXTS),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    st.lists(st.sampled_from(["'", '"', "$", "$_$", "\\", "\n", "--", "\n--\n", ";", "a"])).map(
        "".join
    ),
)


def name(text):
    return '"' + text.replace('"', '""') + '"'


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def body(text):
    """As pg_dump quotes the body of a function: by what is not in it."""
    quote = "$$"
    while quote in text + "$":
        quote = quote[:-1] + "_$" if quote == "$$" else quote[:-1] + "X$"
    return quote + text + quote


FORMS = (
    lambda a, b: f"CREATE SCHEMA {name(a)};\n\n\nALTER SCHEMA {name(a)} OWNER TO {name(b)};",
    lambda a, b: f"COMMENT ON TABLE public.{name(a)} IS {literal(b)};",
    lambda a, b: f"CREATE FUNCTION {name(a)}() RETURNS x\n    LANGUAGE x\n    AS {body(b)};",
    lambda a, b: f"CREATE VIEW public.{name(a)} AS\n SELECT {literal(b)}::text AS {name(b)};",
    lambda a, b: f"GRANT ALL ON TABLE public.{name(a)} TO {name(b)};\nRESET ROLE;",
)
statements = st.builds(lambda form, a, b: form(a, b), st.sampled_from(FORMS), texts, texts)


def script(entries, *, strings="on"):
    text = HEADER.format(key="k", strings=strings)
    for number, entry in enumerate(entries, 1):
        text += f"--\n-- TOC entry {number} (class 1259 OID 16{number})\n-- Dependencies: 3\n"
        text += f"-- Name: x; Type: y; Schema: z; Owner: -\n-- Data Pos: 0\n--\n\n{entry}\n\n\n"
    return text + END


def awk(which, how, text):
    marks = ("-v", "before=SELECT ", "-v", "after= \\\\gexec")
    return subprocess.run(
        [*AWKS[which], "-v", f"how={how}", *marks, PROGRAM],
        input=text.encode(),
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )


def read(which, how, text):
    done = awk(which, how, text)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def decoded(line):
    number, kind, oid, method, text = line.split("|", 4)
    text = re.sub(r"\\(.)", lambda found: {"n": "\n", "s": "\\"}[found[1]], text)
    return (int(number), kind, oid, method, text.rstrip("\n"))


def passed_on(output):
    """What psql would send: it reads literals as they stand here, and knows no other quotes."""
    found = re.findall(r"^SELECT '((?:[^']|'')*)' \\gexec$", output, re.MULTILINE)
    rest = re.sub(r"^SELECT '((?:[^']|'')*)' \\gexec\n", "", output, flags=re.MULTILINE)
    reading = re.compile(
        r"^SET client_encoding = 'UTF8' ?; SET standard_conforming_strings = \w+;\n", re.MULTILINE
    )
    assert reading.sub("", rest) == SET_UP
    return [each.replace("''", "'").rstrip("\n") for each in found]


@pytest.mark.parametrize("which", AWKS)
@settings(max_examples=40)
@given(entries=st.lists(statements, max_size=12))
def test_entries_come_out_as_they_went_in_whatever_is_quoted_in_them(which, entries):
    text = script(entries)

    told = read(which, "entries", text)

    wanted = [(n, "1259", f"16{n}", "", entry) for n, entry in enumerate(entries, 1)]
    assert [decoded(line) for line in told.split("\n")[:-1]] == wanted
    assert passed_on(read(which, "execute", text)) == entries


@pytest.mark.parametrize("which", AWKS)
def test_a_statement_of_another_session_becomes_one_of_its_role_unless_it_is_quoted(which):
    quoted = 'GRANT ALL ON TABLE public."x\nSET SESSION AUTHORIZATION a;\n" TO y;\n'
    entry = f'SET SESSION AUTHORIZATION "a\nb";\n{quoted}RESET SESSION AUTHORIZATION;'

    (told,) = passed_on(read(which, "execute", script([entry])))

    assert told == f'SET ROLE "a\nb";\n{quoted}RESET ROLE;'


@pytest.mark.parametrize("which", AWKS)
def test_what_an_archive_may_have_changed_is_set_back_before_a_text_that_depends_on_it(which):
    plain, backslash, foreign = "SELECT 'x';", "SELECT 'a\\';", "SELECT 'é';"

    told = read(which, "execute", script([plain, backslash, plain, foreign]))

    reading = "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on;\n"
    assert told.count(reading) == 3
    assert f"{reading}SELECT 'SELECT ''a" in told
    assert f"{reading}SELECT 'SELECT ''é" in told


@pytest.mark.parametrize("which", AWKS)
def test_backslashes_are_doubled_where_the_archive_reads_them_so(which):
    told = read(which, "execute", script(["SELECT 'a\\\\b';"], strings="off"))

    assert "standard_conforming_strings = off" in told
    assert "SELECT ''a\\\\\\\\b'';" in told


@pytest.mark.parametrize("which", AWKS)
@pytest.mark.parametrize("how", ["execute", "entries", "statements", "guard"])
@pytest.mark.parametrize(
    "cut",
    [
        "",
        HEADER.format(key="k", strings="on"),
        script(["SELECT 1;"]).removesuffix(END),
        script(["COMMENT ON TABLE x IS 'an open quote;"]),
    ],
    ids=["nothing", "a header alone", "no end", "an open quote"],
)
def test_a_script_that_is_not_whole_is_a_failure(which, how, cut):
    assert awk(which, how, cut).returncode != 0


@pytest.mark.parametrize("which", AWKS)
def test_a_name_that_breaks_out_of_its_comment_is_a_failure(which):
    """As some programs wrote it before they were mended."""
    broken = script(["SELECT 1;"]).replace("-- Name: x;", "-- Name: x\n\\! id\n;")

    for how in ("execute", "entries", "guard"):
        assert awk(which, how, broken).returncode != 0


ROWS = 'COPY public."t" (a, b) FROM stdin;\n1\t\\\\.\n\\N\tx\\ny\n\\.\n\n\n'


@pytest.mark.parametrize("which", AWKS)
def test_rows_are_passed_on_as_they_are_and_no_command_of_psql_is(which):
    whole = (
        script([ROWS + "SELECT pg_catalog.setval('public.s', 1, true);"])
        .replace("\\restrict k\n", "")
        .replace("\\unrestrict k\n", "")
    )
    assert read(which, "guard", whole) == whole

    for command in ("\\! id\n", "\\.\n", 'COPY public."a\\b" FROM stdin;\n\\.\n'):
        assert awk(which, "guard", whole.replace("\n\n\nSELECT", f"\n{command}\nSELECT")).returncode
