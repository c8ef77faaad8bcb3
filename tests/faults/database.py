"""PostgreSQL itself: it is not there, does not let us in, goes down, or changes meanwhile."""

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from sandbox.postgres import Postgres
from sandbox.workspace import SandboxError, die_with_parent, unprivileged
from tests.faults.fault import Fault
from tests.faults.means import (
    Happens,
    Inject,
    Midst,
    end_sessions,
    in_the_midst_of_the_dump,
    session,
    somebody_waits,
    with_settings,
)
from tests.faults.scene import Run, Scene
from tests.integration.gate.test_interrupts import wait_for
from tests.project import DATABASE, OWNER

GROUP = "PostgreSQL"

REVIVED: list["subprocess.Popen[bytes]"] = []  # to be ended with the session of tests
LATEST_OF_OURS = (
    f"SELECT pid FROM pg_stat_activity WHERE usename = '{OWNER}'"  # noqa: S608 - a name of ours
    " ORDER BY backend_start DESC LIMIT 1"
)


# Down, and up again


def stop_server(pg: Postgres, number: signal.Signals) -> None:
    """SIGTERM waits for all sessions to end, SIGINT ends them."""
    os.kill(int((pg.data_dir / "postmaster.pid").read_text().split()[0]), number)


def await_end(pg: Postgres) -> None:
    wait_for(lambda: not (pg.data_dir / "postmaster.pid").exists())


def revive(pg: Postgres) -> None:
    """With the options that it had."""
    command = shlex.split((pg.data_dir / "postmaster.opts").read_text())
    with (pg.data_dir.parent / "server.log").open("ab") as log:
        server = subprocess.Popen(
            command,
            cwd=pg.data_dir.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"HOME": str(pg.data_dir.parent), "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads that matter
            umask=0o077,
            **unprivileged(),
        )
    REVIVED.append(server)
    wait_for(lambda: is_ready(pg))


def is_ready(pg: Postgres) -> bool:
    asked = [pg.bin_dir / "pg_isready", "--quiet", "-h", pg.data_dir.parent, "-p", str(pg.port)]
    return subprocess.run(asked, check=False).returncode == 0


@contextmanager
def down(scene: Scene) -> Iterator[None]:
    stop_server(scene.pg, signal.SIGINT)
    await_end(scene.pg)
    yield
    revive(scene.pg)


@contextmanager
def shutting_down(scene: Scene) -> Iterator[None]:
    """As long as a session stays, a restart does not get on."""
    with session(scene, "BEGIN"):
        stop_server(scene.pg, signal.SIGTERM)
        wait_for(lambda: not is_ready(scene.pg))
        yield
        stop_server(scene.pg, signal.SIGINT)
        await_end(scene.pg)
        revive(scene.pg)


def restart(scene: Scene, _after: ExitStack) -> None:
    stop_server(scene.pg, signal.SIGINT)
    await_end(scene.pg)
    revive(scene.pg)


def crash(scene: Scene, _after: ExitStack) -> None:
    """A backend that is killed takes all others with it."""
    os.kill(int(scene.pg.superuser(LATEST_OF_OURS)), signal.SIGKILL)
    wait_for(lambda: has_none_of_ours(scene.pg))


def has_none_of_ours(pg: Postgres) -> bool:
    with suppress(SandboxError):  # it is about to be ready again
        return pg.superuser(LATEST_OF_OURS) == ""
    return False


# Who may do what


def for_the_time(sql: str, undo: str) -> Inject:
    @contextmanager
    def inject(scene: Scene) -> Iterator[None]:
        scene.pg.superuser(sql, DATABASE)
        yield
        scene.pg.superuser(undo, DATABASE)

    return inject


def connection_limit(number: int) -> Inject:
    sql = f"ALTER ROLE {OWNER} CONNECTION LIMIT"
    return for_the_time(f"{sql} {number}", f"{sql} -1")


@contextmanager
def wrong_password(scene: Scene) -> Iterator[None]:
    scene.environment["DB_PASSWORD"] = "wrong"
    yield


# Locks, and what changes meanwhile

DOOMED = f"CREATE TABLE doomed AS SELECT 1 AS id; ALTER TABLE doomed OWNER TO {OWNER}"
doomed = for_the_time(DOOMED, "DROP TABLE IF EXISTS doomed")


@contextmanager
def locked(scene: Scene) -> Iterator[None]:
    with session(scene, "BEGIN; LOCK TABLE merchants"):
        yield


def migrates(sql: str) -> Happens:
    """Another wants a table for itself, and waits for it; which the run's log tells."""

    def happens(scene: Scene, after: ExitStack) -> None:
        after.enter_context(session(scene, sql, waits=True))
        wait_for(lambda: "other sessions wait for the end of this dump" in scene.logs())

    return happens


def dropped_while_we_wait() -> Midst:
    at_work: list[subprocess.Popen[str]] = []

    @contextmanager
    def inject(scene: Scene) -> Iterator[None]:
        with doomed(scene), session(scene, "BEGIN; DROP TABLE doomed") as other:
            at_work.append(other)
            yield

    def during(scene: Scene, _run: Run) -> None:
        wait_for(lambda: somebody_waits(scene))
        other = at_work.pop()
        other.stdin.write("COMMIT;\n")
        other.stdin.flush()

    return {"inject": inject, "during": during}


fault = partial(Fault, group=GROUP)
FAULTS = [
    fault(
        "it is down",
        codes=(10,),
        inject=down,
        says=r"the database did not answer: .*?Connection refused",
    ),
    fault(
        "it is shutting down, for a restart",
        rare=True,
        codes=(10,),
        inject=shutting_down,
        says=r"FATAL:  the database system is shutting down",
    ),
    fault(
        "it is restarted in the middle of the dump",
        codes=(12,),
        **in_the_midst_of_the_dump(restart),
        says=r"pg_dump ended with exit code 1: .*?server terminated abnormally",
    ),
    fault(
        "it crashes in the middle of the dump",
        rare=True,
        codes=(12,),
        **in_the_midst_of_the_dump(crash),
        says=r"pg_dump ended with exit code 1: .*?server terminated abnormally",
    ),
    fault(
        "an administrator ends the session of pg_dump",
        codes=(12,),
        **in_the_midst_of_the_dump(
            lambda scene, _: end_sessions(scene, f"pid = ({LATEST_OF_OURS})")
        ),
        says=r"pg_dump ended with exit code 1: .*?server terminated abnormally",
    ),
    fault(
        "too many connections",
        codes=(10,),
        inject=connection_limit(0),
        says=r'FATAL:  too many connections for role "\w+"',
    ),
    fault(
        "too many connections for one more, that of pg_dump",
        codes=(12,),
        inject=connection_limit(1),
        says=r'FATAL:  too many connections for role "\w+"',
    ),
    fault(
        "a wrong password",
        codes=(10,),
        inject=wrong_password,
        says=r'FATAL:  password authentication failed for user "\w+"',
    ),
    fault(
        "a database that is not there",
        rare=True,
        codes=(10,),
        inject=with_settings(DB_NAME="no such database"),
        says=r'FATAL:  database "[\w ]+" does not exist',
    ),
    fault(
        "one table that the role may not read",
        codes=(10,),
        inject=for_the_time("CREATE TABLE secret_plans (id int)", "DROP TABLE secret_plans"),
        says=r"the role \w+ may not read: public.secret_plans",
    ),
    fault(
        "a table with FORCE ROW LEVEL SECURITY",
        codes=(10,),
        inject=for_the_time(
            f"CREATE TABLE walled (id int); ALTER TABLE walled OWNER TO {OWNER};"
            "ALTER TABLE walled ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
            "DROP TABLE walled",
        ),
        says=r"row level security may hide rows from the role \w+ in: \S*walled",
    ),
    fault(
        "a table that another session has locked for itself",
        codes=(12,),
        inject=locked,
        arguments=("--lock-timeout=1",),
        says=r"pid \d+, role postgres, migration,[^\n]* holds AccessExclusiveLock on \S+",
    ),
    fault(
        "a table that is dropped while the dump waits for it",
        rare=True,
        codes=(12,),
        **dropped_while_we_wait(),
        says=r'relation "public.doomed" does not exist',
    ),
    fault(
        "a migration that queues behind the dump",
        codes=(0,),
        **in_the_midst_of_the_dump(migrates("BEGIN; LOCK TABLE merchants; ROLLBACK")),
        says=r"WARNING: other sessions wait for[^\n]*?migration, waits for \w+ on \S+",
    ),
    fault(
        "a DROP TABLE in the middle of the dump",
        rare=True,
        codes=(0,),
        **in_the_midst_of_the_dump(migrates("DROP TABLE doomed"), prepare=doomed),
        says=r"WARNING: other sessions wait for[^\n]*?migration, waits for \w+ on \S+",
    ),
]
