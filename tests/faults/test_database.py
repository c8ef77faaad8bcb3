"""Whatever happens to PostgreSQL."""

import signal
from collections.abc import Iterator

import pytest

from sandbox.postgres import Postgres
from sandbox.workspace import stop
from tests.faults.database import GROUP, REVIVED
from tests.faults.table import of


@pytest.fixture(scope="session", autouse=True)
def _no_server_outlives_the_tests(pg: Postgres) -> Iterator[None]:
    yield
    for server in REVIVED:
        if server.poll() is None:
            stop(server, signal.SIGQUIT)


@of(GROUP)
def test_no_fault_harms_what_is_there_or_passes_for_success(fault, is_survived):
    is_survived(fault)
