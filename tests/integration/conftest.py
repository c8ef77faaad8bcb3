"""A server with extensions that are made up, and what tests of extensions have in common."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest

from sandbox.postgres import Postgres, create_owner, postgres
from tests.integration.extensions import (
    CONFIGURED,
    ODD_NAMES,
    OPEN,
    TRUSTED,
    TRUSTED_NAMES,
    UPDATED,
    named,
    with_extensions,
)
from tests.project import DATABASE, OWNER, PASSWORD, Project

MADE_UP = (
    *named(ODD_NAMES),
    *named(TRUSTED_NAMES, trusted=True),
    CONFIGURED,
    TRUSTED,
    OPEN,
    UPDATED,
)
SETTINGS = {"fsync": "off", "max_prepared_transactions": "5"}
_numbers = count()


@pytest.fixture(scope="session")
def extended_server(ground) -> Iterator[Callable[[int], Postgres]]:
    """A server of that version which has all extensions that are made up."""
    running: dict[int, Postgres] = {}
    with ExitStack() as stack:

        def start(major: int) -> Postgres:
            if major not in running:
                bin_dir = with_extensions(major, ground / f"extended-{major}", MADE_UP)
                pg = stack.enter_context(postgres(bin_dir, ground, settings=SETTINGS))
                create_owner(pg, role=OWNER, password=PASSWORD, database=DATABASE)
                running[major] = pg
            return running[major]

        yield start


@pytest.fixture
def make_extended(extended_server, make_project, ssh) -> Callable[..., Project]:
    """A project with an empty database of its own on such a server."""

    def make(major: int, **settings) -> Project:
        pg = extended_server(major)
        database = f"extended_{next(_numbers)}"
        pg.superuser(f"CREATE DATABASE {database} OWNER {OWNER}")
        return make_project(pg, ssh, DB_NAME=database, **settings)

    return make
