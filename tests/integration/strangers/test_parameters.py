"""No parameter that a user may set changes anything of a way back, at any value."""

import os
import random

import pytest

from sandbox.postgres import literal
from sandbox.workspace import SandboxError
from tests.integration.round_trip import round_trip

EQUAL = "--proof=equal"
WHOSE = {
    "role": "ROLE {0}",
    "database": "DATABASE {0}",
    "role-in-database": "ROLE {0} IN DATABASE {0}",
}
# How many values of all parameters each major version has been tried at.
VALUES = {14: 283, 15: 288, 16: 306, 17: 312, 18: 324}
# Of the enumerated ones all values, of the others both ends; plpgsql's are there once it is loaded.
PARAMETERS = """
LOAD 'plpgsql';
SELECT name, array_to_string(CASE vartype WHEN 'bool' THEN '{on,off}' WHEN 'enum' THEN enumvals
    ELSE ARRAY[min_val, max_val] END, '|')
FROM pg_settings
WHERE context = 'user' AND vartype <> 'string' OR name ~ '^plpgsql[.]' AND vartype <> 'string'
ORDER BY name
"""
# Texts with values that matter to what is written and read.
TEXTS = {
    "DateStyle": ["German", "SQL, DMY", "Postgres, MDY"],
    "TimeZone": ["Pacific/Kiritimati", "<+0330>-03:30", "America/St_Johns"],
    "client_encoding": ["LATIN1", "SQL_ASCII"],
    "plpgsql.extra_errors": ["all", "none"],
    "plpgsql.extra_warnings": ["all", "none"],
    "default_text_search_config": ["pg_catalog.german", "pg_catalog.simple"],
    "search_path": ["app", '""'],
    "createrole_self_grant": ["set, inherit", ""],
}
TURNS = 10  # as the parameter with most values has so many
CONTENT = r"""
CREATE TYPE app.mood AS ENUM ('well', 'it''s \ bad');
CREATE DOMAIN app.positive AS int CHECK (VALUE > 0);
CREATE FUNCTION app.twice(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE n_ int := n; BEGIN ASSERT n_ = n, 'backslash \ here'; RETURN 2 * n_; END $$;
CREATE FUNCTION app.nothing(n int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT $1 = NULL';
CREATE TABLE app.everything (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, texts text[], mood app.mood, paid money,
    at timestamptz CHECK (extract(year FROM at) > 1000), day date, span interval, bytes bytea,
    real real, double float8, twice int GENERATED ALWAYS AS (app.twice(3)) STORED,
    few app.positive DEFAULT 7, "Odd ""Name\" text DEFAULT E'a\\b\n''c', bits bit varying,
    json jsonb, range int4range, CHECK (app.nothing(few) IS NULL OR few > 0));
INSERT INTO app.everything
    (texts, mood, paid, at, day, span, bytes, real, double, bits, json, range)
SELECT ARRAY['x', NULL, 'NULL', '', E'\\', '{'], 'it''s \ bad', (n * 1.01)::numeric::money,
    timestamptz '1883-11-18 12:03:58+00' + n * interval '40 days 1.5 seconds',
    date '0044-03-15 BC',
    interval '-1 year -2 days +03:04:05.678', decode('00ff5c27', 'hex'), 0.1 + n, 1.0 / 3 + n,
    B'101', '{"a": [null, "\\"]}', int4range(n, n + 1)
FROM generate_series(1, 40) n;
CREATE INDEX ON app.everything (app.twice(id));
CREATE TABLE app.part (at timestamptz NOT NULL, n float8) PARTITION BY RANGE (at);
CREATE TABLE app.part_1 PARTITION OF app.part
    FOR VALUES FROM ('2024-03-31 00:00+05:45') TO ('2024-04-30 00:00+05:45');
INSERT INTO app.part VALUES ('2024-04-01 00:00+00', 0.1::float8 + 0.2);
CREATE TABLE app.refers (id int REFERENCES app.everything DEFERRABLE INITIALLY DEFERRED);
INSERT INTO app.refers SELECT id FROM app.everything;
CREATE VIEW app.seen AS SELECT id, texts, at > '2024-01-01 00:00+01' AS late, 'a\b'::text AS slash
    FROM app.everything WHERE "Odd ""Name\" LIKE '%\\b%' ESCAPE '\' OR span > interval '1 day';
CREATE MATERIALIZED VIEW app.kept AS
    SELECT id, at::text, span::text, double::text FROM app.everything;
CREATE STATISTICS app.both ON few, real FROM app.everything;
COMMENT ON TABLE app.everything IS E'it''s a \\ comment';
SELECT lo_from_bytea(0, decode('5c00ff', 'hex'));
"""


def of(pg):
    found = dict(TEXTS)
    for line in pg.superuser(PARAMETERS).splitlines():
        name, values = line.split("|", 1)
        found[name] = values.split("|")
    return found


def is_number(value):
    return value.lstrip("-").replace(".", "", 1).replace("e+", "", 1).isdigit()


def groups(parameters):
    """Few groups in which each value of each parameter is there once, at least."""
    for turn in range(max(map(len, parameters.values()))):
        yield {name: values[turn % len(values)] for name, values in parameters.items()}


def apply(trip, whose, group):
    """What a superuser may set; return what nobody may."""
    refused = []
    for name, value in group.items():
        if "." in name and whose != WHOSE["role"]:
            continue  # a swap is refused, by name: a new database could not be given this one
        shown = name if "." not in name else ".".join(f'"{part}"' for part in name.split("."))
        given = value if name in {"search_path", "createrole_self_grant", "DateStyle"} else None
        to = literal(value) if given is None or not given else given
        try:
            trip.pg.superuser(f"ALTER {whose.format(trip.database)} SET {shown} TO {to}")
        except SandboxError as error:
            refused.append(f"{name}={value}: {error}")
    return refused


def holds(trip, whose, group):
    refused = apply(trip, whose, group)
    assert len(refused) < 12, refused
    trip.holds(EQUAL)


def make(pg, ssh, make_project):
    return round_trip(pg, ssh, make_project, BACKUP_DRILL="cluster")


def test_some_that_are_drawn_change_nothing(pg, ssh, make_project):
    seed = os.environ.get("SEED") or os.urandom(4).hex()
    drawn = random.Random(seed)  # noqa: S311 - nothing secret: SEED draws the same again
    # Numbers at their lower ends alone: the upper ones are for the test of all.
    group = {
        name: values[0] if is_number(values[-1]) else drawn.choice(values)
        for name, values in of(pg).items()
    }
    with make(pg, ssh, make_project) as trip:
        trip.fill(CONTENT)
        try:
            holds(trip, drawn.choice(list(WHOSE.values())), group)
        except AssertionError as error:
            raise AssertionError(f"SEED={seed}: {group}") from error


@pytest.mark.thorough
@pytest.mark.parametrize("major", [14, 15, 16, 17, 18])
@pytest.mark.parametrize("whose", WHOSE)
@pytest.mark.parametrize("turn", range(TURNS))
def test_none_at_any_value_changes_anything(start_server, ssh, make_project, major, whose, turn):
    pg = start_server(major)
    assert sum(map(len, of(pg).values())) == VALUES[major]
    made = list(groups(of(pg)))
    assert len(made) <= TURNS
    group = made[turn % len(made)]
    with make(pg, ssh, make_project) as trip:
        trip.fill(CONTENT)
        holds(trip, WHOSE[whose], group)
