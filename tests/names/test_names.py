"""No name in a query of ours is anybody else's."""

import shutil
from pathlib import Path

import pytest
from fabric_predeploy.remote import catalog

from tests.names.overloads import PIN, used
from tests.names.runs import EQUAL, nobody_answered, slow_predeploy
from tests.project import DATABASE, OWNER

CHECKOUT = Path(catalog.__file__).parents[1]


@pytest.fixture
def unpinned(tmp_path):
    """The product, but for its pin: as the variable that has Python find it before the real one."""
    copy = tmp_path / "fabric_predeploy"
    for room in ("config", "remote", "tasks"):
        shutil.copytree(CHECKOUT / room, copy / room)
    shutil.copy(CHECKOUT / "__init__.py", copy)
    psql = copy / "remote/steps/run/psql.sh"
    text = psql.read_text(encoding="utf-8")
    assert text.count(PIN) == 1
    psql.write_text(text.replace(PIN, "SET row_security = off;"), encoding="utf-8")
    snapshot = (
        copy / "remote/steps/dump/snapshot.sql"
    )  # which would stop at a view, and end the run
    lines = snapshot.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if "restrict_nonsystem_relation_kind" not in line]
    assert len(kept) == len(lines) - 1
    snapshot.write_text("".join(kept), encoding="utf-8")
    return {"PYTHONPATH": str(tmp_path)}


def test_every_name_of_a_gate_has_somebody_who_would_answer_for_it_and_none_does(make_ground):
    ground = make_ground()

    code, errors = slow_predeploy(ground, EQUAL)

    assert code == 0, errors
    databases = {each.database for each in ground.log.sessions().values()}
    assert databases == {DATABASE, "drill", "postgres"}
    nobody_answered(ground)


def test_without_the_pin_they_would_answer(make_ground, unpinned):
    """For names of each kind, in each of the databases, as the role and as a superuser."""
    ground = make_ground()

    code, errors = slow_predeploy(ground, EQUAL, **unpinned)

    marks = ground.log.marks()
    kinds = {mark.split()[0] for mark in marks}
    assert kinds == {"function", "aggregate", "operator", "relation", "type"}, errors
    assert len(marks) > 50  # how many differs, as the plans of the queries do
    assert f"function pg_blocking_pids(integer) as {OWNER} of {OWNER}" in marks
    assert "operator text = text as fabric_predeploy of fabric_predeploy" in marks
    # Often nobody would notice; now and then PostgreSQL itself refuses what a name has become.
    assert code in (0, 13), errors
    assert len(ground.log.unpinned()) > 3


@pytest.mark.thorough
def test_without_the_pin_better_ones_would_answer_though_pg_catalog_comes_first(
    make_ground, unpinned
):
    ground = make_ground(better=True, path='"$user", public')

    slow_predeploy(ground, EQUAL, **unpinned)

    marks = ground.log.marks()
    assert len([mark for mark in marks if mark.startswith("better")]) > 5
    assert any("concat_ws" in mark for mark in marks)


def test_each_name_of_ours_that_a_function_or_operator_has_is_answered_for(make_ground):
    """So that what is new in our SQL is tried, too."""
    ground = make_ground()
    there = ground.pg.superuser(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace"
        " AND prokind <> 'p' UNION"
        " SELECT oprname FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace"
    ).splitlines()
    without = ground.pg.superuser(
        "SELECT proname FROM pg_proc p LEFT JOIN pg_aggregate a ON aggfnoid = p.oid"
        " WHERE pronamespace = 'pg_catalog'::regnamespace GROUP BY proname HAVING bool_and("
        "prorettype::regtype::text IN ('cstring', 'internal', 'void', 'trigger')"
        " OR 'internal'::regtype = ANY (proargtypes) OR 'cstring'::regtype = ANY (proargtypes)"
        " OR 'record'::regtype = ANY (proargtypes) OR prokind = 'w' OR aggkind <> 'n')"
    ).splitlines()

    names = {made.split()[0] for made in ground.made}

    assert len(ground.made) > 900
    assert (used() & set(there)) - set(without) - names == set()
