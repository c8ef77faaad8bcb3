"""The way back, as a person goes it: fab restore over a real sshd against real servers."""

import json
import re
import subprocess
from contextlib import contextmanager

import pytest

from tests.integration.everything import plain_dump
from tests.project import OWNER, Project


@pytest.fixture
def shop(make_project, pg, ssh) -> Project:
    """A project with a small database of its own, which a test may ruin."""
    pg.superuser("DROP DATABASE IF EXISTS corner WITH (FORCE)")
    pg.superuser(f"CREATE DATABASE corner OWNER {OWNER}")
    pg.run_as(
        OWNER,
        "CREATE TABLE orders (id int PRIMARY KEY, what text);"
        "INSERT INTO orders SELECT n, 'order ' || n FROM generate_series(1, 100) n;"
        "CREATE TABLE customers (id int PRIMARY KEY); INSERT INTO customers VALUES (1);",
        "corner",
    )
    project = make_project(pg, ssh, DB_NAME="corner")
    assert project.predeploy("v1.0.0").returncode == 0
    return project


def ruin(shop):
    shop.pg.run_as(
        OWNER,
        "DROP TABLE customers; INSERT INTO orders VALUES (101, 'since'), (102, 'since');"
        "ALTER TABLE orders ADD COLUMN half_done int; CREATE TABLE added AS SELECT 1 AS n;",
        "corner",
    )


@contextmanager
def locked(shop, table):
    """Somebody at work on that table, who has not come to an end."""
    psql = [shop.pg.bin_dir / "psql", "--quiet", "--tuples-only", "--no-align"]
    where = [f"--host={shop.pg.data_dir.parent}", f"--port={shop.pg.port}"]
    session = subprocess.Popen(
        [*psql, *where, "--username=postgres", "corner"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert session.stdin is not None
    assert session.stdout is not None
    session.stdin.write(f"BEGIN; LOCK TABLE {table}; SELECT 'locked';\n")
    session.stdin.flush()
    assert session.stdout.readline() == "locked\n"
    try:
        yield
    finally:
        session.communicate()


def restore(shop, *flags, **changes):
    return shop.fab("-H", "demo", "restore", *flags, **changes)


def test_a_failed_deploy_is_undone_exactly_and_the_undoing_can_be_undone(shop):
    before = plain_dump(shop.pg, "corner")
    ruin(shop)
    ruined = plain_dump(shop.pg, "corner")

    done = restore(shop, "--file=latest", "--yes")
    assert done.returncode == 0, done.stderr
    assert plain_dump(shop.pg, "corner") == before
    assert shop.status()["result"] == "success"
    assert shop.status()["lost"] == "3 rows in 2 tables"

    done = restore(shop, "--undo", "--yes")
    assert done.returncode == 0, done.stderr
    assert plain_dump(shop.pg, "corner") == ruined


def test_the_plan_tells_what_would_be_lost_and_touches_nothing(shop):
    ruin(shop)
    ruined = plain_dump(shop.pg, "corner")
    files = sorted(path.name for path in shop.backup_dir.iterdir())

    done = restore(shop, "--file=v1.0.0", "--plan")
    assert done.returncode == 0, done.stderr
    assert re.search(r"orders +100 +102 +2$", done.stdout, re.MULTILINE)
    assert "compared  the number of rows alone" in done.stdout
    assert re.search(r"customers +1 +- +\+1$", done.stdout, re.MULTILINE)
    assert "table public.added" in done.stdout
    assert "DB_NAME=corner  (config/demo.env)" in done.stdout
    told = json.loads(restore(shop, "--file=v1.0.0", "--plan", "--json").stdout)
    assert told["rows"]["public.orders"] == {"then": 100, "now": 102, "lost": 2}
    assert told["rows"]["public.customers"] == {"then": 1, "now": None, "lost": 0}
    assert told["mode"] == "transaction"

    assert plain_dump(shop.pg, "corner") == ruined
    assert sorted(path.name for path in shop.backup_dir.iterdir()) == files


def test_without_a_terminal_and_without_yes_nothing_happens(shop):
    ruin(shop)
    ruined = plain_dump(shop.pg, "corner")
    done = restore(shop, "--file=latest")
    assert done.returncode == 14
    assert "--yes" in done.stderr
    assert plain_dump(shop.pg, "corner") == ruined


def test_chosen_tables_come_back_beside_the_live_ones(shop):
    ruin(shop)
    ruined = shop.pg.superuser("SELECT count(*) FROM orders", "corner")
    done = restore(shop, "--file=latest", "--table=orders", "--table=public.customers")
    assert done.returncode == 0, done.stderr
    (schema,) = re.findall(r"into the schema (restored_\w+)", done.stdout)
    for table, rows in {"orders": "100", "customers": "1"}.items():
        assert f"{table}: {rows} rows" in done.stdout
        found = shop.pg.superuser(f"TABLE {schema}.{table}", "corner")
        assert len(found.splitlines()) == int(rows)
    assert shop.pg.superuser("SELECT count(*) FROM orders", "corner") == ruined
    assert restore(shop, "--file=latest", "--table=nothing").returncode == 14


def test_what_cannot_be_rehearsed_is_warned_of_and_refused_where_a_way_back_is_demanded(shop):
    shop.pg.superuser("REVOKE TEMP ON DATABASE corner FROM PUBLIC, shop", "corner")
    shop.pg.superuser(
        "ALTER DATABASE corner OWNER TO postgres; GRANT CREATE ON DATABASE corner TO shop"
    )
    done = shop.predeploy("v2")
    assert done.returncode == 0
    assert "could not be rehearsed" in done.stderr
    assert "Proven readable" not in done.stdout
    assert shop.predeploy("v3", BACKUP_REHEARSAL="require").returncode == 14
    assert restore(shop, "--file=v1.0.0", "--yes").returncode == 14
    assert shop.predeploy("v4", BACKUP_REHEARSAL="off").returncode == 0


def test_a_table_that_could_not_be_counted_is_not_taken_for_one_that_loses_nothing(shop):
    ruin(shop)
    with locked(shop, "orders"):
        told = json.loads(restore(shop, "--file=latest", "--plan", "--json").stdout)
    assert told["lost"] == "at least 1 row; not counted: public.orders"
    assert told["not_counted"] == ["public.orders"]


def test_the_newest_archive_goes_into_another_database(shop):
    before = plain_dump(shop.pg, "corner")
    shop.pg.superuser("DROP DATABASE IF EXISTS staging WITH (FORCE)")
    shop.pg.superuser(f"CREATE DATABASE staging OWNER {OWNER}")
    done = restore(shop, "--file=latest", "--to=staging", "--yes")
    assert done.returncode == 0, done.stderr
    assert plain_dump(shop.pg, "staging") == before
    assert restore(shop, "--drop-old", "--plan", "--yes").returncode == 2
