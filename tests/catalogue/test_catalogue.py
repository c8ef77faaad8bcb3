"""Every kind of object comes back, whoever of us owns it and whatever a deploy has done to it."""

from collections.abc import Callable

import pytest

from tests.catalogue import changes
from tests.catalogue.ground import DATABASE, Ground, Owners, culprits, drop
from tests.catalogue.kinds import Kind, kinds_of
from tests.project import OWNER

MAJORS = (14, 15, 16, 17, 18)
OURS = (
    Owners(OWNER, OWNER),
    Owners("keeper", "keeper"),
    Owners("pg_database_owner", "pg_database_owner"),
    Owners(OWNER, "keeper"),
    Owners("pg_database_owner", OWNER),
    Owners(OWNER, "pg_database_owner"),
    Owners("other", OWNER),
)


@pytest.fixture
def make_ground(start_server, make_project, ssh):
    made = []

    def make(major, owners, *, wrapper=True, user=OWNER):
        pg = start_server(major)
        project = make_project(pg, ssh, DB_NAME=DATABASE, DB_USER=user)
        ground = Ground(pg, project, owners)
        made.append(pg)
        ground.begin(wrapper=wrapper)
        return ground

    yield make
    for pg in made:
        pg.superuser(f"ALTER ROLE {OWNER} NOCREATEDB")
        drop(pg)


def alone(kinds: list[Kind]) -> list[Kind]:
    """Those that need nothing of a superuser's, so that a new database can have them."""
    return [kind for kind in kinds if "WRAPPER" not in kind.make]


def holds(ground: Ground, mode: str, change: Callable[[Kind], str], kinds: list[Kind]) -> bool:
    ground.begin(wrapper=mode == "transaction")
    ground.make(kinds)
    ground.archive()
    before = ground.dumped()
    ground.deploy(change)
    return not ground.comes_back(before, mode)


def all_come_back(ground: Ground, mode: str, several: dict[str, Callable[[Kind], str]]) -> None:
    """From one archive, again and again."""
    ground.archive()
    before = ground.dumped()
    for name, change in several.items():
        assert ground.deploy(change), name
        wrong = ground.comes_back(before, mode)
        if wrong:
            who = culprits(
                ground.kinds, lambda kinds, done=change: holds(ground, mode, done, kinds)
            )
            pytest.fail(f"{name}, {mode}: {', '.join(who)}\n{wrong}")


@pytest.mark.parametrize("turn", [0])
def test_each_kind_of_object_comes_back_from_some_change(make_ground, turn):
    """A sample of what is below."""
    ground = make_ground(None, Owners("keeper", "pg_database_owner"))
    ground.make(kinds_of(ground.pg.major))
    some = changes.mixed(ground.kinds, turn)
    all_come_back(ground, "transaction", {"mixed": some})


@pytest.mark.thorough
@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize("owners", OURS, ids=str)
def test_each_kind_of_object_comes_back_from_each_change(make_ground, major, owners):
    ground = make_ground(major, owners)
    ground.make(kinds_of(major))
    all_come_back(ground, "transaction", changes.of_a_deploy())


@pytest.mark.thorough
@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize("owners", OURS[:-1], ids=str)
def test_each_kind_of_object_comes_back_by_swap(make_ground, major, owners):
    """Into a new database, which knows nothing of what the deploy has done."""
    ground = make_ground(major, owners, wrapper=False)
    ground.pg.superuser(f"ALTER ROLE {OWNER} CREATEDB")
    ground.make(alone(kinds_of(major)))
    all_come_back(ground, "swap", {"dropped": changes.dropped})
