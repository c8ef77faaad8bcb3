"""Whoever made the database's contents, or has got hold of the key, gets no further than that."""

import pytest

from sandbox.postgres import create_owner
from sandbox.shop import fill
from sandbox.sshd import available, openssh
from tests.integration.everything import plain_dump
from tests.project import PASSWORD, ROWS

pytestmark = pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")

# Whatever a role may let others run: once a superuser does, a program writes the file.
TRAPS = """
CREATE FUNCTION public.spring() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE 'COPY (SELECT 1) TO PROGRAM ''cat >{sprung}''';
    END IF;
    RETURN 1;
END $$;
CREATE FUNCTION public.trap() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    RETURN public.spring();
END $$;
CREATE TYPE public.pair AS (a int, b int);
CREATE FUNCTION public.trap(public.pair) RETURNS text LANGUAGE sql AS 'SELECT public.trap()::text';
CREATE CAST (public.pair AS text) WITH FUNCTION public.trap(public.pair) AS IMPLICIT;
CREATE TABLE public.baited (n int CHECK (public.trap() > 0), p public.pair,
    g int GENERATED ALWAYS AS (public.trap()) STORED);
CREATE INDEX ON public.baited ((public.trap() + n));
ALTER TABLE public.baited ENABLE ROW LEVEL SECURITY;
CREATE POLICY trap ON public.baited USING (public.trap() > 0);
CREATE MATERIALIZED VIEW public.bait AS SELECT public.trap();
INSERT INTO public.baited VALUES (1, (1, 2));
CREATE FUNCTION public.format(text, name) RETURNS text IMMUTABLE LANGUAGE sql
    AS 'SELECT public.trap()::text';
"""
# In a name, a line of its own that psql would take for a command.
NAMES = r"""
DO $do$ DECLARE name text := E'x\n\\! touch {sprung}\n\\setenv PGPASSWORD x\n--'; BEGIN
    EXECUTE format('CREATE TABLE public.%I (n int)', name);
    EXECUTE format('COMMENT ON TABLE public.%I IS %L', name, name);
    EXECUTE format('CREATE SEQUENCE public.%I', 's' || name);
END $do$;
"""


# Half of each line would be a statement, or a command of psql, for who reads single lines.
REFRESHED = r"""
DO $do$ BEGIN
    EXECUTE format('CREATE MATERIALIZED VIEW public.%I AS SELECT 1 AS a', E'a\n');
    EXECUTE format('CREATE MATERIALIZED VIEW public.%I AS SELECT 1 AS a', 'b\! touch {sprung} #');
    EXECUTE format('CREATE TABLE public.%I (n int)', E't\nSET lock_timeout = 0;\n');
    EXECUTE format('GRANT SELECT ON public.%I TO PUBLIC', E't\nSET lock_timeout = 0;\n');
END $do$;
"""


@pytest.fixture(scope="module")
def prey(pg):
    create_owner(pg, role="prey", password=PASSWORD, database="prey")
    fill(pg, database="prey", owner="prey", rows=ROWS)
    return pg


@pytest.mark.parametrize("hostile", [TRAPS, NAMES, REFRESHED], ids=["functions", "names", "views"])
def test_what_a_database_holds_runs_nothing_on_the_host(prey, make_project, ssh, hostile):
    """Neither while it is dumped and counted, nor in a test restore, nor when it comes back."""
    sprung = ssh.home / "sprung"
    project = make_project(prey, ssh, DB_NAME="prey", DB_USER="prey", BACKUP_DRILL="cluster")
    prey.run_as("prey", "DROP SCHEMA public CASCADE; CREATE SCHEMA public", "prey")
    prey.run_as("prey", hostile.replace("{sprung}", str(sprung)), "prey")
    before = plain_dump(prey, "prey")

    done = project.predeploy("v1", BACKUP_PROOF="equal", BACKUP_CONTENT="hash")
    assert done.returncode == 0, done.stderr
    done = project.fab("-H", "demo", "restore", "--file=latest", "--yes")

    assert done.returncode == 0, done.stderr
    assert plain_dump(prey, "prey") == before
    assert not sprung.exists()


# A function that a restore runs has the rights of the restore: it changes how the session reads
# what comes next.
MEDDLING = r"""
CREATE FUNCTION public.meddle(t text) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
    PERFORM set_config('standard_conforming_strings', 'off', false);
    PERFORM set_config('client_encoding', 'SJIS', false);
    PERFORM set_config('search_path', 'public', false);
    RETURN true;
END $$;
CREATE TABLE public.checked (t text CHECK (public.meddle(t)));
INSERT INTO public.checked VALUES ('x');
CREATE INDEX after_the_rows ON public.checked (t);
DO $do$ BEGIN
    EXECUTE format('COMMENT ON INDEX public.after_the_rows IS %L',
        E'x\\''\n\\! touch {sprung}\n\u00c1''\n');
END $do$;
"""


def test_what_a_function_sets_in_the_session_of_a_restore_changes_nothing_of_what_comes_back(
    prey, make_project, ssh
):
    sprung = ssh.home / "sprung"
    project = make_project(prey, ssh, DB_NAME="prey", DB_USER="prey")
    prey.run_as("prey", "DROP SCHEMA public CASCADE; CREATE SCHEMA public", "prey")
    prey.run_as("prey", MEDDLING.replace("{sprung}", str(sprung)), "prey")
    before = plain_dump(prey, "prey")
    assert project.predeploy("v1").returncode == 0

    done = project.fab("-H", "demo", "restore", "--file=latest", "--yes", "--mode=transaction")

    assert done.returncode == 0, done.stderr
    assert plain_dump(prey, "prey") == before
    assert not sprung.exists()


def test_the_trap_that_nothing_springs_would_go_off(prey):
    sprung = prey.data_dir / "sprung"
    prey.run_as("prey", "DROP SCHEMA public CASCADE; CREATE SCHEMA public", "prey")
    prey.run_as("prey", TRAPS.replace("{sprung}", str(sprung)), "prey")

    prey.superuser("SELECT public.trap()", "prey")

    assert sprung.exists()
    sprung.unlink()


def test_a_key_that_may_do_nothing_but_run_commands_is_enough(ground, make_project, pg):
    """`restrict` in authorized_keys: no forwarding, no terminal, no rc file."""
    with openssh(ground) as ssh:
        keys = next(
            each / "authorized_keys"
            for each in ssh.home.parents
            if (each / "authorized_keys").exists()
        )
        keys.write_text(f"restrict {keys.read_text()}")
        project = make_project(pg, ssh)

        assert project.predeploy().returncode == 0
