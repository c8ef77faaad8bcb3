"""What other roles own, in every form: it stays, or the plan names it and its owner first."""

import json
import re

import pytest

from sandbox.postgres import literal
from tests.catalogue import changes
from tests.catalogue.ground import DATABASE, Owners
from tests.catalogue.kinds import all_kinds, kinds_of
from tests.catalogue.test_catalogue import MAJORS, all_come_back, make_ground
from tests.project import OWNER, PASSWORD

__all__ = ["make_ground"]  # a fixture

SAMPLE = [None, *(pytest.param(major, marks=pytest.mark.thorough) for major in MAJORS)]
# What no person would know it by: an inner trigger, an inner table, a number.
INNER = re.compile(r"RI_ConstraintTrigger|pg_toast|_RETURN|\b\d{5,}\b")
NEVER_OURS = ("event_trigger", "publication_of_all")  # as only a superuser may own these


def obstacles(ground, way="transaction"):
    done = ground.restore("--plan", "--json", f"--mode={way}")
    told = json.loads(done.stdout)["obstacles"][way]
    assert not [line for line in told if INNER.search(line)]
    return told


def unnamed(kinds, told, owner, name=lambda kind: kind.schema):
    """Those of which no line tells, with their owner."""
    lines = [line for line in told if re.search(rf"\brole {owner}\b", line)]
    return [kind.name for kind in kinds if not any(f"{name(kind)}" in line for line in lines)]


def shown(kind):
    return f"n_{kind.name}" if kind.type in changes.WITHOUT_SCHEMA else kind.schema


def without_rows(kinds):
    """Of which a role that is not their owner keeps the definition, and no rows."""
    made = re.compile(r"CREATE (UNLOGGED )?(TABLE|SEQUENCE|EXTENSION)|lo_from_bytea")
    return [kind for kind in kinds if not made.search(kind.make)]


def open_to_others(ground):
    """So that others can build upon all of it."""
    ours = "namespace::regnamespace::text ~ '^k_'"
    usage = "SELECT format('GRANT USAGE ON TYPE %s TO other', {}::regtype)"
    ground.pg.superuser(
        f"{usage.format('oid')} FROM pg_type WHERE typ{ours} AND typtype IN ('e', 'd', 'r')"  # noqa: S608 - our own
        f" UNION ALL {usage.format('reltype')} FROM pg_class WHERE relkind = 'c' AND rel{ours}"
        " UNION ALL SELECT format('GRANT ALL ON %s TO other', oid::regclass)"
        f" FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND rel{ours} \\gexec",
        DATABASE,
    )


def is_refused(ground, before):
    done = ground.restore("--yes", "--no-safety", "--mode=transaction")
    assert done.returncode == 14, done.stdout + done.stderr
    assert ground.dumped() == before


@pytest.mark.parametrize("major", SAMPLE)
def test_what_others_have_in_schemas_of_ours_stays(make_ground, major):
    ground = make_ground(major, Owners(OWNER, "other"))
    ground.make(without_rows(kinds_of(ground.pg.major)))
    ground.pg.superuser(f"SET ROLE {OWNER}; CREATE TABLE ours AS SELECT 1 AS n", DATABASE)
    ground.archive()
    before = ground.dumped()
    ground.pg.superuser(f"SET ROLE {OWNER}; DROP TABLE ours", DATABASE)
    assert not ground.comes_back(before, "transaction")


@pytest.mark.parametrize("major", SAMPLE)
def test_what_a_deploy_has_dropped_of_others_is_named_with_its_owner(make_ground, major):
    """Who owns a schema may drop what others have in it, and cannot bring it back."""
    ground = make_ground(major, Owners(OWNER, "other"))
    several = without_rows(kinds_of(ground.pg.major))
    ground.make(kind for kind in several if kind.type not in changes.WITHOUT_SCHEMA)
    ground.archive()
    dropped = ground.deploy(lambda kind: f"DROP SCHEMA {kind.schema} CASCADE;", OWNER)
    told = obstacles(ground)
    assert unnamed(dropped, told, "other") == [], told
    is_refused(ground, ground.dumped())


@pytest.mark.parametrize("major", SAMPLE)
def test_what_others_have_built_upon_ours_is_named_with_its_owner(make_ground, major):
    ground = make_ground(major, Owners(OWNER, OWNER))
    ground.make(kind for kind in kinds_of(ground.pg.major) if kind.use)
    open_to_others(ground)
    ground.archive()
    changed = ground.deploy(changes.built_upon, "other")
    told = obstacles(ground)
    assert unnamed(changed, told, "other", lambda kind: f"on_{kind.name}") == [], told
    key = "foreign key to_it on table on_table.on_it belongs to the role other"
    assert any(key in each for each in told)
    is_refused(ground, ground.dumped())


@pytest.mark.parametrize("major", SAMPLE)
def test_what_has_been_given_to_others_is_named_with_its_owner(make_ground, major):
    ground = make_ground(major, Owners(OWNER, OWNER))
    ground.make(kinds_of(ground.pg.major))
    ground.archive()
    changed = ground.deploy(changes.given("other", "postgres"))
    changed = [kind for kind in changed if kind.type != "LARGE OBJECT"]
    told = obstacles(ground)
    assert unnamed(changed, told, "other", shown) == [], told
    is_refused(ground, ground.dumped())


@pytest.mark.parametrize("major", SAMPLE)
def test_what_others_have_given_to_us_is_named_with_its_owner(make_ground, major):
    """We could make it anew, but not for them."""
    ground = make_ground(major, Owners(OWNER, "other"))
    ground.make(without_rows(kinds_of(ground.pg.major)))
    ground.archive()
    changed = ground.deploy(changes.given(OWNER, "postgres"))
    told = obstacles(ground)
    assert unnamed(changed, told, "other", shown) == [], told
    is_refused(ground, ground.dumped())


@pytest.mark.parametrize("major", SAMPLE)
@pytest.mark.parametrize(
    "turn", [0, *(pytest.param(n, marks=pytest.mark.thorough) for n in range(1, 10))]
)
def test_what_others_have_made_under_our_names_is_named_with_its_owner(make_ground, major, turn):
    ground = make_ground(major, Owners(OWNER, OWNER))
    ground.make(kinds_of(ground.pg.major))
    open_to_others(ground)
    ground.archive()
    for_us = changes.replaced(turn)

    def by_others(kind):
        done = for_us(kind)
        gone = changes.dropped(kind)
        return done.replace(gone, f"{gone} SET ROLE other;") if done else ""

    changed = ground.deploy(by_others)
    told = obstacles(ground)
    assert unnamed(changed, told, "other") == [], told
    is_refused(ground, ground.dumped())


@pytest.mark.parametrize("major", SAMPLE)
def test_what_only_a_superuser_can_make_is_named_by_the_gate(make_ground, major):
    ground = make_ground(major, Owners(OWNER, "postgres"))
    kinds = [k for k in all_kinds() if "refused" in k.flags and k.since <= ground.pg.major]
    ground.make(kinds)
    ground.kinds = [kind for kind in ground.kinds if kind.name not in NEVER_OURS]
    given = ground.deploy(changes.given(OWNER, "postgres"))
    done = ground.project.predeploy(BACKUP_REHEARSAL="require")
    assert done.returncode == 14, done.stdout + done.stderr
    ground.archive("warn")
    told = obstacles(ground)
    lines = "\n".join(told)
    assert [kind.name for kind in given if shown(kind) not in lines] == [], lines
    is_refused(ground, ground.dumped())


@pytest.mark.parametrize("major", SAMPLE)
def test_a_superuser_brings_back_all_that_a_superuser_can_make(make_ground, major):
    """The first one too, whom pg_shdepend does not know."""
    ground = make_ground(major, Owners("postgres", "postgres"), user="postgres")
    kinds = kinds_of(ground.pg.major, superuser=True)
    ground.pg.superuser(f"ALTER ROLE postgres PASSWORD {literal(PASSWORD)}")
    ground.make(kinds)
    several = changes.of_a_deploy("postgres") if major else {"dropped": changes.dropped}
    all_come_back(ground, "transaction", several)


def test_a_key_of_ours_to_a_table_of_others_does_not_stand_in_the_way(make_ground):
    ground = make_ground(None, Owners(OWNER, OWNER))
    ground.pg.superuser(
        "CREATE SCHEMA far; CREATE TABLE far.r (n int PRIMARY KEY);"
        f"GRANT USAGE ON SCHEMA far TO {OWNER}; GRANT SELECT, REFERENCES ON far.r TO {OWNER};"
        f"SET ROLE {OWNER}; CREATE TABLE ours (n int REFERENCES far.r)",
        DATABASE,
    )
    ground.archive("warn")
    assert [each for each in obstacles(ground) if "rows back" not in each] == []
