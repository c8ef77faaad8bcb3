"""Extensions: what a superuser has installed stays, what the role has installed comes back."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from sandbox.postgres import Postgres, create_owner, identifier, literal, postgres
from tests.integration.everything import plain_dump
from tests.integration.extensions import ODD_NAMES, Extension, with_extensions
from tests.project import OWNER, PASSWORD, Project

MAJORS = (14, 15, 16, 17, 18)
SAMPLE = [
    pytest.param(major, marks=() if major in (15, 18) else pytest.mark.thorough) for major in MAJORS
]
A_TABLE = "CREATE TABLE a (i int); INSERT INTO a VALUES (1);"
FUNCTION = "CREATE FUNCTION {name}() RETURNS int LANGUAGE sql AS 'SELECT 1';"

_numbers = count()


def named(names, **properties):
    return [
        Extension(name, FUNCTION.format(name=f"odd_{next(_numbers)}"), **properties)
        for name in names
    ]


TRUSTED_NAMES = tuple(f"{name} of the role" for name in ODD_NAMES)
MADE_UP = (
    *named(ODD_NAMES),
    *named(TRUSTED_NAMES, trusted=True),
)


@pytest.fixture(scope="module")
def servers(ground) -> Iterator[Callable[[int], Postgres]]:
    """A server of that version which has all extensions that are made up here."""
    running: dict[int, Postgres] = {}
    with_stack = []

    def start(major: int) -> Postgres:
        if major not in running:
            bin_dir = with_extensions(major, ground / f"extended-{major}", MADE_UP)
            server = postgres(bin_dir, ground, settings={"fsync": "off"})
            running[major] = server.__enter__()
            with_stack.append(server)
            create_owner(running[major], role=OWNER, password=PASSWORD, database="shop")
        return running[major]

    yield start
    for server in with_stack:
        server.__exit__(None, None, None)


@pytest.fixture
def make_database(servers, make_project, ssh) -> Callable[..., Project]:
    def make(major: int, **settings) -> Project:
        pg = servers(major)
        database = f"extended_{next(_numbers)}"
        pg.superuser(f"CREATE DATABASE {database} OWNER {OWNER}")
        return make_project(pg, ssh, DB_NAME=database, **settings)

    return make


def by(role, project, sql):
    project.pg.run_as(role, sql, project.profile["DB_NAME"])


def dumped(project):
    return plain_dump(project.pg, project.profile["DB_NAME"])


def gated(project, *flags):
    done = project.fab("-H", "demo", "predeploy", "--version=v1", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def restored(project, *flags):
    done = project.fab("-H", "demo", "restore", "--file=latest", "--yes", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def create(names):
    return "".join(
        f"CREATE EXTENSION {identifier(name)};"
        f"COMMENT ON EXTENSION {identifier(name)} IS {literal('as ' + name)};"
        for name in names
    )


@pytest.mark.parametrize("major", SAMPLE)
def test_extensions_come_back_and_stay_whatever_their_names_are(make_database, major):
    project = make_database(major)
    by("postgres", project, create(ODD_NAMES))
    by(OWNER, project, create(TRUSTED_NAMES))
    by(OWNER, project, A_TABLE)
    gated(project, "--proof=equal")
    before = dumped(project)
    by(OWNER, project, f"DROP EXTENSION {', '.join(map(identifier, TRUSTED_NAMES[::2]))};")
    by(OWNER, project, "DROP TABLE a; CREATE TABLE b (i int);")

    restored(project)

    assert dumped(project) == before
    gated(project, "--proof=equal")


@pytest.mark.parametrize("major", SAMPLE)
def test_extensions_of_the_role_come_back_by_a_swap_whatever_their_names_are(make_database, major):
    project = make_database(major)
    project.pg.superuser(f"ALTER ROLE {OWNER} CREATEDB")
    by(OWNER, project, create(TRUSTED_NAMES))
    by(OWNER, project, A_TABLE)
    gated(project, "--proof=equal")
    before = dumped(project)
    by(OWNER, project, f"DROP EXTENSION {', '.join(map(identifier, TRUSTED_NAMES[::2]))};")

    restored(project, "--mode=swap")
    project.pg.superuser(f"ALTER ROLE {OWNER} NOCREATEDB")

    assert dumped(project) == before


# What a deploy does around extensions of its own: all of it goes, or comes back.
AROUND = {
    "a schema made for it": "CREATE SCHEMA s; CREATE EXTENSION hstore SCHEMA s;",
    "its schema renamed": "ALTER SCHEMA home RENAME TO elsewhere;",
    "its schema dropped": "DROP SCHEMA home CASCADE;",
    "dropped and made elsewhere": """
        DROP EXTENSION citext CASCADE;
        CREATE SCHEMA elsewhere;
        CREATE EXTENSION citext SCHEMA elsewhere;
    """,
    "two schemas that change names": """
        ALTER SCHEMA home RENAME TO elsewhere;
        CREATE SCHEMA home;
        CREATE EXTENSION hstore SCHEMA home;
    """,
}
# Of uuid-ossp the wheels lack a library.
TRUSTED = """
SELECT DISTINCT name FROM pg_available_extension_versions
WHERE trusted AND name !~ 'of the role' AND name NOT IN ('plpgsql', 'uuid-ossp')
"""
HOME = """
CREATE SCHEMA home;
CREATE EXTENSION citext SCHEMA home;
CREATE TABLE home.a (i home.citext PRIMARY KEY, many home.citext[]);
INSERT INTO home.a VALUES ('A', '{b,C}');
"""


@pytest.mark.parametrize("deploy", AROUND)
@pytest.mark.parametrize("major", SAMPLE)
def test_what_a_deploy_does_around_extensions_of_its_own_comes_to_nothing(
    make_database, major, deploy
):
    project = make_database(major)
    by(OWNER, project, HOME)
    gated(project)
    before = dumped(project)
    by(OWNER, project, AROUND[deploy])
    assert dumped(project) != before

    restored(project)

    assert dumped(project) == before


@pytest.mark.parametrize("major", SAMPLE)
def test_an_extension_of_ours_that_a_superuser_has_moved_is_back_in_its_schema(
    make_database, major
):
    """Its owner cannot: the members of a trusted extension belong to a superuser."""
    project = make_database(major)
    by(OWNER, project, HOME)
    gated(project)
    before = dumped(project)
    by("postgres", project, "ALTER EXTENSION citext SET SCHEMA public;")

    restored(project)

    assert dumped(project) == before


@pytest.mark.parametrize("major", SAMPLE)
def test_a_schema_that_was_made_for_any_extension_is_gone_afterwards(make_database, major):
    project = make_database(major)
    by(OWNER, project, A_TABLE)
    gated(project)
    before = dumped(project)
    for n, name in enumerate(project.pg.superuser(TRUSTED).splitlines()):
        made = f"CREATE SCHEMA s{n}; CREATE EXTENSION {identifier(name)} SCHEMA s{n} CASCADE;"
        by(OWNER, project, made)

    restored(project)

    assert dumped(project) == before
