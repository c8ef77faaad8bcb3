"""A database of its own, from a predeploy to the way back: byte-equal, in both ways."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from sandbox.postgres import Postgres, create_owner, identifier
from sandbox.sshd import SshServer
from tests.project import PASSWORD, Project

_numbers = count()
# In a session that can write whatever the database says.
WRITING = "SET default_transaction_read_only = off; SET standard_conforming_strings = on;\n"
WRITING += "SET client_min_messages = error;\n"
# What the trip brings back is in this schema; as a deploy that has gone wrong leaves it.
DAMAGE = """
SELECT lo_unlink(oid) FROM pg_largeobject_metadata;
DROP SCHEMA IF EXISTS app CASCADE;
CREATE SCHEMA app;
CREATE TABLE app.left_by_the_deploy (n int);
"""


@dataclass(frozen=True)
class RoundTrip:
    pg: Postgres
    project: Project
    role: str
    database: str

    def superuser(self, sql: str) -> str:
        return self.pg.superuser(WRITING + sql, self.database)

    def fill(self, sql: str) -> None:
        self.pg.run_as(self.role, f"{WRITING}CREATE SCHEMA app;\n{sql}", self.database)

    def fab(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.project.fab("-H", "demo", *arguments)

    def predeploy(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.fab("predeploy", "--version=v1", *arguments)

    def damage(self) -> None:
        self.superuser(f"SET ROLE {identifier(self.role)}; {DAMAGE}")

    def restore(self, way: str) -> "subprocess.CompletedProcess[str]":
        archive = self.project.archives()[-1].name
        return self.fab("restore", f"--file={archive}", f"--mode={way}", "--yes", "--no-safety")

    def dump(self) -> bytes:
        """What a superuser's pg_dump gives, in the encoding of the database."""
        done = subprocess.run(
            [self.pg.bin_dir / "pg_dump", "--no-password", self.database],
            capture_output=True,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "LC_ALL": "C",
                "PGHOST": str(self.pg.data_dir.parent),
                "PGPORT": str(self.pg.port),
                "PGUSER": "postgres",
            },
        )
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines(keepends=True)
        kept = [each for each in lines if not each.startswith((b"\\restrict ", b"\\unrestrict "))]
        return b"".join(kept)

    def holds(self, *proof: str, ways: tuple[str, ...] = ("transaction", "swap")) -> None:
        """Zero means zero: what passes the gate comes back as it was."""
        before = self.dump()
        done = self.predeploy(*proof)
        assert done.returncode == 0, done.stdout + done.stderr
        for way in ways:
            self.damage()
            assert self.dump() != before
            done = self.restore(way)
            assert done.returncode == 0, (way, done.stdout + done.stderr)
            assert self.dump() == before, way


@contextmanager
def round_trip(
    pg: Postgres,
    ssh: SshServer,
    make_project: Callable[..., Project],
    *,
    options: str = "",
    **settings: str | None,
) -> Iterator[RoundTrip]:
    name = f"trip{next(_numbers)}_{os.getpid()}"
    create_owner(pg, role=name, password=PASSWORD, database=f"{name}_before")
    pg.superuser(f"DROP DATABASE {name}_before; ALTER ROLE {name} CREATEDB")
    pg.superuser(f"CREATE DATABASE {name} OWNER {name} {options}")
    project = make_project(pg, ssh, DB_NAME=name, DB_USER=name, **settings)
    try:
        yield RoundTrip(pg, project, name, name)
    finally:
        databases = pg.superuser("SELECT datname FROM pg_database").splitlines()
        for database in (each for each in databases if each.startswith(name)):
            pg.superuser(f'DROP DATABASE "{database}" WITH (FORCE)')
        pg.superuser(f"DROP ROLE {name}")
