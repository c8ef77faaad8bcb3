"""Materialized views come back with their rows, whatever they read."""

from tests.integration.round_trip import round_trip

# pg_dump knows nothing of what a function's body reads: it writes them in the order of their names.
EACH_READS_THE_NEXT = """
CREATE TABLE app.orders AS SELECT n AS id FROM generate_series(1, 9) n;
CREATE MATERIALIZED VIEW app.c AS SELECT count(*) AS n FROM app.orders;
CREATE FUNCTION app.of_c() RETURNS int LANGUAGE plpgsql
    AS 'BEGIN RETURN (SELECT n FROM app.c); END';
CREATE MATERIALIZED VIEW app.b AS SELECT app.of_c() AS n;
CREATE FUNCTION app.of_b() RETURNS int LANGUAGE plpgsql
    AS 'BEGIN RETURN (SELECT n FROM app.b); END';
CREATE MATERIALIZED VIEW app.a AS SELECT app.of_b() AS n;
CREATE MATERIALIZED VIEW app.without AS SELECT 1 AS n WITH NO DATA;
"""


def test_a_view_that_reads_a_later_one_through_a_function_has_its_rows_again(pg, ssh, make_project):
    with round_trip(pg, ssh, make_project) as trip:
        trip.fill(EACH_READS_THE_NEXT)
        trip.holds("--proof=restored")
        assert trip.superuser("SELECT n FROM app.a") == "9"
