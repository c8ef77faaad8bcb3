"""Our sessions are ours alone: what the role, the database or the account sets changes nothing."""

import os
import shutil
import subprocess

import pytest

from sandbox.postgres import postgres
from sandbox.wheels import embedded
from tests.integration.round_trip import round_trip
from tests.processes import wait_for

EQUAL = "--proof=equal"
NULLS = """
CREATE TABLE app.tagged (id int PRIMARY KEY, tags text[]);
INSERT INTO app.tagged VALUES (1, ARRAY['x', NULL]), (2, ARRAY['NULL']);
"""
# A locale that writes 1234.56 as "1.234,56 E"; made here, as few machines have one.
LOCALE = """comment_char %
escape_char /
LC_MONETARY
int_curr_symbol "EUR "
currency_symbol "E"
mon_decimal_point ","
mon_thousands_sep "."
mon_grouping 3;3
positive_sign ""
negative_sign "-"
int_frac_digits 2
frac_digits 2
p_cs_precedes 0
p_sep_by_space 1
n_cs_precedes 0
n_sep_by_space 1
p_sign_posn 1
n_sign_posn 1
END LC_MONETARY
""" + "".join(
    f'{name}\ncopy "POSIX"\nEND {name}\n'
    for name in ("LC_CTYPE", "LC_COLLATE", "LC_TIME", "LC_NUMERIC", "LC_MESSAGES")
)


@pytest.fixture
def trip(pg, ssh, make_project):
    with round_trip(pg, ssh, make_project, BACKUP_DRILL="cluster") as made:
        yield made


@pytest.mark.parametrize("whose", ["ROLE {0}", "DATABASE {0}", "ROLE {0} IN DATABASE {0}"])
def test_an_element_that_is_null_does_not_become_the_word_null(trip, whose):
    trip.fill(NULLS)
    trip.pg.superuser(f"ALTER {whose.format(trip.database)} SET array_nulls = off")

    trip.holds(EQUAL)


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_what_was_made_while_a_restore_waited_does_not_stay(trip, level):
    trip.fill(NULLS)
    trip.pg.superuser(f"ALTER ROLE {trip.role} SET default_transaction_isolation = '{level}'")
    before = trip.dump()
    assert trip.predeploy().returncode == 0
    other = subprocess.Popen(
        [trip.pg.bin_dir / "psql", "--no-psqlrc", "--quiet"],
        stdin=subprocess.PIPE,
        encoding="utf-8",
        env={
            "PATH": os.environ["PATH"],
            "PGHOST": str(trip.pg.data_dir.parent),
            "PGPORT": str(trip.pg.port),
            "PGUSER": trip.role,
            "PGDATABASE": trip.database,
        },
    )
    other.stdin.write("BEGIN; LOCK TABLE app.tagged IN ACCESS SHARE MODE;\n")
    other.stdin.flush()
    locked = "SELECT count(*) FROM pg_locks WHERE relation = 'app.tagged'::regclass AND {}"
    wait_for(lambda: trip.superuser(locked.format("granted")) == "1")

    archive = f"--file={trip.project.archives()[-1].name}"
    restore = trip.project.start("-H", "demo", "restore", archive, "--yes", "--no-safety")
    wait_for(lambda: trip.superuser(locked.format("NOT granted")) == "1")
    other.communicate("CREATE TABLE app.intruder (n int); COMMIT;\n", timeout=30)
    _, errors = restore.communicate(timeout=120)

    assert restore.returncode == 0, errors
    assert trip.dump() == before


@pytest.mark.parametrize("whose", ["ROLE", "DATABASE"])
def test_a_database_that_lets_nobody_write_is_restored(trip, whose):
    """The usual way to stop all who write."""
    trip.fill(NULLS)
    trip.pg.superuser(f"ALTER {whose} {trip.database} SET default_transaction_read_only = on")

    trip.holds(EQUAL)


VIEWS = """
CREATE TABLE app.event (n int);
CREATE VIEW app.seen AS SELECT n FROM app.event;
CREATE MATERIALIZED VIEW app.kept AS SELECT * FROM app.seen;
"""


@pytest.mark.parametrize("whose", ["ROLE", "DATABASE"])
def test_views_come_back_though_nobody_may_read_one(trip, whose):
    """As pg_dump itself forbids it, against views that somebody puts in the place of a table."""
    trip.fill(VIEWS)
    forbidden = "SET restrict_nonsystem_relation_kind TO view, 'foreign-table'"
    trip.pg.superuser(f"ALTER {whose} {trip.database} {forbidden}")

    trip.holds(EQUAL)


@pytest.fixture
def other_money(ground, monkeypatch):
    """A server whose system has a locale that writes money in another way."""
    localedef = shutil.which("localedef")
    if localedef is None:
        pytest.skip("localedef is not installed here")
    locales = ground / "locales"
    locales.mkdir(mode=0o755)
    (locales / "source").write_text(LOCALE)
    command = [localedef, "-c", "-i", locales / "source", locales / "xx_EU"]
    subprocess.run(command, check=False, capture_output=True)  # it warns
    monkeypatch.setenv("LOCPATH", str(locales))
    with postgres(embedded(), ground, settings={"fsync": "off"}) as pg:
        yield pg, locales
    shutil.rmtree(locales)


def programs_that_know(locales, trip):
    """A directory of programs for the host, whose server of its own has that locale as well."""
    programs = trip.project.ssh.home / f"programs-{trip.database}"
    programs.mkdir()
    for program in ("pg_dump", "pg_restore", "psql", "initdb"):
        (programs / program).symlink_to(trip.pg.bin_dir / program)
    server = programs / "postgres"
    server.write_text(f'#!/bin/sh\nLOCPATH={locales} exec {trip.pg.bin_dir}/postgres "$@"\n')
    server.chmod(0o755)
    return trip.project.with_profile(DB_BIN_DIR=str(programs))


MONEY = """
CREATE TABLE app.price (paid money);
INSERT INTO app.price VALUES (1234.56::numeric::money), ((-0.01)::numeric::money);
"""


@pytest.mark.parametrize("place", ["cluster", "database"])
def test_money_is_the_same_in_a_test_restore(other_money, ssh, make_project, place):
    pg, locales = other_money
    with round_trip(pg, ssh, make_project, BACKUP_DRILL=place) as trip:
        programs_that_know(locales, trip)
        trip.fill(MONEY)
        trip.pg.superuser(f"ALTER DATABASE {trip.database} SET lc_monetary = 'xx_EU'")
        assert b"1.234,56 E" in trip.dump()

        trip.holds(EQUAL)


def test_money_comes_back_though_the_deploy_has_changed_the_currency(
    other_money, ssh, make_project
):
    pg, _ = other_money
    with round_trip(pg, ssh, make_project) as trip:
        trip.fill(MONEY)
        change = f"ALTER DATABASE {trip.database} SET lc_monetary = '{{}}'"
        trip.pg.superuser(change.format("xx_EU"))
        before = trip.dump()
        assert trip.predeploy().returncode == 0
        for way in ("transaction", "swap"):
            trip.damage()
            trip.pg.superuser(change.format("C"))
            done = trip.restore(way)
            assert done.returncode == 0, (way, done.stderr)
            trip.pg.superuser(change.format("xx_EU"))
            assert trip.dump() == before


def test_a_test_restore_does_without_a_locale_that_it_does_not_need(other_money, ssh, make_project):
    pg, _ = other_money
    with round_trip(pg, ssh, make_project, BACKUP_DRILL="cluster") as trip:
        trip.fill(NULLS)
        trip.pg.superuser(f"ALTER DATABASE {trip.database} SET lc_monetary = 'xx_EU'")

        done = trip.predeploy(EQUAL)

        assert done.returncode == 0, done.stderr
        assert "the restore leaves out settings" in done.stderr
        assert "lc_monetary=xx_EU" in done.stderr


DAYS = """
CREATE TABLE app.shift (began timestamptz CHECK (began::date = DATE '2024-01-02'));
INSERT INTO app.shift VALUES ('2024-01-02 00:30:00+14');
CREATE TABLE app.by_time (at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE app.by_time_1 PARTITION OF app.by_time
    FOR VALUES FROM ('2024-01-01 00:00+14') TO ('2024-02-01 00:00+14');
"""


def test_a_check_that_looks_at_the_day_sees_the_same_one(trip):
    trip.pg.superuser(f"ALTER DATABASE {trip.database} SET TimeZone = 'Pacific/Kiritimati'")
    trip.fill(DAYS)
    trip.pg.superuser(f"ALTER DATABASE {trip.database} SET DateStyle = 'German'")

    trip.holds(EQUAL)


def test_what_the_account_exports_for_libpq_changes_nothing(trip):
    """Its password file, its way of encryption and its certificates stay."""
    exported = {
        "PGOPTIONS": "-c array_nulls=off",
        "PGTZ": "Asia/Kolkata",
        "PGDATESTYLE": "German",
        "PGGEQO": "off",
        "PGTARGETSESSIONATTRS": "read-only",
        "PGCLIENTENCODING": "LATIN1",
        "PG_COLOR": "always",
    }
    trip.fill(NULLS + DAYS.replace("+14", "+00"))
    profile = trip.project.ssh.home / ".bashrc"
    profile.write_text("".join(f"export {key}='{value}'\n" for key, value in exported.items()))
    try:
        trip.holds(EQUAL)
    finally:
        profile.unlink()
