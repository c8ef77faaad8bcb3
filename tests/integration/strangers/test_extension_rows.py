"""Rows that an extension marks as its configuration: they come back, or are told beforehand."""

import json

import pytest

from tests.integration.extensions import A_TABLE, ONE, SAMPLE, by, dumped, gated, restored
from tests.project import OWNER

ROWS = """
INSERT INTO settings (name) VALUES ('mine'), ('also mine');
INSERT INTO parts VALUES (1, 'of mine'), (1, E'two\\nlines');
"""
# What a deploy, or the application, does to them.
CHANGES = "DELETE FROM settings WHERE id = 1; UPDATE settings SET name = 'other' WHERE id = 2;"
CHANGES += (
    "INSERT INTO settings (name) VALUES ('new'), ('newer'); INSERT INTO parts VALUES (4, 'x');"
)
WRITABLE = {
    "granted": f"""
        GRANT SELECT, INSERT, UPDATE, DELETE ON settings, parts TO {OWNER};
        GRANT ALL ON SEQUENCE settings_id_seq TO {OWNER};
    """,
    "given away": f"ALTER TABLE settings OWNER TO {OWNER}; ALTER TABLE parts OWNER TO {OWNER};",
}
READABLE = f"GRANT SELECT ON settings, parts, settings_id_seq TO {OWNER};"
READABLE += f"GRANT USAGE ON SCHEMA public TO {OWNER};"


def configured(project, rights, rows=ROWS):
    by("postgres", project, "CREATE EXTENSION configured;" + rights + rows)
    by(OWNER, project, A_TABLE)


def unwrapped(text):
    return " ".join(text.split())


@pytest.mark.parametrize("rights", WRITABLE)
@pytest.mark.parametrize("major", SAMPLE)
def test_they_come_back_where_the_role_may_write_them(make_extended, major, rights):
    project = make_extended(major)
    configured(project, WRITABLE[rights])
    told = gated(project, "--proof=equal")
    assert "would not bring back" not in told
    before = dumped(project)
    by(OWNER, project, CHANGES + "DROP TABLE a;")
    assert dumped(project) != before

    told = restored(project)

    assert "lost      1 row in 1 table" in told
    assert dumped(project) == before
    built_in = "SELECT count(*) FROM settings WHERE built_in"
    assert project.pg.superuser(built_in, project.profile["DB_NAME"]) == "2"


@pytest.mark.parametrize("major", ONE)
def test_those_that_the_role_cannot_write_are_told_by_the_gate_doctor_and_plan(
    make_extended, major
):
    project = make_extended(major)
    configured(project, READABLE)
    told = gated(project, "--proof=equal")
    for table in ("parts", "settings"):
        grant = f"GRANT SELECT, INSERT, DELETE ON public.{table} TO {OWNER}"
        line = f"the rows of public.{table}, of the extension configured: {grant}"
        assert f"fab restore would not bring back {line}" in told
        assert line in unwrapped(project.fab("-H", "demo", "doctor").stdout)
    before = dumped(project)
    by(OWNER, project, "DROP TABLE a;")
    told = restored(project)  # they are as they were
    assert "not brought back" not in told
    assert dumped(project) == before

    by("postgres", project, CHANGES)
    plan = project.fab("-H", "demo", "restore", "--file=latest", "--plan", "--json").stdout
    told = restored(project)

    assert (
        json.loads(plan)["lost"]
        == "no rows, by their number; some of what others own is not brought back"
    )
    assert len(json.loads(plan)["not_brought_back"]) == 2
    assert "These stay as they are now" in told


@pytest.mark.parametrize("major", ONE)
def test_what_is_not_to_be_read_is_told_before_the_dump_with_the_grant(make_extended, major):
    project = make_extended(major)
    configured(project, "", rows="")
    done = project.predeploy()
    assert done.returncode == 10
    assert f"the role {OWNER} may not read: public.parts public.settings" in done.stderr
    doctor = project.fab("-H", "demo", "doctor")
    assert doctor.returncode != 0
    assert "may not read: public.parts public.settings" in unwrapped(doctor.stdout)
    by("postgres", project, READABLE)
    gated(project)


@pytest.mark.parametrize("major", ONE)
def test_row_security_on_a_table_of_an_extension_is_told_before_the_dump(make_extended, major):
    project = make_extended(major)
    configured(project, READABLE + "ALTER TABLE settings ENABLE ROW LEVEL SECURITY;")
    done = project.predeploy()
    assert done.returncode == 10
    assert "row level security may hide rows" in done.stderr
    assert "public.settings" in done.stderr


@pytest.mark.parametrize("extension", ["trusted configured", "open configured"])
@pytest.mark.parametrize("major", ONE)
def test_those_of_an_extension_of_ours_come_back_with_it_or_stop_a_restore(
    make_extended, major, extension
):
    """Of a trusted one, the tables belong to a superuser: only its script can let us write."""
    project = make_extended(major)
    by(OWNER, project, f'CREATE EXTENSION "{extension}";')
    by("postgres", project, READABLE + ROWS)
    by(OWNER, project, A_TABLE)
    told = gated(project)
    before = dumped(project)
    by(OWNER, project, "DROP TABLE a;")
    if extension.startswith("trusted"):
        refused = "the rows of public.settings would go with the extension"
        assert refused in told
        done = project.fab("-H", "demo", "restore", "--file=latest", "--yes")
        assert done.returncode == 14
        assert refused in done.stdout
    else:
        restored(project)
        by("postgres", project, READABLE)  # which nobody but a superuser can give
        assert dumped(project) == before


@pytest.mark.parametrize("major", ONE)
def test_tables_that_a_restore_does_not_touch_can_be_left_out_and_are_named(make_extended, major):
    project = make_extended(major, BACKUP_EXCLUDE_TABLES='public.set*, public.parts, o."Odd *"')
    configured(project, "ALTER TABLE settings ENABLE ROW LEVEL SECURITY;")
    by("postgres", project, 'CREATE SCHEMA o; CREATE TABLE o."Odd *" (i int);')
    without = ("public.settings", "public.parts", 'o."Odd *"')
    told = gated(project, "--proof=restored")
    manifest = project.archives()[-1].with_suffix(".manifest").read_text(encoding="utf-8")
    for name in without:
        assert f"without  {name} (BACKUP_EXCLUDE_TABLES)" in told
        assert f"missing={name} (BACKUP_EXCLUDE_TABLES)" in manifest
    before = dumped(project)
    by(OWNER, project, "DROP TABLE a;")
    told = restored(project)
    assert dumped(project) == before
    assert "The archive is without" in told
    assert "no swap: " in told


@pytest.mark.parametrize("major", ONE)
def test_tables_that_a_restore_would_drop_are_not_left_out(make_extended, major):
    project = make_extended(major, BACKUP_EXCLUDE_TABLES="*.?")
    by(OWNER, project, A_TABLE)
    done = project.predeploy()
    assert done.returncode == 10
    assert (
        f"leaves out what belongs to {OWNER}, and what a restore would drop: public.a"
        in done.stderr
    )
    assert project.archives() == []
