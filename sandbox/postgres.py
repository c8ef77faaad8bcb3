"""A PostgreSQL server that lives as long as a `with` block and leaves nothing behind."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .workspace import SandboxError, die_with_parent, free_port, remove, stop, unprivileged

SUPERUSER = "postgres"
START_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Postgres:
    version: str
    major: int
    bin_dir: Path
    host: str
    port: int
    data_dir: Path
    pid: int

    def superuser(self, sql: str, database: str = "postgres") -> str:
        """Run SQL through the private socket and return unaligned, header-less rows."""
        return self.run_as(SUPERUSER, sql, database)

    def run_as(self, role: str, sql: str, database: str) -> str:
        """Like `superuser`, as any role: the private socket asks for no password."""
        options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
        environment = {
            "PGHOST": str(self.data_dir.parent),
            "PGPORT": str(self.port),
            "PGUSER": role,
            "PGDATABASE": database,
            "PGCLIENTENCODING": "UTF8",
        }
        return _run([self.bin_dir / "psql", *options], self.data_dir.parent, environment, sql)


@contextmanager
def postgres(
    bin_dir: Path, directory: Path, *, settings: Mapping[str, str] | None = None
) -> Iterator[Postgres]:
    """Run a server in a new directory below `directory`, which `nobody` can traverse.

    Passwords over TCP (scram-sha-256), none on the socket, whose directory is private. Servers
    refuse root: called by root, it runs as `nobody`.
    """
    home = Path(tempfile.mkdtemp(prefix="postgres-", dir=directory))
    try:
        account = unprivileged()
        if account:
            os.chown(home, account["user"], account["group"])
            bin_dir = _reachable(bin_dir, directory / f"programs-{bin_dir.parent.name}")
        version = _version(bin_dir, home)
        _initialize(bin_dir, home)
        port = free_port()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": str(home),
            "log_timezone": "UTC",
            **(settings or {}),
        }
        with _server(bin_dir, home, options) as pid:
            major = int(version.split(".")[0])
            yield Postgres(version, major, bin_dir, "127.0.0.1", port, home / "data", pid)
    finally:
        remove(home)


def create_owner(pg: Postgres, *, role: str, password: str, database: str) -> None:
    """Create what shared hosting gives: a database and its owner, who may create no other."""
    pg.superuser(
        f"CREATE ROLE {identifier(role)} LOGIN NOCREATEDB PASSWORD {literal(password)};\n"
        f"CREATE DATABASE {identifier(database)} OWNER {identifier(role)};\n"
    )


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _initialize(bin_dir: Path, home: Path) -> None:
    options = ["--pgdata", str(home / "data"), "--username", SUPERUSER, "--no-sync"]
    options += ["--locale=C", "--encoding=UTF8"]
    options += ["--auth-local=trust", "--auth-host=scram-sha-256"]
    _run([bin_dir / "initdb", *options], home)


@contextmanager
def _server(bin_dir: Path, home: Path, options: Mapping[str, str]) -> Iterator[int]:
    command: list[str | Path] = [bin_dir / "postgres", "-D", home / "data"]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C ends the block first, and the block ends the server
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads here, and it allocates nothing
            **_surroundings(home),
        )
    try:
        _wait_until_ready(bin_dir, home, options["port"], process, log)
        yield process.pid
    finally:
        stop(process, signal.SIGQUIT)  # at once: nothing in it will be needed again


def _wait_until_ready(
    bin_dir: Path, home: Path, port: str, process: subprocess.Popen[bytes], log: Path
) -> None:
    question: list[str | Path] = [bin_dir / "pg_isready", "--quiet", "--host", home, "--port", port]
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while subprocess.run(question, check=False, **_surroundings(home)).returncode != 0:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SandboxError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.02)


def _version(bin_dir: Path, home: Path) -> str:
    answer = _run([bin_dir / "postgres", "--version"], home)
    found = re.search(r"\(PostgreSQL\) (\S+)", answer)
    if found is None:
        raise SandboxError(f"{bin_dir}/postgres --version says {answer!r}")
    return found[1]


def _reachable(bin_dir: Path, copy: Path) -> Path:
    """Return `bin_dir`, or a copy of it when, say in root's home, others cannot get there."""
    way = [bin_dir / "postgres", *bin_dir.resolve().parents, bin_dir]
    if all(step.stat().st_mode & 0o001 for step in way):
        return bin_dir
    if not copy.exists():
        shutil.copytree(bin_dir.parent, copy)
        for path in [copy, *copy.rglob("*")]:
            mode = path.stat().st_mode
            owners = mode & 0o500
            path.chmod(mode | owners >> 3 | owners >> 6)
    return copy / "bin"


def _run(
    command: list[str | Path],
    home: Path,
    environment: Mapping[str, str] | None = None,
    text: str = "",
) -> str:
    surroundings = _surroundings(home)
    surroundings["env"].update(environment or {})
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, input=text, capture_output=True, encoding="utf-8", check=False, **surroundings
    )
    if done.returncode != 0:
        raise SandboxError(f"{command[0]} failed ({done.returncode}):\n{done.stderr}")
    return done.stdout.rstrip("\n")


def _surroundings(home: Path) -> dict[str, Any]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    clean.update(HOME=str(home), LC_ALL="C", TZ="UTC")
    return {"cwd": home, "env": clean, "umask": 0o077, **unprivileged()}
