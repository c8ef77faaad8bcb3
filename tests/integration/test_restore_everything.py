"""What comes back, on every supported major version: all of it; or the plan says what would not."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from sandbox.postgres import identifier, literal
from sandbox.sshd import available, openssh
from tests.integration.everything import create_everything, fail_a_deploy, plain_dump
from tests.project import OWNER, PASSWORD, Project

MAJORS = (14, 15, 16, 17, 18)
SAFE_REFRESH = 17  # from here on, the session's search_path does not reach into a refresh


@pytest.fixture
def make_database(start_server, make_project, ssh) -> Iterator[Callable[..., Project]]:
    """A project with an empty database of its own on the server of that version."""
    made = []

    def make(major: int | None = None, database: str = "everything", **settings) -> Project:
        pg = start_server(major)
        drop(pg, database)
        pg.superuser(f"CREATE DATABASE {identifier(database)} OWNER {OWNER}")
        made.append((pg, database))
        return make_project(pg, ssh, DB_NAME=database, **settings)

    yield make
    for pg, database in made:
        drop(pg, database)


def drop(pg, database):
    pg.superuser(f"DROP DATABASE IF EXISTS {identifier(database)} WITH (FORCE)")


def dumped(project):
    name = project.profile["DB_NAME"].replace("\\", "\\\\").replace("'", "\\'")
    return plain_dump(project.pg, f"dbname='{name}'")


def restore(project, *flags, **changes):
    return project.fab("-H", "demo", "restore", *flags, **changes)


def archived(project):
    done = project.predeploy()
    assert done.returncode == 0, done.stderr
    assert "Proven readable" in done.stdout, done.stderr


def restored(project, *flags):
    done = restore(project, "--file=latest", "--yes", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def restored_by_hand(project):
    """What pg_restore makes of the archive in an empty database."""
    pg, archive = project.pg, project.archives()[0]
    drop(pg, "by_hand")
    pg.superuser(f"CREATE DATABASE by_hand OWNER {OWNER}")
    try:
        command = [pg.bin_dir / "pg_restore", "--exit-on-error", "--file=-", archive]
        script = subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout
        if pg.major < SAFE_REFRESH:
            refresh = "REFRESH MATERIALIZED VIEW public.by_search_path;"
            assert refresh in script
            script = script.replace(refresh, "RESET search_path;" + refresh)
        pg.superuser(script, "by_hand")
        return plain_dump(pg, "by_hand")
    finally:
        drop(pg, "by_hand")


@pytest.mark.parametrize("major", MAJORS)
def test_a_database_with_everything_in_it_comes_back_byte_for_byte(make_database, major):
    project = make_database(major)
    create_everything(project.pg, "everything", OWNER)
    archived(project)
    before = dumped(project)
    fail_a_deploy(project.pg, "everything", OWNER)
    assert dumped(project) != before

    restored(project)

    assert dumped(project) == before
    # None has the OID that the archive knows.
    plan = restore(project, "--file=latest", "--plan", "--json")
    assert json.loads(plan.stdout)["disappears"] == []


@pytest.mark.parametrize("major", MAJORS)
def test_what_pg_dump_does_not_round_trip_is_what_a_restore_into_an_empty_database_makes_of_it(
    make_database, major
):
    """Without what a superuser installed in `public`, the deploy may drop even that."""
    project = make_database(major)
    create_everything(project.pg, "everything", OWNER, foreign_extension=False, inheritance=True)
    archived(project)
    before = dumped(project)
    fail_a_deploy(project.pg, "everything", OWNER, drop_public=True)

    restored(project)

    assert dumped(project) == restored_by_hand(project) != before


@pytest.mark.parametrize("major", [14, 15, 18])
def test_a_schema_public_that_belongs_to_the_owner_does_so_afterwards(make_database, major):
    project = make_database(major)
    pg = project.pg
    pg.superuser(f"ALTER SCHEMA public OWNER TO {OWNER}", "everything")
    pg.run_as(OWNER, "CREATE TABLE public.t AS SELECT 1 AS n;", "everything")
    archived(project)
    before, schema = dumped(project), described_public(pg)
    deploy = "DROP TABLE public.t; REVOKE ALL ON SCHEMA public FROM PUBLIC;"
    pg.run_as(OWNER, deploy, "everything")

    restored(project)
    assert dumped(project) == before

    deploy = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE public.u (n int);"
    pg.run_as(OWNER, deploy, "everything")
    archive = project.archives()[0].name
    done = restore(project, f"--file={archive}", "--yes")
    assert done.returncode == 0, done.stderr
    assert described_public(pg) == schema
    # With public, 14 has forgotten what initdb gave, and tells the same grants otherwise.
    assert dumped(project) == before or major == 14


def described_public(pg):
    return pg.superuser(
        "SELECT n.nspowner::regrole, obj_description(n.oid), array(SELECT acl::text"
        " FROM unnest(n.nspacl) AS acl ORDER BY 1) FROM pg_namespace n WHERE nspname = 'public'",
        "everything",
    )


# What the owner has; and a guest, who has made something of it.
OURS = """
CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE TABLE plain (n int PRIMARY KEY, mood mood);
INSERT INTO plain VALUES (1, 'happy');
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n';
CREATE FUNCTION notice() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE SCHEMA inside; CREATE TABLE inside.t (n int);
GRANT ALL ON plain TO guest; GRANT ALL ON SCHEMA public, inside TO guest;
"""


@pytest.fixture
def shop(make_database):
    """Ours, and a guest beside us in the database."""
    project = make_database()
    pg = project.pg
    if not pg.superuser("SELECT 1 FROM pg_roles WHERE rolname = 'guest'"):
        pg.superuser("CREATE ROLE guest")
    pg.superuser("ALTER SCHEMA public OWNER TO pg_database_owner", "everything")
    pg.run_as(OWNER, OURS, "everything")
    return project


def is_refused(project, *told, flags=("--file=latest", "--yes")):
    """By the plan, by name, and before anything is touched."""
    before, files = dumped(project), sorted(path.name for path in project.archives())
    done = restore(project, *flags)
    assert done.returncode == 14, done.stdout + done.stderr
    assert "nothing was touched" in done.stderr
    for words in told:
        assert words in done.stdout
        assert "This role cannot do it" in done.stdout
    assert dumped(project) == before
    assert sorted(path.name for path in project.archives()) == files
    return done


BEFORE_THE_ARCHIVE = {
    "CREATE TABLE foreign_one AS SELECT 1 AS n; GRANT SELECT ON foreign_one TO shop": (
        "table public.foreign_one belongs to the role postgres: shop cannot put its rows back"
    ),
    "CREATE FUNCTION raw(int) RETURNS int LANGUAGE internal AS 'int4abs';"
    "ALTER FUNCTION raw OWNER TO shop": (
        "public.raw(integer) is written in internal, which only a superuser may use"
    ),
    "ALTER FUNCTION twice LEAKPROOF": "public.twice(integer) is leakproof",
    "CREATE SUBSCRIPTION feed CONNECTION 'dbname=nowhere' PUBLICATION p"
    " WITH (connect = false, slot_name = NONE)": (
        "the subscription feed fills tables of this database"
    ),
    "CREATE FOREIGN DATA WRAPPER wrapper; GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO shop;"
    "SET ROLE shop; CREATE SERVER far FOREIGN DATA WRAPPER wrapper;"
    "CREATE USER MAPPING FOR guest SERVER far OPTIONS (user 'x')": (
        "the user mapping of guest for the server far may have options"
    ),
}


def test_what_this_role_could_not_make_again_is_told_by_predeploy_and_refused(shop):
    try:
        for sql in BEFORE_THE_ARCHIVE:
            shop.pg.superuser(sql, "everything")
        done = shop.predeploy()
        assert done.returncode == 0, done.stderr
        assert "Proven readable" not in done.stdout
        for told in BEFORE_THE_ARCHIVE.values():
            assert f"fab restore could not go back to this archive: {told}" in done.stderr

        is_refused(shop, *BEFORE_THE_ARCHIVE.values())
    finally:
        shop.pg.superuser("DROP SUBSCRIPTION IF EXISTS feed", "everything")


SINCE_THE_ARCHIVE = {
    "CREATE VIEW public.theirs AS SELECT * FROM plain": "view public.theirs",
    "CREATE TABLE t1 (n int REFERENCES plain)": "foreign key t1_n_fkey on table public.t1",
    "CREATE TABLE t2 (mood mood)": "column mood of table public.t2",
    "CREATE TABLE t3 (n int); CREATE INDEX by_twice ON t3 (twice(n))": "index public.by_twice",
    "CREATE TABLE t4 (n int DEFAULT twice(1))": "default value for column n of table public.t4",
    "CREATE POLICY p ON t4 USING (twice(n) > 1)": "policy p on table public.t4",
    "CREATE DOMAIN d AS int CHECK (twice(value) > 0)": "constraint d_check",
    "CREATE FUNCTION f(mood) RETURNS int LANGUAGE sql AS 'SELECT 1'": "function public.f(",
}
OF_A_SUPERUSER = {
    "CREATE EVENT TRIGGER on_end ON ddl_command_end EXECUTE FUNCTION notice()": (
        "event trigger on_end"
    ),
    "CREATE PUBLICATION theirs FOR TABLE plain": (
        "publication of table public.plain in publication theirs"
    ),
}


def test_what_of_other_roles_would_go_with_ours_is_named_and_refused(shop):
    archived(shop)
    shop.pg.superuser("SET ROLE guest;" + ";".join(SINCE_THE_ARCHIVE), "everything")
    for sql in OF_A_SUPERUSER:
        shop.pg.superuser(sql, "everything")

    done = is_refused(shop, *SINCE_THE_ARCHIVE.values(), *OF_A_SUPERUSER.values())
    told = [line for line in done.stdout.splitlines() if "it would go with what it depends" in line]
    for whose, whats in (("guest", SINCE_THE_ARCHIVE), ("postgres", OF_A_SUPERUSER)):
        for what in whats.values():
            assert any(what in line and f"belongs to the role {whose}:" in line for line in told)


def test_an_untrusted_extension_that_is_gone_is_refused(shop):
    shop.pg.superuser("CREATE EXTENSION pageinspect", "everything")
    archived(shop)
    shop.pg.superuser("DROP EXTENSION pageinspect", "everything")

    is_refused(shop, "the extension pageinspect is not one that shop may create: it is not trusted")


@pytest.mark.parametrize("deploy", ["SELECT 1", "DROP TABLE depot.t; DROP FUNCTION depot.f"])
def test_a_schema_that_lets_us_create_no_more_is_refused(shop, deploy):
    pg = shop.pg
    pg.superuser("CREATE SCHEMA depot; GRANT ALL ON SCHEMA depot TO shop", "everything")
    function = "CREATE FUNCTION depot.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    pg.run_as(OWNER, f"CREATE TABLE depot.t (n int); {function}", "everything")
    archived(shop)
    pg.run_as(OWNER, deploy, "everything")
    pg.superuser("REVOKE CREATE ON SCHEMA depot FROM shop", "everything")

    is_refused(shop, "the role shop may not create in the schema depot: GRANT CREATE ON SCHEMA")


def test_schemas_to_be_made_in_a_database_that_lets_us_make_none_are_refused(shop):
    archived(shop)
    shop.pg.superuser("ALTER DATABASE everything OWNER TO postgres", "everything")

    is_refused(shop, "shop may not create schemas", "GRANT CREATE ON DATABASE everything TO shop")


STAYS = """
CREATE PUBLICATION theirs FOR TABLES IN SCHEMA inside;
CREATE SCHEMA AUTHORIZATION shop; CREATE PUBLICATION others FOR TABLES IN SCHEMA shop;
CREATE SCHEMA given AUTHORIZATION shop;
ALTER DEFAULT PRIVILEGES FOR ROLE guest IN SCHEMA given GRANT SELECT ON TABLES TO shop;
CREATE SCHEMA shared AUTHORIZATION shop;
CREATE FUNCTION shared.theirs() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""


def test_what_others_have_in_a_schema_of_ours_stays(shop):
    shop.pg.superuser(STAYS, "everything")
    archived(shop)
    before = dumped(shop)
    deploy = "DROP TABLE inside.t, plain; COMMENT ON SCHEMA shared IS 'x'; CREATE SCHEMA added;"
    shop.pg.run_as(OWNER, deploy, "everything")

    restored(shop)

    assert dumped(shop) == before


def test_a_rehearsal_may_stop_a_deploy_or_be_left_out(shop):
    shop.pg.superuser("ALTER FUNCTION twice LEAKPROOF", "everything")

    done = shop.fab("-H", "demo", "predeploy", "--version=v1", "--rehearsal=require")
    assert done.returncode == 14, done.stderr
    assert "public.twice(integer) is leakproof" in done.stderr
    assert shop.archives() == shop.leftovers() == []

    done = shop.predeploy(BACKUP_REHEARSAL="off")
    assert done.returncode == 0
    assert "leakproof" not in done.stderr
    assert len(shop.archives()) == 1


ODD_NAMES = ["a blank", "--help", """Übung 'ß' "x" \\ $HOME %s""", "host=x port=1"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_role_and_a_database_with_odd_names_are_restored(make_database, name):
    project = make_database(None, f"{name} db", DB_USER=f"{name} role")
    pg, database, role = project.pg, f"{name} db", f"{name} role"
    pg.superuser(f"CREATE ROLE {identifier(role)} LOGIN PASSWORD {literal(PASSWORD)}")
    try:
        pg.superuser(f"ALTER DATABASE {identifier(database)} OWNER TO {identifier(role)}")
        sql = 'CREATE SCHEMA "its own"; CREATE TABLE "its own"."odd \n one" AS SELECT 1 AS n;'
        pg.run_as(role, sql + "SELECT lo_from_bytea(0, 'large')", database)
        archived(project)
        before = dumped(project)
        pg.run_as(role, 'DROP SCHEMA "its own" CASCADE; CREATE TABLE half_done ()', database)

        restored(project)

        assert dumped(project) == before
    finally:
        drop(pg, database)
        pg.superuser(f"DROP ROLE {identifier(role)}")


def test_a_superuser_restores_what_only_a_superuser_could(make_database):
    project = make_database(None, DB_USER="boss")
    pg = project.pg
    pg.superuser(f"CREATE ROLE boss SUPERUSER LOGIN PASSWORD {literal(PASSWORD)}")
    try:
        pg.superuser("ALTER DATABASE everything OWNER TO boss")
        sql = (
            "CREATE EXTENSION pageinspect; CREATE TABLE plain AS SELECT 1 AS n;"
            "CREATE FUNCTION raw(int) RETURNS int LEAKPROOF LANGUAGE internal AS 'int4abs';"
            "CREATE FUNCTION notice() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
            "CREATE EVENT TRIGGER at_end ON ddl_command_end EXECUTE FUNCTION notice();"
            "CREATE PUBLICATION everything FOR ALL TABLES;"
        )
        pg.run_as("boss", sql, "everything")
        archived(project)
        before = dumped(project)
        sql = "DROP EXTENSION pageinspect; DROP FUNCTION raw, notice CASCADE; DROP TABLE plain"
        pg.run_as("boss", sql, "everything")

        restored(project, "--mode=transaction")

        assert dumped(project) == before
    finally:
        drop(pg, "everything")
        pg.superuser("DROP ROLE boss")


@pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")
def test_the_plan_of_500_tables_takes_three_requests_and_a_few_seconds(
    ground, start_server, make_database, make_project
):
    with openssh(ground, extra_config="LogLevel VERBOSE") as ssh:
        pg = make_database().pg
        project = make_project(pg, ssh, DB_NAME="everything")
        pg.run_as(
            OWNER,
            "SELECT format('CREATE TABLE t%s (id int PRIMARY KEY)', n)"
            " FROM generate_series(1, 500) n \\gexec",
            "everything",
        )
        archived(project)
        pg.run_as(OWNER, "INSERT INTO t7 VALUES (1); DROP TABLE t8", "everything")
        log = ssh.home.parents[1] / "sshd.log"
        before, began = log.read_text().count("Starting session: "), time.monotonic()

        done = restore(project, "--file=latest", "--plan")

        assert done.returncode == 0, done.stderr
        assert "1 row in 1 table" in done.stdout
        assert log.read_text().count("Starting session: ") - before <= 3
        assert time.monotonic() - began < 15


def test_more_tables_than_one_transaction_may_lock_stop_the_deploy_with_the_remedy(make_database):
    project = make_database()
    create = "SELECT format('CREATE TABLE t%s (id serial PRIMARY KEY, t text UNIQUE)', n)"
    sql = f"{create} FROM generate_series(1, 430) n \\gexec"
    project.pg.run_as(OWNER, f"BEGIN;{sql}\nCOMMIT;", "everything")
    told = r"would need about \d+ locks, .* raise max_locks_per_transaction to (128|192)$"
    remedy = re.compile(told, re.MULTILINE)
    gate = project.predeploy(BACKUP_REHEARSAL="require")
    assert gate.returncode == 14
    assert remedy.search(gate.stderr)
    assert project.predeploy(BACKUP_REHEARSAL="warn").returncode == 0

    done = is_refused(project, "one transaction would need about")

    assert remedy.search(done.stdout)


# A table of these needs many locks when it is dropped, and few when it comes back.
BUSY_TABLES = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
SELECT format('CREATE TABLE t%s (id serial PRIMARY KEY, t text UNIQUE, p int REFERENCES t%s)',
        n, greatest(n - 1, 1)),
    format('CREATE VIEW v%s AS SELECT * FROM t%s', n, n),
    format('CREATE RULE r AS ON DELETE TO t%s DO INSTEAD NOTHING', n)
FROM generate_series(1, 190) n \\gexec
SELECT format('CREATE TRIGGER a%s BEFORE INSERT ON t%s FOR EACH ROW EXECUTE FUNCTION touch()', m, n)
FROM generate_series(1, 190) n, generate_series(1, 8) m \\gexec
"""


@pytest.mark.parametrize("major", [14, 18])
def test_what_is_told_to_fit_into_one_transaction_does(make_database, major):
    """As many tables and triggers as the server is told to have room for, and the table is full."""
    project = make_database(major)
    project.pg.run_as(OWNER, BUSY_TABLES, "everything")
    assert project.predeploy(BACKUP_REHEARSAL="require").returncode == 0
    before = dumped(project)
    project.pg.run_as(OWNER, "CREATE TABLE since AS SELECT * FROM t1", "everything")
    restored(project, "--mode=transaction")
    assert dumped(project) == before


def test_a_shared_schema_that_belongs_to_another_role_now_must_be_given_back_first(shop):
    shop.pg.superuser(
        "CREATE SCHEMA shared AUTHORIZATION shop; GRANT guest TO shop;"
        "CREATE FUNCTION shared.theirs() RETURNS int LANGUAGE sql AS 'SELECT 1';"
        "GRANT CREATE ON DATABASE everything TO guest",
        "everything",
    )
    archived(shop)
    before = dumped(shop)
    shop.pg.run_as(OWNER, "ALTER SCHEMA shared OWNER TO guest", "everything")
    try:
        is_refused(shop, "now belongs to the role guest: ALTER SCHEMA shared OWNER TO shop")
        shop.pg.run_as(OWNER, "ALTER SCHEMA shared OWNER TO shop", "everything")
        restored(shop)
        assert dumped(shop) == before
    finally:
        shop.pg.superuser("REVOKE guest FROM shop", "everything")


@pytest.mark.parametrize("major", [15, 18])
def test_a_schema_public_that_was_made_anew_belongs_to_whom_it_did(make_database, major):
    """As many a framework empties a database."""
    project = make_database(major)
    project.pg.run_as(OWNER, "CREATE TABLE public.t AS SELECT 1 AS n", "everything")
    archived(project)
    before = dumped(project)
    deploy = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE public.u (n int);"
    project.pg.run_as(OWNER, deploy, "everything")

    restored(project)

    assert dumped(project) == before
