"""A test restore goes the way back over its copy: what would fail in a restore, fails there."""

import pytest

from sandbox.postgres import create_owner
from tests.integration.drills import EQUAL, grade, nothing_stays, tampered
from tests.project import PASSWORD

__all__ = ["tampered"]  # a fixture

RESTORED = "--proof=restored"
# A session in the copy, in whose way only the wipe comes.
HELD = """(exec "{real}/psql" -X -q -c "BEGIN; LOCK TABLE customers IN ACCESS SHARE MODE;
SELECT pg_sleep(300)" </dev/null >/dev/null 2>&1) & sleep 2"""
OF_BOTH = """
CREATE EXTENSION pg_trgm; CREATE EXTENSION intarray;
CREATE ROLE stockist; CREATE ROLE neighbour; GRANT stockist TO mixed;
CREATE SCHEMA given AUTHORIZATION mixed;
CREATE TABLE not_ours (i int); ALTER TABLE not_ours OWNER TO neighbour;
ALTER TABLE not_ours ADD v varchar CHECK (v IN ('a', 'b')); GRANT SELECT ON not_ours TO mixed;
CREATE TABLE of_a_group (i int); ALTER TABLE of_a_group OWNER TO stockist;
GRANT CREATE ON SCHEMA public TO mixed, stockist;
"""
OF_THE_ROLE = """
CREATE EXTENSION pgcrypto; CREATE EXTENSION citext; COMMENT ON EXTENSION pgcrypto IS 'ours';
CREATE TABLE given.words (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, w public.citext);
INSERT INTO given.words (w) SELECT 'w' || i FROM generate_series(1, 30) AS i;
CREATE INDEX alike ON given.words USING gin ((w::text) public.gin_trgm_ops);
CREATE TABLE small (id int PRIMARY KEY, of uuid REFERENCES given.words);
INSERT INTO small SELECT 1, id FROM given.words LIMIT 1;
CREATE FUNCTION is_word(public.citext) RETURNS boolean LANGUAGE sql STABLE
    AS 'SELECT EXISTS (SELECT FROM given.words WHERE w OPERATOR(public.=) $1)';
CREATE TABLE looked_up (w public.citext CHECK (public.is_word(w)));
INSERT INTO looked_up VALUES ('w1');
"""


def gone_back(done):
    return "trying the way back over the test restore" in done.stderr


def test_a_wipe_that_cannot_be_made_fails_in_the_test_restore(tampered):
    project = tampered(HELD, BACKUP_DRILL="cluster", BACKUP_LOCK_TIMEOUT="1")

    done = project.fab("-H", "demo", "predeploy", "--version=v1", RESTORED)

    assert done.returncode == 13, done.stderr
    assert "the way back over the test restore of the dump failed" in done.stderr
    assert "the wipe could not be made" in done.stderr
    assert project.archives() == []
    nothing_stays(project)


@pytest.mark.parametrize("rows", ["0", "50"])
def test_rows_of_large_tables_and_of_those_that_refer_to_them_are_left_out(project, rows):
    settings = {"BACKUP_DRILL": "cluster", "BACKUP_DRILL_AGAIN": rows}

    done = project.with_profile(**settings).fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 0, done.stderr
    assert gone_back(done)
    assert grade(project) == "equal"


@pytest.fixture
def mixed(start_server, make_project, ssh):
    """Make a project in whose database some is a superuser's, some the role's, some another's."""
    made = []

    def make(major, **settings):
        pg = start_server(major)
        create_owner(pg, role="mixed", password=PASSWORD, database="mixed")
        made.append(pg)
        pg.superuser(OF_BOTH, "mixed")
        pg.run_as("mixed", OF_THE_ROLE, "mixed")
        return make_project(pg, ssh, DB_NAME="mixed", DB_USER="mixed", **settings)

    yield make
    for pg in made:
        pg.superuser("DROP DATABASE mixed WITH (FORCE)")
        pg.superuser("DROP ROLE mixed, stockist, neighbour")


@pytest.mark.parametrize("major", [14, 18])
def test_each_owns_there_what_he_owns_in_the_live_database(mixed, major):
    project = mixed(major, BACKUP_DRILL="cluster", BACKUP_DRILL_AGAIN="10")

    foreign = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)
    project.pg.superuser("ALTER TABLE not_ours OWNER TO mixed", "mixed")
    ours = project.fab("-H", "demo", "predeploy", "--version=v2", EQUAL)

    assert foreign.returncode == 0, foreign.stderr
    assert "the way back was not tried over the test restore" in foreign.stderr
    assert "not_ours belongs to the role neighbour" in foreign.stderr
    assert ours.returncode == 0, ours.stderr
    assert gone_back(ours)
    assert "trying it without any rows" in ours.stderr
    assert grade(project) == "equal"
    damage = "DROP EXTENSION pgcrypto; DROP TABLE looked_up; CREATE TABLE new (i int)"
    project.pg.run_as("mixed", damage, "mixed")
    back = project.fab("-H", "demo", "restore", "--file=latest", "--yes", "--no-safety")
    assert back.returncode == 0, back.stderr
    nothing_stays(project)
