"""A database, its maintenance database and a test restore where others answer for every name."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sandbox.postgres import Postgres, create_owner, postgres
from sandbox.shop import fill
from sandbox.sshd import SshServer
from sandbox.wheels import downloaded, embedded
from tests.integration.cutting import Programs, programs_of
from tests.names.overloads import LOGGED, ServerLog, plant
from tests.project import DATABASE, OWNER, PASSWORD, ROWS, Project

# Of the archive's own: a check that hides a catalog from whoever puts rows in.
HIDING = """
CREATE FUNCTION public.hides() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE 'CREATE TEMP VIEW pg_class AS SELECT * FROM pg_catalog.pg_class'
        ' WHERE public.mark(''temporary relation pg_class'')';
    RETURN true;
EXCEPTION WHEN OTHERS THEN RETURN true;
END $$;
CREATE TABLE public.hiding (n int CHECK (public.hides()));
INSERT INTO public.hiding VALUES (1);
"""
# Of a type of another's, which has a cast of its own to text.
TYPED = """
CREATE TYPE public.pair AS (a int, b int);
CREATE FUNCTION public.written(public.pair) RETURNS text IMMUTABLE LANGUAGE sql
    AS $$ SELECT CASE WHEN public.mark('cast of pair') THEN '' END $$;
CREATE CAST (public.pair AS text) WITH FUNCTION public.written(public.pair) AS IMPLICIT;
"""
PUBLIC_FIRST = "public, pg_catalog"
SERVER = """#!/bin/sh
case $* in *--version*) exec {real}/postgres "$@" ;; esac
exec {real}/postgres "$@" {options} 2>>{log}
"""


@dataclass(frozen=True)
class Ground:
    """A project whose role looks into `public` before `pg_catalog`, unless told otherwise."""

    project: Project
    programs: Programs
    log: ServerLog
    made: list[str]

    @property
    def pg(self) -> Postgres:
        return self.project.pg

    def with_profile(self, **settings: str | None) -> "Ground":
        return replace(self, project=self.project.with_profile(**settings))

    def fab(self, *arguments: str, code: int = 0, **changes: str | None) -> str:
        done = self.project.fab("-H", "demo", *arguments, **changes)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def let_it_act_for_the_others(self) -> None:
        """What they have made is the role's own then, in a swap and in a test restore beside."""
        self.pg.superuser(f"GRANT app TO {OWNER}")


@pytest.fixture(scope="session")
def start_logging_server(ground: Path) -> Iterator[Callable[[int | None], Postgres]]:
    running: dict[int | None, Postgres] = {}
    options = {"fsync": "off", "max_locks_per_transaction": "1024", "jit": "off", **LOGGED}
    with ExitStack() as stack:

        def start(major: int | None) -> Postgres:
            if major not in running:
                bin_dir = downloaded(major) if major else embedded()
                running[major] = pg = stack.enter_context(
                    postgres(bin_dir, ground, settings=options)
                )
                pg.superuser("CREATE ROLE app LOGIN; CREATE ROLE neighbour LOGIN")
                create_owner(pg, role=OWNER, password=PASSWORD, database="none")
                pg.superuser(f"ALTER ROLE {OWNER} CREATEDB")
                pg.superuser("GRANT CREATE ON SCHEMA public TO PUBLIC", "postgres")
                plant(pg, "neighbour", "postgres", better=True)
            return running[major]

        yield start


@pytest.fixture
def make_ground(
    start_logging_server: Callable[[int | None], Postgres],
    make_project: Callable[..., Project],
    ssh: SshServer,
) -> Iterator[Callable[..., Ground]]:
    databases: list[tuple[Postgres, str]] = []

    def make(major: int | None = None, *, better: bool = False, path: str = PUBLIC_FIRST) -> Ground:
        pg = start_logging_server(major)
        pg.superuser(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        pg.superuser(f"REVOKE app FROM {OWNER}")
        databases.append((pg, DATABASE))
        fill(pg, database=DATABASE, owner=OWNER, rows=ROWS)
        if pg.major > 14:  # there, all may
            pg.superuser("GRANT CREATE ON SCHEMA public TO app", DATABASE)
        made = plant(pg, "app", DATABASE, better=better)
        pg.run_as("app", TYPED, DATABASE)
        pg.run_as(OWNER, HIDING, DATABASE)
        pg.run_as(OWNER, "CREATE TABLE typed (p pair); INSERT INTO typed VALUES ((1, 2))", DATABASE)
        pg.superuser(f"ALTER ROLE {OWNER} SET search_path = {path}")
        project = make_project(pg, ssh, BACKUP_RECONNECT="0")
        programs = programs_of(project)
        drill_log = add_server(programs.directory, pg, path)
        log = ServerLog(pg.data_dir.parent / "server.log", drill_log)
        log.forget()
        made_ground = Ground(project, programs, log, made)
        return made_ground.with_profile(DB_BIN_DIR=str(programs.directory))

    yield make
    for pg, database in databases:
        pg.superuser(f"ALTER ROLE {OWNER} RESET search_path")
        rows = pg.superuser("SELECT datname FROM pg_database").splitlines()
        for name in (row for row in rows if row == database or row.startswith(f"{database}_")):
            pg.superuser(f'DROP DATABASE "{name}" WITH (FORCE)')


def add_server(directory: Path, pg: Postgres, path: str) -> Path:
    """For test restores: one that logs, and whose sessions have that search path."""
    log = directory / "drill.log"
    options = {**LOGGED, "search_path": path}
    given = " ".join(f"-c '{name}={value}'" for name, value in options.items())
    server = directory / "postgres"
    server.write_text(SERVER.format(real=pg.bin_dir, options=given, log=log))
    server.chmod(0o755)
    (directory / "initdb").symlink_to(pg.bin_dir / "initdb")
    return log
