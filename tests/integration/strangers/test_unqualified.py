"""Functions that a restore runs without a search path, and that need one, are named beforehand."""

import os

import pytest

from sandbox.postgres import create_owner
from tests.project import PASSWORD

SCHEMA = """
CREATE TABLE words (w text);
CREATE FUNCTION helper(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
CREATE FUNCTION known(t text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN RETURN NOT EXISTS (SELECT FROM words WHERE w = t); END $$;
CREATE FUNCTION fixed(t text) RETURNS bool LANGUAGE plpgsql IMMUTABLE SET search_path = public AS $$
    BEGIN RETURN NOT EXISTS (SELECT FROM words WHERE w = t); END $$;
CREATE FUNCTION inner_one(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN RETURN helper($1); END $$;
CREATE FUNCTION outer_one(text) RETURNS text LANGUAGE sql IMMUTABLE
    AS 'SELECT public.inner_one($1)';
CREATE FUNCTION fine(text) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT public.helper($1) || 'helper(' -- from words $$;
CREATE FUNCTION unused() RETURNS text LANGUAGE sql AS 'SELECT w FROM words';
CREATE DOMAIN word AS text CHECK (known(value));
CREATE TABLE t (a text CHECK (known(a)), b text CHECK (fixed(b)),
    c text GENERATED ALWAYS AS (outer_one(a)) STORED, d text GENERATED ALWAYS AS (fine(a)) STORED);
CREATE INDEX by_inner ON t (inner_one(a));
"""


@pytest.mark.parametrize(
    "major", [None, *(pytest.param(n, marks=pytest.mark.thorough) for n in (14, 15, 16, 18))]
)
def test_each_is_named_with_what_it_is_run_for_and_no_other(start_server, make_project, ssh, major):
    pg, name = start_server(major), f"unqualified{os.urandom(3).hex()}"
    create_owner(pg, role=name, password=PASSWORD, database=name)
    pg.run_as(name, SCHEMA, name)
    project = make_project(pg, ssh, DB_NAME=name, DB_USER=name)

    done = project.predeploy()

    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if "a restore may fail" in line]
    assert len(told) == 4, told
    for function, names, user in (
        ("known", "words", "constraint word_check"),
        ("known", "words", "constraint t_a_check on table"),
        ("inner_one", "helper()", "generated column c of table"),
        ("inner_one", "helper()", "index"),
    ):
        assert any(f"{function}(text) names {names} " in line and user in line for line in told)
    assert "unqualified" not in done.stdout
