"""What PostgreSQL writes in other words once it is restored is no difference; all else is."""

import pytest

from sandbox.postgres import create_owner, identifier
from tests.integration.drills import EQUAL, grade, nothing_stays, statement, tampered
from tests.integration.everything import plain_dump
from tests.project import PASSWORD

__all__ = ["tampered"]  # a fixture

ROLE = "wordy"
# pg_dump writes each otherwise after the first restore, and in the same way from then on.
REWORDED = """
CREATE DOMAIN size AS varchar(9) CHECK (value IN ('s', 'm'));
CREATE TABLE worded (
    a varchar(9) CHECK (a IN ('x', 'y')) DEFAULT 'x',
    b varchar CONSTRAINT "b (of worded)" CHECK (b <> ALL (ARRAY['x', 'y'])),
    c varchar(9), d boolean GENERATED ALWAYS AS (c IN ('x', 'y')) STORED, s size);
INSERT INTO worded (a, b, c, s) VALUES ('x', 'z', 'y', 's');
CREATE INDEX on_some ON worded (c) WHERE c IN ('x', 'y');
CREATE POLICY partly ON worded USING (a IN ('x', 'y')) WITH CHECK (b NOT IN ('x', 'y'));
CREATE VIEW counted AS WITH RECURSIVE r AS (SELECT 1 AS i, NULL::integer
    UNION ALL SELECT i + 1, NULL::integer FROM r WHERE i < 3) SELECT i FROM r;
CREATE VIEW joined AS
    SELECT q.a FROM (SELECT a, b FROM worded UNION ALL SELECT a, NULL FROM worded) q
    WHERE q.a IN ('x', 'y');
CREATE MATERIALIZED VIEW kept AS SELECT a FROM worded WHERE a IN ('x', 'y');
CREATE RULE quiet AS ON UPDATE TO worded WHERE old.a IN ('x', 'y') DO INSTEAD NOTHING;
"""
DAMAGE = (
    "SET client_min_messages = error; ALTER TABLE worded DROP COLUMN b CASCADE; DROP VIEW counted"
)


@pytest.fixture
def reworded(start_server, make_project, ssh):
    """Make a project whose database holds all of these."""
    made = []

    def make(major, **settings):
        pg = start_server(major)
        database = f"reworded{len(made)}"
        create_owner(pg, role=ROLE, password=PASSWORD, database=database)
        made.append((pg, database))
        pg.superuser(f"GRANT CREATE ON SCHEMA public TO {ROLE}", database)
        pg.run_as(ROLE, REWORDED, database)
        return make_project(pg, ssh, DB_NAME=database, DB_USER=ROLE, **settings)

    yield make
    for pg, database in made:
        pg.superuser(f"DROP DATABASE {identifier(database)} WITH (FORCE)")
        pg.superuser(f"DROP ROLE {ROLE}")


@pytest.mark.parametrize("major", [14, 18])
def test_what_is_worded_otherwise_once_restored_is_equal_and_stays_so(reworded, major):
    project = reworded(major, BACKUP_DRILL="cluster")
    pg, database = project.pg, project.profile["DB_NAME"]
    before = plain_dump(pg, database)

    done = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 0, done.stderr
    assert grade(project) == "equal"
    assert "written in other words once restored" in done.stderr
    nothing_stays(project)
    texts = []
    for _ in range(2):
        pg.run_as(ROLE, DAMAGE, database)
        back = project.fab("-H", "demo", "restore", "--file=latest", "--yes", "--no-safety")
        assert back.returncode == 0, back.stderr
        texts.append(plain_dump(pg, database))
    assert texts[0] == texts[1]
    assert texts[0] != before
    again = project.fab("-H", "demo", "predeploy", "--version=v2", EQUAL)
    assert again.returncode == 0, again.stderr
    assert "written in other words" not in again.stderr


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "ALTER TABLE worded DROP CONSTRAINT worded_a_check, ADD CHECK (a IN ('x', 'z'))",
            "TABLE public.worded has become: ",
        ),
        ("DROP INDEX on_some", "INDEX public.on_some is not in the test restore"),
        ("CREATE INDEX more ON worded (a)", "INDEX public.more is in the test restore alone"),
        (
            "ALTER POLICY partly ON worded USING (a IN ('x'))",
            "POLICY public.worded partly has become",
        ),
        ("COMMENT ON TABLE worded IS 'new'", "COMMENT public.TABLE worded is in the test restore"),
    ],
)
def test_a_true_difference_beside_them_is_13_and_is_shown(reworded, tampered, change, told):
    project = reworded(None)
    changed = tampered(
        statement(change),
        BACKUP_DRILL="cluster",
        DB_NAME=project.profile["DB_NAME"],
        DB_USER=ROLE,
    )

    done = changed.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 13, done.stderr
    assert told in done.stderr
    assert changed.archives() == []
