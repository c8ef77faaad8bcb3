"""Extensions: what a superuser has installed stays, what the role has installed comes back."""

import pytest

from sandbox.postgres import identifier, literal
from tests.integration.extensions import (
    A_TABLE,
    ODD_NAMES,
    ONE,
    SAMPLE,
    TRUSTED_NAMES,
    by,
    dumped,
    gated,
    restored,
)
from tests.project import OWNER


def create(names):
    return "".join(
        f"CREATE EXTENSION {identifier(name)};"
        f"COMMENT ON EXTENSION {identifier(name)} IS {literal('as ' + name)};"
        for name in names
    )


@pytest.mark.parametrize("major", SAMPLE)
def test_extensions_come_back_and_stay_whatever_their_names_are(make_extended, major):
    project = make_extended(major)
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


@pytest.mark.parametrize("major", ONE)
def test_extensions_of_the_role_come_back_by_a_swap_whatever_their_names_are(make_extended, major):
    project = make_extended(major)
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
LOADABLE = """
SELECT DISTINCT name FROM pg_available_extension_versions
WHERE trusted AND name !~ ' ' AND name NOT IN ('plpgsql', 'uuid-ossp')
"""
HOME = """
CREATE SCHEMA home;
CREATE EXTENSION citext SCHEMA home;
CREATE TABLE home.a (i home.citext PRIMARY KEY, many home.citext[]);
INSERT INTO home.a VALUES ('A', '{b,C}');
"""


@pytest.mark.parametrize("deploy", AROUND)
@pytest.mark.parametrize("major", ONE)
def test_what_a_deploy_does_around_extensions_of_its_own_comes_to_nothing(
    make_extended, major, deploy
):
    project = make_extended(major)
    by(OWNER, project, HOME)
    gated(project)
    before = dumped(project)
    by(OWNER, project, AROUND[deploy])
    assert dumped(project) != before

    restored(project)

    assert dumped(project) == before


@pytest.mark.parametrize("major", ONE)
def test_an_extension_of_ours_that_a_superuser_has_moved_is_back_in_its_schema(
    make_extended, major
):
    """Its owner cannot: the members of a trusted extension belong to a superuser."""
    project = make_extended(major)
    by(OWNER, project, HOME)
    gated(project)
    before = dumped(project)
    by("postgres", project, "ALTER EXTENSION citext SET SCHEMA public;")

    restored(project)

    assert dumped(project) == before


@pytest.mark.parametrize("major", ONE)
def test_a_schema_that_was_made_for_any_extension_is_gone_afterwards(make_extended, major):
    project = make_extended(major)
    by(OWNER, project, A_TABLE)
    gated(project)
    before = dumped(project)
    for n, name in enumerate(project.pg.superuser(LOADABLE).splitlines()):
        made = f"CREATE SCHEMA s{n}; CREATE EXTENSION {identifier(name)} SCHEMA s{n} CASCADE;"
        by(OWNER, project, made)

    restored(project)

    assert dumped(project) == before


@pytest.mark.parametrize("major", ONE)
def test_an_extension_that_comes_back_in_another_version_is_told(make_extended, major):
    project = make_extended(major)
    by(OWNER, project, A_TABLE)
    by(OWNER, project, "CREATE EXTENSION updated VERSION '1.0';")
    line = "the extension updated is 1.0 now, and comes back as 1.1, which this server makes of it"
    assert f"after a restore, {line}" in gated(project)
    assert line in restored(project)
    assert "after a restore" not in gated(project)
