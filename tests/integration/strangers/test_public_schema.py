"""The rights of who owns the schema public come back; those of others are told in words."""

import json

import pytest

from tests.integration.extensions import by, dumped, gated, restored
from tests.integration.strangers.test_stays import OTHER, make_stay
from tests.project import OWNER

__all__ = ["make_stay"]  # a fixture

SUPERUSER = "postgres"
RIGHTS = (
    f"REVOKE CREATE ON SCHEMA public FROM {OWNER}",
    f"REVOKE ALL ON SCHEMA public FROM {OWNER}, PUBLIC; GRANT USAGE ON SCHEMA public TO {OWNER}",
    f"GRANT USAGE ON SCHEMA public TO {OTHER}; REVOKE CREATE ON SCHEMA public FROM PUBLIC",
)


@pytest.mark.parametrize("rights", RIGHTS)
@pytest.mark.parametrize("major", [14, pytest.param(15, marks=pytest.mark.thorough)])
def test_what_its_owner_has_given_away_is_given_away_after_a_restore(make_stay, major, rights):
    project = make_stay(major)
    by(SUPERUSER, project, f"ALTER SCHEMA public OWNER TO {OWNER}")
    by(OWNER, project, f"CREATE TABLE a (n int); {rights}")
    gated(project)
    before = dumped(project)
    by(OWNER, project, f"DROP TABLE a; GRANT ALL ON SCHEMA public TO {OWNER}, PUBLIC")

    restored(project, "--no-safety", "--mode=transaction")

    assert dumped(project) == before


def test_grants_and_comments_of_others_are_told_in_words(make_stay):
    project = make_stay()
    new = f"CREATE SEQUENCE q; GRANT SELECT ON q TO {OWNER}; COMMENT ON SEQUENCE q IS 'x';"
    new += "CREATE VIEW v AS SELECT 1 AS n; COMMENT ON COLUMN v.n IS 'x'"
    by(SUPERUSER, project, f"SET ROLE {OTHER}; {new}")
    by(OWNER, project, "CREATE TABLE a (n int)")
    gated(project)

    flags = ("--file=latest", "--plan", "--json", "--mode=swap")
    told = json.loads(project.fab("-H", "demo", "restore", *flags).stdout)["obstacles"]["swap"]

    for what in (
        "grants on sequence public.q",
        "comment on sequence public.q",
        "the value of the sequence public.q",
        "comment on column public.v.n",
    ):
        assert any(line.startswith(f"{what} belongs to the role {OTHER}") for line in told), told
