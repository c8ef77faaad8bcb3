"""A pooler at DB_PORT: refused where the application shares its sessions; else left as it was."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest

from sandbox.workspace import free_port, unprivileged
from tests.integration.round_trip import round_trip

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
ORDERS = "CREATE TABLE app.orders (n int); INSERT INTO app.orders VALUES (1), (2);"
# What an application would meet of ours in a session that it is given.
# Two settings pgbouncer itself sets for each client.
OURS = """SELECT string_agg(name || '=' || setting, ' ') FROM pg_settings
    WHERE source = 'session' AND name NOT IN ('application_name', 'client_encoding')"""
needs_pgbouncer = pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed here")


@contextmanager
def pgbouncer(trip, ground, **settings):
    """At a port of its own, in front of the trip's server; passwords are not asked for there."""
    home = ground / f"pgbouncer-{trip.database}-{time.monotonic_ns()}"
    home.mkdir()
    port = free_port()
    (home / "users").write_text(f'"{trip.role}" ""\n')
    lines = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "auth_type": "trust",
        "auth_file": home / "users",
        "unix_socket_dir": "",
        "default_pool_size": 4,
        **settings,
    }
    server = f"* = host={trip.pg.data_dir.parent} port={trip.pg.port}\n"
    given = "".join(f"{name} = {value}\n" for name, value in lines.items())
    (home / "ini").write_text(f"[databases]\n{server}[pgbouncer]\n{given}")
    account = unprivileged()
    process = subprocess.Popen(
        [PGBOUNCER, "--quiet", home / "ini"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(home / "log").open("wb"),
        **account,
    )
    try:
        await_port(port)
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def await_port(port):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("pgbouncer does not listen")


@pytest.fixture
def trip(pg, ssh, make_project):
    with round_trip(pg, ssh, make_project) as made:
        made.fill(ORDERS)
        yield made


def ask(trip, port, sql):
    """As the application would, through the pooler."""
    done = subprocess.run(
        [trip.pg.bin_dir / "psql", "--no-psqlrc", "--tuples-only", "--no-align", "-c", sql],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "PGHOST": "127.0.0.1",
            "PGPORT": str(port),
            "PGUSER": trip.role,
            "PGDATABASE": trip.database,
        },
    )
    return (done.stdout or done.stderr).strip()


TAKES_NO_OPTIONS = {}
SAYS_NOTHING = {"ignore_startup_parameters": "options,extra_float_digits"}


@needs_pgbouncer
@pytest.mark.parametrize("answer", [TAKES_NO_OPTIONS, SAYS_NOTHING], ids=["refuses", "ignores"])
@pytest.mark.parametrize(
    "pool",
    [
        {"pool_mode": "transaction"},
        {"pool_mode": "transaction", "default_pool_size": 1},
        {"pool_mode": "transaction", "server_round_robin": 1},
        {"pool_mode": "statement"},
    ],
    ids=lambda pool: "-".join(map(str, pool.values())),
)
def test_a_pooler_whose_sessions_are_shared_is_refused_and_left_as_it_was(
    trip, ground, pool, answer
):
    with pgbouncer(trip, ground, **pool, **answer) as port:
        for _ in range(3):
            ask(trip, port, "SELECT pg_sleep(0)")
        project = trip.project.with_profile(DB_PORT=str(port), BACKUP_VERSION="v1")
        for task in ("doctor", "predeploy"):
            done = project.fab("-H", "demo", task)
            assert done.returncode == 10, done.stderr
            told = done.stdout + done.stderr
            assert f"DB_PORT {port} is a pooler" in told
            assert "name the server's own port" in told
        for _ in range(6):
            assert ask(trip, port, "SELECT count(*) FROM app.orders") == "2"
            assert ask(trip, port, OURS) == ""


@needs_pgbouncer
def test_a_restore_is_refused_there_as_well(trip, ground):
    assert trip.predeploy().returncode == 0
    trip.damage()
    with pgbouncer(trip, ground, pool_mode="transaction") as port:
        trip.project.with_profile(DB_PORT=str(port))

        done = trip.restore("transaction")

        assert done.returncode == 10, done.stderr
        assert f"DB_PORT {port} is a pooler" in done.stderr
        assert ask(trip, port, OURS) == ""


@needs_pgbouncer
@pytest.mark.parametrize("answer", [TAKES_NO_OPTIONS, SAYS_NOTHING], ids=["refuses", "ignores"])
def test_a_pooler_that_keeps_a_session_for_each_client_will_do(trip, ground, answer):
    trip.pg.superuser(f"ALTER ROLE {trip.role} SET array_nulls = off")
    with pgbouncer(trip, ground, pool_mode="session", **answer) as port:
        trip.project.with_profile(DB_PORT=str(port))

        trip.holds(ways=("transaction",))

        for _ in range(6):
            assert ask(trip, port, OURS) == ""
        done = trip.restore("swap")
        assert done.returncode == 14, done.stderr
        assert "is a pooler" in done.stderr


@needs_pgbouncer
@pytest.mark.parametrize("answer", [TAKES_NO_OPTIONS, SAYS_NOTHING], ids=["refuses", "ignores"])
@pytest.mark.parametrize("patience", ["0", "120"])
def test_a_pooler_with_a_single_session_is_refused_though_it_lets_the_next_one_wait_for_ever(
    trip, ground, answer, patience
):
    alone = {"pool_mode": "session", "default_pool_size": 1, "query_wait_timeout": patience}
    with pgbouncer(trip, ground, **alone, **answer) as port:
        project = trip.project.with_profile(DB_PORT=str(port), BACKUP_VERSION="v1")
        for task in ("doctor", "predeploy"):
            done = project.fab("-H", "demo", task)
            assert done.returncode == 10, done.stderr
            told = " ".join((done.stdout + done.stderr).split())
            assert f"DB_PORT {port} is a pooler that has one server session for us" in told
            assert "default_pool_size" in told
        assert ask(trip, port, OURS) == ""


@contextmanager
def forwarded(port):
    """As `ssh -L` does: another port, the same bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def carry(source, target):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

        def serve():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                server = socket.create_connection(("127.0.0.1", port))
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=carry, args=ends, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def test_a_port_that_is_only_forwarded_is_no_pooler(trip):
    with forwarded(trip.pg.port) as port:
        trip.project.with_profile(DB_PORT=str(port))

        trip.holds()
