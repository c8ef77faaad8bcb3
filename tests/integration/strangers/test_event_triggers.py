"""Event triggers of others: doctor sets none of them in motion, and one that fails is named."""

import pytest

from tests.integration.extensions import A_TABLE, ONE, by, dumped, gated, restored
from tests.project import OWNER

LOG = """
CREATE TABLE ddl_log (id serial, tag text);
GRANT ALL ON ddl_log, ddl_log_id_seq TO PUBLIC;
CREATE FUNCTION log_ddl() RETURNS event_trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO ddl_log (tag) VALUES (tg_tag); END $$;
CREATE EVENT TRIGGER audit_ddl ON ddl_command_end EXECUTE FUNCTION log_ddl();
"""
WATCH = """
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NOTIFY ddl; END $$;
CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watch();
"""
GIVEN = "the event trigger audit_ddl of the role postgres, which runs public.log_ddl()"


def numbers(project):
    return project.pg.superuser("SELECT last_value FROM ddl_log_id_seq", project.profile["DB_NAME"])


@pytest.mark.parametrize("major", ONE)
def test_one_that_fails_in_a_restore_is_named_and_doctor_runs_none(make_extended, major):
    project = make_extended(major, BACKUP_REHEARSAL="warn")
    by(OWNER, project, A_TABLE)
    by("postgres", project, LOG)
    before = numbers(project)
    doctor = project.fab("-H", "demo", "doctor")
    assert f"not looked at: that would run {GIVEN}" in " ".join(doctor.stdout.split())
    assert numbers(project) == before

    told = " ".join(gated(project).split())
    assert 'could not be rehearsed: ERROR: relation "ddl_log" does not exist' in told
    assert f"meanwhile runs {GIVEN}: let its owner give that function a search path" in told
    done = project.fab("-H", "demo", "restore", "--file=latest", "--yes")
    assert done.returncode == 14
    assert GIVEN in done.stdout + done.stderr


@pytest.mark.parametrize("major", ONE)
def test_one_that_holds_is_no_obstacle(make_extended, major):
    project = make_extended(major)
    by(OWNER, project, A_TABLE)
    by("postgres", project, WATCH)
    gated(project)
    before = dumped(project)
    by(OWNER, project, "DROP TABLE a;")

    restored(project)

    assert dumped(project) == before
