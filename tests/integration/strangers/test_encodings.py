"""What plain pg_dump can dump, we can: whatever the encoding, in the rows and in the names."""

import subprocess

import pytest

from sandbox.postgres import Postgres
from tests.integration.round_trip import round_trip

EQUAL = "--proof=equal"
TABLES = rb"""
CREATE SCHEMA app;
CREATE TABLE app.caf (id int PRIMARY KEY, name text DEFAULT E'd@');
INSERT INTO app.caf VALUES (1, E'a@'), (2, 'plain');
CREATE TABLE app."n@" (id int REFERENCES app.caf, "c@" text CHECK ("c@" <> 'x@'));
INSERT INTO app."n@" VALUES (1, 'y@');
CREATE FUNCTION app."f@"(t text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'b@' || t $$;
CREATE INDEX "i@" ON app."n@" (app."f@"("c@"));
CREATE TYPE app."e@" AS ENUM ('v@', E'it''s \\ @');
CREATE VIEW app."w@" AS SELECT "c@", 'l@'::text AS l FROM app."n@" WHERE "c@" <> E'q\\@';
CREATE MATERIALIZED VIEW app."m@" AS SELECT * FROM app."w@";
COMMENT ON TABLE app."n@" IS 'k@';
GRANT SELECT ON app."n@" TO PUBLIC;
"""
ENCODINGS = {
    "any-bytes": ("SQL_ASCII", b"\xe9"),
    "utf-8-in-ascii": ("SQL_ASCII", b"\xc3\xa9"),
    "latin-1": ("LATIN1", b"\xe9"),
    "windows": ("WIN1252", b"\x80"),
    "windows-without-a-character": ("WIN1252", b"\x81"),
    "japanese": ("EUC_JP", b"\xc6\xfc\xcb\xdc"),
}
LATIN1 = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"


def fill(pg: Postgres, trip, encoding: str, letter: bytes) -> None:
    """In the encoding of the database, whatever it is."""
    subprocess.run(
        [pg.bin_dir / "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"],
        input=TABLES.replace(b"@", letter),
        capture_output=True,
        check=True,
        env={
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C",
            "PGHOST": str(pg.data_dir.parent),
            "PGPORT": str(pg.port),
            "PGUSER": trip.role,
            "PGDATABASE": trip.database,
            "PGCLIENTENCODING": encoding,
        },
    )


@pytest.mark.parametrize("case", ENCODINGS)
def test_rows_and_names_come_back_in_their_encoding(pg, ssh, make_project, case):
    encoding, letter = ENCODINGS[case]
    options = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    with round_trip(pg, ssh, make_project, options=options, BACKUP_DRILL="cluster") as trip:
        fill(pg, trip, encoding, letter)
        assert letter in trip.dump()

        trip.holds(EQUAL)

        planned = trip.fab("restore", f"--file={trip.project.archives()[-1].name}", "--plan")
        assert planned.returncode == 0, planned.stderr
        assert not any("\x7f" <= each < "\xa0" for each in planned.stdout + planned.stderr)
        doctor = trip.project.fab("-H", "demo", "doctor", BACKUP_VERSION="v1")
        assert doctor.returncode == 0, doctor.stdout
