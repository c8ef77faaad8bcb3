"""The gate at work on a throwaway host (`make demo`), or that host kept up to try by hand."""

import os
import pwd
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .postgres import Postgres, create_owner, postgres
from .shop import fill, size_bytes
from .sshd import SshServer, asyncssh_server, available, openssh
from .wheels import downloaded, embedded
from .workspace import workspace

DEFAULT_MAJOR = 17
PASSWORD = """it's a "demo" $password"""  # noqa: S105 - of a database that lives for seconds
COMMANDS = (
    ("fab", "-H", "demo", "predeploy", "--version=v1.0.0"),
    ("fab", "-H", "demo", "predeploy", "--version=v1.1.0"),
    ("fab", "-H", "demo", "history"),
)
FAILED_DEPLOY = """
DROP TABLE customers CASCADE;
ALTER TABLE products ADD COLUMN half_done integer;
CREATE TABLE added_by_the_deploy AS SELECT 1 AS n;
DELETE FROM offers WHERE id % 2 = 0;
"""
LOOK = ("fab", "-H", "demo", "doctor")
WAY_BACK = ("fab", "-H", "demo", "restore", "--file=latest", "--yes")
FABFILE = "from fabric_predeploy.tasks import namespace\n"
# What a shell may hold from other work would win over the demo's profile.
FOREIGN_SETTINGS = ("BACKUP_", "DB_", "MAX_BACKUPS", "PG", "PREDEPLOY_", "SSH_")


@dataclass(frozen=True)
class Project:
    """A user's repository with a fabfile and config/demo.env, and the secrets that CI holds."""

    directory: Path
    secrets: dict[str, str]
    backups: Path
    pg: Postgres


def demo(*, rows: int, major: int = DEFAULT_MAJOR) -> int:
    """Return the exit code of the first command that failed, else 0."""
    with project(rows=rows, major=major) as here:
        for command in COMMANDS:
            code = _run(here, command)
            if code != 0:
                _say(f"\nexit code {code}: do not deploy")
                return code
        _say(f"\nNow a deploy goes wrong halfway:\n{FAILED_DEPLOY}")
        here.pg.run_as("shop", FAILED_DEPLOY, "shop")
        code = _run(here, WAY_BACK)
        if code != 0:
            _say(f"\nexit code {code}: the database is as the deploy left it")
            return code
        _say(f"\nThe archives were in {here.backups}. Now everything is stopped and removed.")
    return 0


def serve(*, rows: int, major: int = DEFAULT_MAJOR) -> None:
    """Print what another shell needs, and wait for the signal that ends the program."""
    with project(rows=rows, major=major) as here:
        _say("\nIn another shell, for example:\n")
        for name, value in here.secrets.items():
            _say(f"export {name}={shlex.quote(value)}")
        _say(f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
        _say(f"cd {shlex.quote(str(here.directory))}")
        for command in (LOOK, *COMMANDS, WAY_BACK):
            _say(shlex.join(command))
        _say(f"\nThe archives will be in {here.backups}. Ctrl-C stops and removes everything.")
        signal.pause()


def _run(here: Project, command: tuple[str, ...]) -> int:
    _say(f"\n$ {shlex.join(command)}")
    return subprocess.run(
        [_beside_python(command[0]), *command[1:]],
        cwd=here.directory,
        env=_environment(here),
        check=False,
    ).returncode


@contextmanager
def project(*, rows: int, major: int) -> Iterator[Project]:
    bin_dir = embedded() if major == DEFAULT_MAJOR else downloaded(major)
    name, server = ("OpenSSH", openssh) if _openssh_serves() else ("asyncssh", asyncssh_server)
    with (
        workspace() as directory,
        postgres(bin_dir, directory) as pg,
        server(directory) as ssh,
    ):
        create_owner(pg, role="shop", password=PASSWORD, database="shop")
        fill(pg, database="shop", owner="shop", rows=rows)
        _say(f"A host for the moment, in {directory}:")
        megabytes = size_bytes(pg, "shop") / 1e6
        _say(f"  PostgreSQL {pg.version} on port {pg.port}, database shop of {megabytes:.0f} MB")
        _say(f"  an SSH server ({name}) on port {ssh.port}, user {ssh.user}")
        yield _write_project(directory / "project", pg, ssh)


def _openssh_serves() -> bool:
    """Tell whether sshd is here and would run commands: not for one whose shell is nologin."""
    if os.geteuid() == 0:  # the sandbox brings an account of its own
        return available()
    shell = pwd.getpwuid(os.geteuid()).pw_shell or "/bin/sh"
    return available() and Path(shell).name not in {"nologin", "false"}


def _write_project(directory: Path, pg: Postgres, ssh: SshServer) -> Project:
    profile = {
        "SSH_HOST": ssh.host,
        "SSH_PORT": ssh.port,
        "SSH_USER": ssh.user,
        "DB_NAME": "shop",
        "DB_USER": "shop",
        "DB_HOST": pg.host,
        "DB_PORT": pg.port,
        "DB_BIN_DIR": pg.bin_dir,
        "BACKUP_PROJECT": "demo",
    }
    (directory / "config").mkdir(parents=True)
    (directory / "fabfile.py").write_text(FABFILE)
    lines = [f"{name}={value}\n" for name, value in profile.items()]
    (directory / "config" / "demo.env").write_text("".join(lines))
    secrets = {
        "SSH_PRIVATE_KEY": ssh.private_key,
        "SSH_KNOWN_HOSTS": ssh.known_hosts_line,
        "DB_PASSWORD": PASSWORD,
    }
    return Project(directory, secrets, Path(ssh.home) / "backups/postgres/pre-deployment", pg)


def _environment(here: Project) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN_SETTINGS)}
    return {**kept, **here.secrets}


def _beside_python(program: str) -> str:
    return str(Path(sys.executable).with_name(program))


def _say(text: str) -> None:
    print(text, flush=True)
