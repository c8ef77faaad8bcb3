"""Nothing that a host writes into a manifest becomes a statement on the machine that runs fab."""

import pytest
from fabric_predeploy.config.errors import UnprovenError
from fabric_predeploy.remote.here.believed import believed
from hypothesis import given
from hypothesis import strategies as st

NAME = "pricehawk-pre-deploy-v1-20250314-123456.dump"
LIBC = "ENCODING 'UTF8' LC_COLLATE 'de_DE.UTF-8' LC_CTYPE 'de_DE.UTF-8'"
WRITTEN = [
    LIBC,
    "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'POSIX'",
    f"{LIBC} LOCALE_PROVIDER libc",
    f"{LIBC} LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'",
    f"{LIBC} LOCALE_PROVIDER icu ICU_LOCALE 'de@collation=phonebook;x=y'",
    f"{LIBC} LOCALE_PROVIDER icu ICU_LOCALE 'und' ICU_RULES '&V << w <<< W'",
    f"{LIBC} LOCALE_PROVIDER icu ICU_LOCALE 'und' ICU_RULES '&''V'' << '''''",
    f"{LIBC} LOCALE_PROVIDER icu ICU_LOCALE 'und' ICU_RULES E'&\\\\u0076 < ''w'' LC_CTYPE ''x'''",
]
FORGED = [
    f"{LIBC} ; \\! touch /tmp/x #",
    f"{LIBC}; COPY (SELECT 1) TO PROGRAM 'id'",
    f"{LIBC}\\! id",
    f"{LIBC} OWNER postgres",
    f"{LIBC} TEMPLATE other",
    "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'''",
    "ENCODING 'UTF8' LC_COLLATE 'C\\' LC_CTYPE ' ; \\! id '",
    "ENCODING 'UTF8' LC_COLLATE 'C\x1b[2J' LC_CTYPE 'C'",
    "ENCODING 'UTF8' LC_COLLATE '../../x' LC_CTYPE 'C'",
    "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE ':x'",
    "ENCODING 'UTF8' LC_COLLATE $$C$$ LC_CTYPE 'C'",
    f"{LIBC} LOCALE_PROVIDER icu ICU_LOCALE 'und' ICU_RULES 'x\\' ; \\! id '",
    f"{LIBC} LOCALE_PROVIDER icu ICU_LOCALE 'und' ICU_RULES E'x\\' ; \\! id '",
    f"{LIBC} LOCALE_PROVIDER icu ICU_LOCALE 'und' ICU_RULES 'x' ; \\! id '",
    f"{LIBC} LOCALE_PROVIDER libc ",
    f"{LIBC}\r",
    "",
]


def everywhere(_locale):
    return True


def lines(*several, known=everywhere):
    manifest = "\n".join(["format=1", *several, "rows=2 public.shop", ""]).encode()
    return believed(manifest, NAME, known).manifest.decode().split("\n")


@pytest.mark.parametrize("locale", WRITTEN)
def test_what_a_dump_writes_is_taken_as_it_is(locale):
    kept = lines(f"locale={locale}", "as_superuser=no")
    assert f"locale={locale}" in kept
    assert {"format=1", "rows=2 public.shop", "as_superuser=no"} <= set(kept)


@pytest.mark.parametrize("locale", FORGED)
def test_anything_else_is_13_before_it_is_used(locale):
    with pytest.raises(UnprovenError, match="do not trust this archive"):
        lines(f"locale={locale}", "as_superuser=no")


def test_two_that_differ_are_refused():
    with pytest.raises(UnprovenError):
        lines(f"locale={LIBC}", f"locale={LIBC}")


def test_a_zero_byte_that_a_shell_would_not_see_is_refused():
    with pytest.raises(UnprovenError):
        lines("as_super\0user=yes")


@pytest.mark.parametrize(
    "told",
    [["as_superuser=yes"], ["as_superuser=no", "as_superuser=yes"], ["as_superuser= yes"], []],
)
def test_nobody_is_a_superuser_here_whatever_the_host_says(told):
    kept = [line for line in lines(f"locale={LIBC}", *told) if line.startswith("as_superuser")]
    assert kept == ["as_superuser=no"]


def test_it_is_told_when_the_host_says_otherwise():
    manifest = f"locale={LIBC}\nas_superuser=yes\n".encode()
    (note,) = believed(manifest, NAME, everywhere).notes
    assert "without such rights" in note


def test_a_locale_that_is_unknown_here_is_replaced_where_it_stands_alone():
    rules = "LOCALE_PROVIDER icu ICU_LOCALE 'de_DE.UTF-8' ICU_RULES 'LC_CTYPE ''de_DE.UTF-8'''"
    manifest = f"locale={LIBC} {rules}\n".encode()
    told = believed(manifest, NAME, lambda locale: locale in ("C", "C.UTF-8"))
    new = "ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
    assert f"locale={new} {rules}".encode() in told.manifest.split(b"\n")
    assert "does not know the locale de_DE.UTF-8" in told.notes[0]


@given(st.text(alphabet="'\\;:! ENCODIGLTYP_C8U\"$E\n\r\0", max_size=60))
def test_whatever_is_taken_is_one_line_in_which_every_quote_is_closed(text):
    try:
        kept = lines(f"locale={LIBC} LOCALE_PROVIDER icu ICU_LOCALE 'und' ICU_RULES {text}")
    except UnprovenError:
        return
    (locale,) = [line for line in kept if line.startswith("locale=")]
    assert outside_of_quotes(locale.removeprefix("locale=")).isascii()
    assert not set(outside_of_quotes(locale.removeprefix("locale="))) & set(";\\:$\"'")


def outside_of_quotes(sql):
    """As PostgreSQL and psql read it, with standard_conforming_strings."""
    outside, at = "", 0
    while at < len(sql):
        if sql[at] != "'":
            outside += sql[at]
            at += 1
            continue
        escapes = outside.endswith("E") and not outside[:-1].endswith(
            tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ_")
        )
        at += 1
        while sql[at] != "'" or sql[at : at + 2] == "''":
            at += 2 if sql[at] == "'" or (escapes and sql[at] == "\\") else 1
        at += 1
    return outside
