"""What a restore could not bring back is told before, and refused."""

import pytest

from tests.integration.databases import archived, dumped, is_refused, make_database, restored
from tests.project import OWNER

__all__ = ["make_database"]  # fixtures
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
