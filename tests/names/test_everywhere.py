"""The same for all that we do in databases, on each server, and for each search path."""

import os
from dataclasses import replace

import pytest

from tests.integration.look.test_install import Account
from tests.names.conftest import PUBLIC_FIRST, add_server
from tests.names.overloads import ServerLog
from tests.names.runs import EQUAL, nobody_answered, session_of, slow_predeploy
from tests.project import DATABASE, OWNER

pytestmark = pytest.mark.thorough

MAJORS = (14, 15, 16, 17, 18)
# Where public comes first, copies answer; where pg_catalog does, only what is better than a copy.
WAYS = {
    "public first": {},
    "better": {"better": True, "path": '"$user", public'},
}
FIRST_WHERE_PUBLIC_IS_THE_OWNERS = 15


@pytest.fixture(params=MAJORS)
def major(request):
    return request.param


@pytest.fixture(params=WAYS)
def ground_of_names(request, make_ground, major):
    return make_ground(major, **WAYS[request.param])


def test_none_answers_for_us_in_a_gate_a_plan_a_salvage_or_a_restore(ground_of_names):
    ground = ground_of_names.with_profile(BACKUP_DRILL="cluster", BACKUP_CONTENT="hash")

    ground.fab("predeploy", "--version=short")
    code, errors = slow_predeploy(ground, EQUAL)
    assert code == 0, errors
    ground.fab("verify", EQUAL)
    ground.fab("doctor", BACKUP_VERSION="v1")
    ground.fab("history")
    ground.fab("status")
    ground.fab("rotate")
    ground.fab("install")
    by_hand = Account(ground.project).run()
    assert by_hand.returncode == 0, by_hand.stderr
    ground.fab("install", "--remove")
    with session_of(ground, "postgres", "ACCESS EXCLUSIVE"):
        told = ground.fab("predeploy", "--version=late", "--lock-timeout=1", code=12)
    assert "role postgres, blocker" in told
    nobody_answered(ground)

    ground.pg.run_as(OWNER, "DELETE FROM public.price_alerts", DATABASE)
    ground.fab("restore", "--file=latest", "--plan")
    ground.fab("restore", "--file=latest", "--table=price_alerts", "--table=hiding")
    nobody_answered(ground)

    again = ("restore", "--file=latest", "--yes", "--mode=transaction", "--lock-timeout=1")
    with session_of(ground, "postgres"):
        assert "role postgres, blocker" in ground.fab(*again, code=15)
    with session_of(ground, OWNER):
        assert "ended the sessions: pid" in ground.fab(*again, "--terminate")
    ground.fab("restore", "--undo", "--yes", "--mode=transaction")
    nobody_answered(ground)


def test_none_answers_for_us_in_databases_beside_the_live_one(ground_of_names):
    ground = ground_of_names.with_profile(BACKUP_DRILL="database", BACKUP_CONTENT="hash")
    ground.let_it_act_for_the_others()
    if ground.pg.major < FIRST_WHERE_PUBLIC_IS_THE_OWNERS:
        pytest.skip("in a new database, public is a superuser's: what is in it cannot come back")

    code, errors = slow_predeploy(ground, EQUAL)
    assert code == 0, errors
    ground.fab("verify", EQUAL)
    nobody_answered(ground)

    again = ("restore", "--file=latest", "--yes", "--mode=swap")
    with session_of(ground, "postgres"):
        assert "role postgres, blocker" in ground.fab(*again, "--lock-timeout=1", code=15)
    with session_of(ground, OWNER):
        ground.fab(*again, "--terminate")
    ground.fab("restore", "--drop-old", "--yes")
    nobody_answered(ground)


def test_none_answers_for_us_in_a_database_that_is_named_for_it(ground_of_names):
    ground = ground_of_names.with_profile(BACKUP_DRILL="database", BACKUP_DRILL_DB="shop_probe")
    ground.let_it_act_for_the_others()
    ground.pg.superuser(f"CREATE DATABASE shop_probe OWNER {OWNER}")

    ground.fab("predeploy", "--version=v1", EQUAL)
    ground.fab("verify", EQUAL)

    nobody_answered(ground)


def test_none_answers_for_us_on_the_runner(ground_of_names, ground):
    here = ground / f"here-{os.getpid()}-{ground_of_names.project.backup_dir.name}"
    here.mkdir(mode=0o777)
    here.chmod(0o777)
    project = ground_of_names.project
    programs = here / "programs"
    programs.mkdir()
    programs.chmod(0o777)
    for program in ("pg_dump", "pg_restore", "psql"):
        (programs / program).symlink_to(project.pg.bin_dir / program)
    add_server(programs, project.pg, PUBLIC_FIRST)
    secrets = {
        **project.secrets,
        "XDG_CACHE_HOME": str(here),
        "PATH": f"{programs}:{os.environ['PATH']}",
    }
    log = ServerLog(*ground_of_names.log.files, programs / "drill.log")
    log.forget()
    on_runner = replace(
        ground_of_names,
        project=replace(project, secrets=secrets).with_profile(BACKUP_DRILL="runner"),
        log=log,
    )

    on_runner.fab("predeploy", "--version=v1", EQUAL)

    assert any(each.database == "drill" for each in log.sessions().values())
    nobody_answered(on_runner)
