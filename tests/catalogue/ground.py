"""A database with all kinds of objects in it, and its way there and back."""

import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sandbox.postgres import Postgres
from tests.catalogue.kinds import Kind
from tests.integration.everything import plain_dump
from tests.project import OWNER, Project

DATABASE = "catalogue"
ROLES = ("reader", "keeper", "other")  # OWNER is a member of the second
EVERYBODY = f"keeper, other, pg_database_owner, {OWNER}"
QUIET = "SET client_min_messages = error; SET check_function_bodies = off;\n"


@dataclass(frozen=True)
class Owners:
    schema: str
    object: str

    def __str__(self) -> str:
        return f"{self.object}_in_{self.schema}"


@dataclass
class Ground:
    """All of it is made and changed by a superuser in the name of the owners."""

    pg: Postgres
    project: Project
    owners: Owners
    kinds: list[Kind] = field(default_factory=list)

    def begin(self, *, wrapper: bool = True) -> None:
        drop(self.pg)
        roles = self.pg.superuser("SELECT rolname FROM pg_roles").splitlines()
        sql = QUIET + "".join(f"CREATE ROLE {role};" for role in ROLES if role not in roles)
        sql += f"CREATE DATABASE {DATABASE} OWNER {OWNER}; GRANT keeper TO {OWNER};"
        sql += f"GRANT CREATE ON DATABASE {DATABASE} TO {EVERYBODY};"
        self.pg.superuser(sql)
        if wrapper:
            sql = "CREATE FOREIGN DATA WRAPPER wrapper;"
            sql += f"GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO {EVERYBODY}"
            self.pg.superuser(sql, DATABASE)

    def make(self, kinds: Iterable[Kind]) -> None:
        icu = self.pg.superuser("SELECT count(*) FROM pg_collation WHERE collname = 'und-x-icu'")
        self.kinds = [kind for kind in kinds if "icu" not in kind.flags or icu != "0"]
        sql = QUIET
        for kind in self.kinds:
            sql += f"SET ROLE {self.owners.schema}; CREATE SCHEMA {kind.schema};"
            sql += f"GRANT ALL ON SCHEMA {kind.schema} TO {EVERYBODY};"
            sql += "RESET ROLE;" if "superuser" in kind.flags else f"SET ROLE {self.owners.object};"
            sql += f"SET search_path = {kind.schema};\n{kind.placed(kind.make)}\n"
        self.pg.superuser(sql, DATABASE)

    def deploy(self, change: Callable[[Kind], str], role: str | None = None) -> list[Kind]:
        """Make that change, in the name of who owns the objects; return what it changed."""
        changed = {kind: change(kind) for kind in self.kinds}
        sql = QUIET
        for kind, done in changed.items():
            if done:
                sql += f"SET ROLE {role or self.owners.object}; SET search_path = {kind.schema};"
                sql += f"\n{done}\n"
        self.pg.superuser(sql, DATABASE)
        return [kind for kind, done in changed.items() if done]

    def archive(self, rehearsal: str = "require") -> "subprocess.CompletedProcess[str]":
        flags = ("--version=v1", f"--rehearsal={rehearsal}", "--accept-shrink")
        done = self.project.fab("-H", "demo", "predeploy", *flags)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def restore(self, *flags: str) -> "subprocess.CompletedProcess[str]":
        archive = self.project.archives()[-1].name
        return self.project.fab("-H", "demo", "restore", f"--file={archive}", *flags)

    def comes_back(self, before: str, mode: str) -> str:
        """Restore; what is not as it was, or nothing."""
        done = self.restore("--yes", "--no-safety", f"--mode={mode}")
        after = self.dumped()
        if done.returncode == 0 and after == before:
            return ""
        return f"exit {done.returncode}: {done.stderr[-2000:]}\n{differing(before, after)}"

    def dumped(self) -> str:
        return plain_dump(self.pg, DATABASE)


def drop(pg: Postgres) -> None:
    there = pg.superuser("SELECT datname FROM pg_database").splitlines()
    for name in there:
        if name.startswith(DATABASE):
            pg.superuser(f'DROP DATABASE "{name}" WITH (FORCE)')


def differing(before: str, after: str) -> str:
    """The lines that are in one of them only, as few as show what it is about."""
    was, is_now = dict.fromkeys(before.splitlines()), dict.fromkeys(after.splitlines())
    lost = [f"-{line}" for line in was if line not in is_now]
    come = [f"+{line}" for line in is_now if line not in was]
    return "\n".join([*lost[:40], *come[:40]]) or "the order of its lines"


def culprits(kinds: list[Kind], holds: Callable[[list[Kind]], bool]) -> list[str]:
    """The names of those that do not hold, found by halves; `kinds` together do not."""
    if len(kinds) == 1:
        return [kinds[0].name]
    halves = kinds[: len(kinds) // 2], kinds[len(kinds) // 2 :]
    found = [name for half in halves if not holds(half) for name in culprits(half, holds)]
    return found or ["only together: " + ", ".join(kind.name for kind in kinds)]
