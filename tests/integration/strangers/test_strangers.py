"""Somebody who may create in `public` answers for a name of ours: that gets them nowhere."""

from types import SimpleNamespace

import pytest

from tests.integration.cutting import programs_of
from tests.names.runs import session_of
from tests.processes import wait_for
from tests.project import DATABASE, OWNER

EQUAL = "--proof=equal"
# For the superuser of a test restore, who has a program run that writes a file.
FORMAT = """
CREATE FUNCTION public.spring() RETURNS text VOLATILE LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch {sprung}''';
    END IF;
    RETURN '';
END $$;
CREATE FUNCTION public.fold(int) RETURNS text IMMUTABLE LANGUAGE plpgsql
    AS $$ BEGIN RETURN public.spring(); END $$;
CREATE FUNCTION public.format(text, name) RETURNS text IMMUTABLE LANGUAGE sql
    AS $$ SELECT public.fold(1) $$;
"""
# For the owner of the database, whose tables are given away.
CONCAT = """
CREATE FUNCTION public.take() RETURNS text VOLATILE LANGUAGE plpgsql AS $$ BEGIN
    IF current_user = '{owner}' THEN
        EXECUTE 'GRANT ALL ON ALL TABLES IN SCHEMA public TO stranger';
    END IF;
    RETURN '';
END $$;
CREATE FUNCTION public.fold(int) RETURNS text IMMUTABLE LANGUAGE plpgsql
    AS $$ BEGIN RETURN public.take(); END $$;
CREATE FUNCTION public.concat_ws(text, text, text, text, text) RETURNS text IMMUTABLE LANGUAGE sql
    AS $$ SELECT public.fold(1) $$;
"""
# In the maintenance database, for what is then told to psql.
JOINED = """
CREATE FUNCTION public.join_it(text, int4) RETURNS text VOLATILE LANGUAGE plpgsql
    AS $$ BEGIN RETURN $1 || E'0 \\\\! touch {sprung} #'; END $$;
CREATE OPERATOR public.|| (LEFTARG = text, RIGHTARG = int4, FUNCTION = public.join_it);
"""


@pytest.fixture
def stranger(pg):
    """A role of the server that owns nothing, and may create in `public` everywhere."""
    pg.superuser("CREATE ROLE stranger LOGIN")
    for database in (DATABASE, "postgres"):
        pg.superuser("GRANT CREATE ON SCHEMA public TO stranger", database)
    yield "stranger"
    for database in (DATABASE, "postgres"):
        pg.superuser("DROP OWNED BY stranger CASCADE", database)
    pg.superuser("DROP ROLE stranger")


@pytest.mark.parametrize("place", ["cluster", "runner"])
def test_it_does_not_become_the_superuser_of_a_test_restore(
    pg, project, stranger, ground, monkeypatch, place
):
    sprung = project.ssh.home / f"sprung-{place}"
    pg.run_as(stranger, FORMAT.replace("{sprung}", str(sprung)), DATABASE)
    monkeypatch.setenv("PATH", f"{pg.bin_dir}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(ground))

    done = project.with_profile(BACKUP_DRILL=place).fab(
        "-H", "demo", "predeploy", "--version=v1", EQUAL
    )

    assert done.returncode == 0, done.stderr
    assert not sprung.exists()


def test_it_does_not_become_the_owner_while_it_is_asked_who_waits_for_a_dump(pg, project, stranger):
    pg.run_as(stranger, CONCAT.replace("{owner}", OWNER), DATABASE)
    programs = programs_of(project)
    programs.hold("pg_dump", "*--snapshot*")
    programs.hold("psql", "*pg_blocking_pids*", when="after")
    slow = project.with_profile(DB_BIN_DIR=str(programs.directory))
    run = slow.start("-H", "demo", "predeploy", "--version=v1")
    wait_for(lambda: programs.waits("psql"))  # which has asked then
    programs.release("psql")
    programs.release("pg_dump")
    _, errors = run.communicate(timeout=120)

    assert run.returncode == 0, errors
    granted = "SELECT has_table_privilege('stranger', 'customers', 'SELECT')"
    assert pg.superuser(granted, DATABASE) == "f"


def test_it_has_no_say_in_what_is_told_to_psql(pg, project, stranger):
    sprung = project.ssh.home / "sprung-joined"
    pg.run_as(stranger, JOINED.replace("{sprung}", str(sprung)), "postgres")
    pg.superuser(f"ALTER ROLE {OWNER} CREATEDB")

    done = project.with_profile(BACKUP_DRILL="database").fab(
        "-H", "demo", "predeploy", "--version=v1", EQUAL
    )

    pg.superuser(f"ALTER ROLE {OWNER} NOCREATEDB")
    assert done.returncode == 0, done.stderr
    assert not sprung.exists()


# Of an index: who counts the rows of that table has them run, with his rights, by the planner.
COUNTED = """
CREATE FUNCTION public.take() RETURNS int VOLATILE LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_catalog.set_config('search_path', 'public, pg_catalog', false);
    RAISE LOG 'planned as % in %', current_user, current_setting('application_name');
    IF current_user = '{owner}' THEN
        EXECUTE 'GRANT ALL ON ALL TABLES IN SCHEMA public TO stranger';
    END IF;
    RETURN 0;
EXCEPTION WHEN read_only_sql_transaction THEN RETURN 0;
END $$;
CREATE FUNCTION public.fold() RETURNS int IMMUTABLE LANGUAGE plpgsql
    AS $$ BEGIN RETURN public.take(); END $$;
CREATE FUNCTION public.translate(text, text, text) RETURNS text VOLATILE LANGUAGE plpgsql
    AS $$ BEGIN PERFORM public.take(); RETURN $1; END $$;
CREATE TABLE public.theirs (n int);
CREATE INDEX ON public.theirs ((n + public.fold()));
"""


def test_a_role_that_ours_acts_for_changes_nothing_by_being_counted(pg, project, stranger):
    """Its function is run with our rights, in a transaction that only reads, and is told of."""
    log = pg.data_dir.parent / "server.log"
    pg.superuser(f"GRANT {stranger} TO {OWNER}")
    pg.run_as(stranger, COUNTED.replace("{owner}", OWNER), DATABASE)
    seen = log.stat().st_size

    assert project.predeploy().returncode == 0
    done = project.fab("-H", "demo", "restore", "--file=latest", "--plan")

    assert done.returncode == 0, done.stderr
    assert f"planned as {OWNER} in fabric-predeploy" in log.read_text()[seen:]
    granted = "SELECT has_table_privilege('stranger', 'customers', 'SELECT')"
    assert pg.superuser(granted, DATABASE) == "f"
    told = " ".join(project.fab("-H", "demo", "doctor", BACKUP_VERSION="v1").stdout.split())
    assert f"{OWNER} acts for other roles" in told
    assert "of their tables: stranger" in told


def test_a_view_that_they_put_in_place_of_a_table_is_not_read(pg, project, stranger):
    """Between its being listed and its being counted, as a lock on another table lets them."""
    restricted = "SELECT count(*) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'"
    assert pg.superuser(restricted) == "1"
    log = pg.data_dir.parent / "server.log"
    pg.superuser(f"GRANT {stranger} TO {OWNER}")
    pg.run_as(stranger, COUNTED.replace("{owner}", OWNER), DATABASE)
    seen = log.stat().st_size
    view = "DROP TABLE public.theirs; CREATE VIEW public.theirs AS SELECT public.take() AS n"
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock'"

    with session_of(SimpleNamespace(pg=pg), "postgres", "ACCESS EXCLUSIVE"):
        run = project.start("-H", "demo", "predeploy", "--version=v1")
        wait_for(lambda: pg.superuser(waiting) != "0")
        pg.run_as(stranger, view, DATABASE)
    _, errors = run.communicate(timeout=120)

    assert run.returncode == 12, errors
    told = log.read_text()[seen:]
    assert 'access to non-system view "theirs" is restricted' in told
    assert "planned as" not in told
