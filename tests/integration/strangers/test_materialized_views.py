"""Materialized views come back with their rows, whatever they read."""

import pytest

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


# It holds rows now, and its query fails for whoever asks again.
FAILS_LATER = """
CREATE TABLE app.answers (n int);
INSERT INTO app.answers VALUES (1);
CREATE MATERIALIZED VIEW app.fails AS SELECT 1 / n AS n FROM app.answers;
CREATE MATERIALIZED VIEW app.holds AS SELECT n FROM app.answers;
CREATE MATERIALIZED VIEW app.without AS SELECT 1 AS n WITH NO DATA;
UPDATE app.answers SET n = 0;
"""


@pytest.mark.parametrize("place", ["cluster", "database"])
def test_the_gate_tells_of_a_view_that_would_hold_no_rows(pg, ssh, make_project, place):
    with round_trip(pg, ssh, make_project, BACKUP_DRILL=place) as trip:
        trip.fill(FAILS_LATER)
        done = trip.predeploy("--proof=equal", "--quiet")
        assert done.returncode == 0, done.stdout + done.stderr
        assert (
            "are empty once it is restored, because their queries fail (see above): 1\n"
            in done.stderr
        )


@pytest.mark.parametrize("way", ["transaction", "swap"])
def test_a_view_whose_query_fails_is_named_and_the_others_have_their_rows(
    pg, ssh, make_project, way
):
    with round_trip(pg, ssh, make_project) as trip:
        trip.fill(FAILS_LATER)
        assert trip.predeploy("--proof=read").returncode == 0
        trip.damage()
        done = trip.restore(way)
        assert done.returncode == 0, done.stderr
        assert "the materialized view app.fails holds no rows" in done.stdout
        assert (
            "are empty once it is restored, because their queries fail (see above): 1\n"
            in done.stderr
        )
        assert trip.superuser("SELECT n FROM app.holds") == "0"
