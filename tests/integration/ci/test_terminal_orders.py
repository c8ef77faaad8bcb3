"""Names in a database that would erase the screen: shown without harm, and restored exactly."""

import json
import re
import unicodedata

import pytest

from sandbox.postgres import create_owner
from tests.integration.everything import plain_dump
from tests.project import PASSWORD

LIE = "\x1b[2J\x1b[1;1HYou can roll back here\x1b[0m\x1b]52;c;cm0K\x07\r"
HIDING = "\u202enruter\u2066\u200b\u061c\u2028\u009b31m##[error]"
ALL_KINDS = """DO $do$ DECLARE name text; BEGIN
    FOREACH name IN ARRAY ARRAY[{names}] LOOP
        EXECUTE format('CREATE VIEW public.%I AS SELECT * FROM public.orders', 'v' || name);
        EXECUTE format('CREATE TABLE public.%I AS SELECT 1 AS n', 't' || name);
        EXECUTE format('CREATE SEQUENCE public.%I', 's' || name);
        EXECUTE format('CREATE MATERIALIZED VIEW public.%I AS SELECT 1 AS n', 'm' || name);
        EXECUTE format('COMMENT ON TABLE public.%I IS %L', 't' || name, name);
    END LOOP;
END $do$"""


def is_harmless(text):
    harmful = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return not any(unicodedata.category(each) in harmful for each in text if each not in "\n\t")


@pytest.fixture
def odd(project, pg):
    """Owned by one role; another may create in it, and has made names for whoever reads them."""
    for name in ("odd", "app"):
        pg.superuser(f"DROP DATABASE IF EXISTS {name}")
    create_owner(pg, role="odd", password=PASSWORD, database="odd")
    create_owner(pg, role="app", password=PASSWORD, database="app")
    pg.run_as("odd", "CREATE TABLE public.orders AS SELECT 1 AS n", "odd")
    pg.run_as("odd", "GRANT SELECT ON public.orders TO app", "odd")
    pg.superuser("GRANT CREATE, USAGE ON SCHEMA public TO app", "odd")
    yield project.with_profile(DB_NAME="odd", DB_USER="odd", BACKUP_DRILL="cluster")
    for name in ("odd", "app"):
        pg.superuser(f"DROP DATABASE {name}")
    for name in ("odd", "app"):
        pg.superuser(f"DROP OWNED BY {name}; DROP ROLE {name}")


def make(pg, role, *names):
    quoted = ", ".join(f"'{name}'" for name in names)
    pg.run_as(role, ALL_KINDS.replace("{names}", quoted), "odd")


def read_on_the_host(project):
    """What people look at there with cat and tail; rows are for programs to compare."""
    for path in project.backup_dir.iterdir():
        if path.suffix in (".dump", ".sha256") or path.is_dir():
            continue
        for line in path.read_bytes().split(b"\n"):
            if not re.match(b"(rows|content|role)=", line):
                assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", line), (path.name, line)


@pytest.mark.parametrize("github", [None, "true"], ids=["terminal", "GitHub"])
def test_a_name_that_an_application_role_has_chosen_orders_nothing(odd, pg, github):
    make(pg, "app", LIE)

    runs = [
        odd.predeploy(GITHUB_ACTIONS=github),
        odd.fab("-H", "demo", "restore", "--file=latest", "--plan", GITHUB_ACTIONS=github),
        odd.fab("-H", "demo", "doctor", GITHUB_ACTIONS=github),
        odd.fab("-H", "demo", "logs", GITHUB_ACTIONS=github),
        odd.fab("-H", "demo", "status", GITHUB_ACTIONS=github),
        odd.fab("-H", "demo", "history", GITHUB_ACTIONS=github),
    ]

    for done in runs:
        assert is_harmless(done.stdout + done.stderr), done.args
    assert "You can roll back here" in runs[0].stdout + runs[0].stderr, "and is shown"
    read_on_the_host(odd)


def test_names_that_hide_come_back_exactly_and_compare_with_what_was_recorded(odd, pg):
    make(pg, "odd", LIE, HIDING)
    before = plain_dump(pg, "odd")

    done = odd.predeploy(BACKUP_PROOF="equal")
    assert done.returncode == 0, done.stderr
    assert is_harmless(done.stdout + done.stderr)
    read_on_the_host(odd)
    pg.run_as("odd", f'DROP VIEW public."v{LIE}"; CREATE TABLE public.later ()', "odd")

    plan = odd.fab("-H", "demo", "restore", "--file=latest", "--plan", "--json")
    done = odd.fab("-H", "demo", "restore", "--file=latest", "--yes")

    assert is_harmless(plan.stdout)
    assert f'public."t{LIE}"'.replace("\r", " ") in json.loads(plan.stdout)["rows"]
    assert done.returncode == 0, done.stderr
    assert is_harmless(done.stdout + done.stderr)
    assert plain_dump(pg, "odd") == before


def test_a_table_that_is_gone_or_locked_is_told_of_without_orders(odd, pg):
    make(pg, "odd", LIE)
    pg.run_as("odd", f'INSERT INTO public."t{LIE}" SELECT generate_series(1, 99)', "odd")
    assert odd.predeploy("v1").returncode == 0
    pg.run_as("odd", f'TRUNCATE public."t{LIE}"', "odd")

    shrunk = odd.predeploy("v2")

    assert shrunk.returncode == 14
    assert is_harmless(shrunk.stdout + shrunk.stderr)
    assert "You can roll back here" in shrunk.stderr
    read_on_the_host(odd)
