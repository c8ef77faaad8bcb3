"""Data that is gone stops the deploy: told, kept and marked, until somebody accepts it."""

import json
import re

import pytest

from sandbox.postgres import create_owner
from tests.integration.look.test_install import Account
from tests.integration.runner import Runner, outputs
from tests.project import PASSWORD

DATABASE = "depot"
FILLED = """
    CREATE TABLE shelves AS SELECT n, repeat('x', 20) AS label FROM generate_series(1, 200) n;
    CREATE TABLE "odd ""name" AS SELECT n FROM generate_series(1, 50) n;
    CREATE TABLE flags AS SELECT n FROM generate_series(1, 3) n;
"""
LOST = "public.shelves has 0 rows instead of at least 200 (-100 %)"


@pytest.fixture(scope="module")
def database(pg):
    create_owner(pg, role=DATABASE, password=PASSWORD, database=DATABASE)
    yield DATABASE
    pg.superuser(f"DROP DATABASE {DATABASE}")


@pytest.fixture
def depot(project, database):
    project.pg.superuser("DROP SCHEMA public CASCADE", database)
    project.pg.superuser(f"CREATE SCHEMA public AUTHORIZATION {database}", database)
    project.pg.run_as(database, FILLED, database)
    return project.with_profile(DB_NAME=database, DB_USER=database)


@pytest.fixture
def emptied(depot):
    """One good archive, and then nothing on the shelves."""
    assert depot.predeploy("v1").returncode == 0
    sql(depot, "TRUNCATE shelves")
    return depot


def sql(project, text):
    project.pg.run_as(DATABASE, text, DATABASE)


def predeploy(project, version, *options, **changes):
    return project.fab("-H", "demo", "predeploy", f"--version={version}", *options, **changes)


def history(project):
    listed = json.loads(project.fab("-H", "demo", "history", "--json").stdout)
    return [(each["version"], each["shrunk"]) for each in listed]


def planned(project):
    done = project.fab("-H", "demo", "restore", "--file=latest", "--plan", "--json")
    return json.loads(done.stdout)["archive"]["version"]


def test_a_table_that_was_emptied_is_14_and_named_and_its_archive_is_kept_and_marked(emptied):
    done = predeploy(emptied, "v2")

    assert done.returncode == 14
    assert f"  - {LOST}\n" in done.stderr
    assert "--accept-shrink" in done.stderr
    assert "Proven" not in done.stdout
    assert history(emptied) == [("v1", False), ("v2", True)]
    assert "read, shrunk" in emptied.fab("-H", "demo", "history").stdout
    assert emptied.leftovers() == []


def test_trying_again_does_not_help_and_latest_stays_what_one_would_go_back_to(emptied):
    assert [predeploy(emptied, v, "--keep=1").returncode for v in ("v2", "v3")] == [14, 14]

    assert history(emptied) == [("v1", False), ("v2", True), ("v3", True)]
    assert planned(emptied) == "v1"
    status = emptied.fab("-H", "demo", "status")
    assert status.returncode == 1
    assert f"problem  {LOST}" in status.stdout
    assert "newest   pricehawk-pre-deploy-v1-" in status.stdout


def test_once_the_rows_are_back_it_passes_and_those_that_had_shrunk_go(emptied):
    predeploy(emptied, "v2")
    restored = emptied.fab("-H", "demo", "restore", "--file=latest", "--no-safety", "--yes")
    assert restored.returncode == 0, restored.stderr

    assert predeploy(emptied, "v3").returncode == 0
    assert history(emptied) == [("v1", False), ("v3", False)]


def test_who_accepts_it_passes_is_on_record_and_need_not_accept_it_again(emptied):
    done = predeploy(emptied, "v2", "--accept-shrink")

    assert done.returncode == 0, done.stderr
    assert f"WARNING: shrunk: {LOST}" in done.stderr
    assert re.search("WARNING: accepted by .+@.+", done.stderr)
    manifest = emptied.archives()[-1].with_suffix(".manifest").read_text()
    assert re.search("^shrink_accepted=.+@.+$", manifest, re.MULTILINE)
    assert (planned(emptied), predeploy(emptied, "v3").returncode) == ("v2", 0)


def test_a_backup_alone_warns_and_can_accept_it_for_the_deploy_that_comes(emptied):
    done = emptied.fab("-H", "demo", "backup", "--version=v2")
    assert done.returncode == 0
    assert f"WARNING: shrunk: {LOST}" in done.stderr
    assert "is marked as shrunk" in done.stderr
    assert predeploy(emptied, "v3").returncode == 14

    assert emptied.fab("-H", "demo", "backup", "--version=v4", "--accept-shrink").returncode == 0
    assert predeploy(emptied, "v5").returncode == 0


def test_a_database_without_its_tables_is_14_and_one_table_less_is_a_warning(depot):
    assert depot.predeploy("v1").returncode == 0
    sql(depot, 'DROP TABLE "odd ""name"')
    done = predeploy(depot, "v2")
    assert done.returncode == 0
    assert (
        'WARNING: tables of the last archive are not in the database any more: public."odd ""name"'
        in done.stderr
    )

    sql(depot, "DROP TABLE shelves, flags")
    done = predeploy(depot, "v3")
    assert done.returncode == 14
    assert "all tables together have 0 rows instead of at least 203 (-100 %)" in done.stderr


def test_an_archive_of_much_fewer_bytes_is_14(depot):
    noise = "SELECT md5(n::text) AS noise FROM generate_series(1, 9000) n"
    sql(depot, f"CREATE TABLE pictures AS {noise}")
    assert depot.predeploy("v1").returncode == 0
    sql(depot, "UPDATE pictures SET noise = NULL")

    done = predeploy(depot, "v2")

    assert done.returncode == 14
    assert re.search(r"- the archive has \d+ bytes instead of about \d+ \(-\d\d %\)", done.stderr)


def test_thresholds_are_settings(emptied):
    lax = emptied.with_profile(BACKUP_SHRINK_ROWS="0")
    assert predeploy(lax, "v2").returncode == 0
    sql(emptied, 'DELETE FROM "odd ""name" WHERE n % 2 = 0')
    strict = emptied.with_profile(BACKUP_SHRINK_ROWS="50")
    done = predeploy(strict, "v3")
    assert done.returncode == 14
    assert 'public."odd ""name" has 25 rows instead of at least 50 (-50 %)' in done.stderr
    wrong = predeploy(emptied, "v4", BACKUP_SHRINK_ROWS="101", BACKUP_SHRINK_BYTES="half")
    assert wrong.returncode == 2
    assert "BACKUP_SHRINK_BYTES" in wrong.stderr


def test_on_github_what_shrank_is_in_the_annotation_and_on_the_page(emptied, tmp_path):
    files = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "page"}
    told = {name: str(tmp_path / file) for name, file in files.items()}
    for file in files.values():
        (tmp_path / file).write_text("")

    done = predeploy(emptied, "v2", GITHUB_ACTIONS="true", **told)

    (error,) = Runner().reads(done.stderr, done.stdout).told("error")
    assert error.properties["title"] == "exit code 14: refused"
    assert LOST in error.data
    assert "public.shelves has 0 rows" in (tmp_path / "page").read_text().replace("&#95;", "_")
    assert outputs(tmp_path / "output") == {}

    assert (
        predeploy(emptied, "v3", "--accept-shrink", GITHUB_ACTIONS="true", **told).returncode == 0
    )
    row = re.search(r"^\| shrunk \| (.*) \|$", (tmp_path / "page").read_text(), re.MULTILINE)
    assert "public.shelves has 0 rows" in row[1]
    assert "accepted by" in row[1]


def test_the_script_on_the_host_does_the_same(depot):
    script = depot.ssh.home / "remote-backup.sh"
    try:
        assert depot.fab("-H", "demo", "install").returncode == 0
        account = Account(depot)
        assert account.run().returncode == 0
        sql(depot, "TRUNCATE shelves")
        done = account.run("~/remote-backup.sh nightly")
        assert done.returncode == 14
        assert f"  - {LOST}\n" in done.stderr
        assert depot.status()["result"] == "failure"
        assert [shrunk for _, shrunk in history(depot)] == [False, True]
        done = account.run("~/remote-backup.sh --accept-shrink nightly")
        assert done.returncode == 0, done.stderr
        assert account.run().returncode == 0
    finally:
        script.unlink(missing_ok=True)


def test_going_back_is_not_gated(emptied):
    done = emptied.fab("-H", "demo", "restore", "--file=v1", "--yes")

    assert done.returncode == 0, done.stderr
    assert history(emptied) == [("v1", False), ("before-v1", False)]
