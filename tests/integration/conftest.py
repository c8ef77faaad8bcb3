"""Real hosts: PostgreSQL from wheels, OpenSSH's sshd, and a project that uses them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest

from sandbox.postgres import Postgres, create_owner, postgres
from sandbox.shop import fill
from sandbox.sshd import SshServer, asyncssh_server, available, openssh
from sandbox.wheels import downloaded, embedded
from sandbox.workspace import workspace

DATABASE = "shop"
OWNER = "shop"
PASSWORD = """a 'quoted" $HOME `pass` \\ w%rd é"""
ROWS = 500
FOREIGN_SETTINGS = ("BACKUP_", "DB_", "MAX_BACKUPS", "PG", "PREDEPLOY_", "SSH_", "GITHUB_", "CI")
FOREIGN_SETTINGS += ("COLUMNS", "LINES", "NO_COLOR")  # of the terminal, and of pytest-xdist
_numbers = count()


@dataclass(frozen=True)
class Project:
    """A user's checkout with config/demo.env, and what CI would put into the environment."""

    directory: Path
    pg: Postgres
    ssh: SshServer
    secrets: Mapping[str, str]
    backup_dir: Path
    profile: Mapping[str, str] = field(default_factory=dict)

    def environment(self, **changes: str | None) -> dict[str, str]:
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(FOREIGN_SETTINGS)
        }
        kept.update(self.secrets, HOME=str(self.directory), PYTHONUNBUFFERED="1")
        wanted = {**kept, **changes}
        return {key: value for key, value in wanted.items() if value is not None}

    def start(self, *arguments: str, **changes: str | None) -> "subprocess.Popen[str]":
        fab = Path(sys.executable).with_name("fab")
        return subprocess.Popen(
            [fab, *arguments],
            cwd=self.directory,
            env=self.environment(**changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def fab(self, *arguments: str, **changes: str | None) -> "subprocess.CompletedProcess[str]":
        """Run fab as a user would; no run may show a traceback or a secret."""
        process = self.start(*arguments, **changes)
        output, errors = process.communicate(timeout=120)
        assert "Traceback" not in output + errors, errors
        assert PASSWORD not in output + errors
        assert "PRIVATE KEY" not in output + errors
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def predeploy(
        self, version: str = "v1.0.0", **changes: str | None
    ) -> "subprocess.CompletedProcess[str]":
        return self.fab("-H", "demo", "predeploy", f"--version={version}", **changes)

    def with_profile(self, **settings: str | None) -> "Project":
        """The same project with other lines in its profile; None removes a line."""
        changed = {**self.profile, **settings}
        profile = {key: value for key, value in changed.items() if value is not None}
        text = "".join(f"{key}={quoted(value)}\n" for key, value in profile.items())
        (self.directory / "config" / "demo.env").write_text(text, encoding="utf-8")
        return replace(self, profile=profile)

    def archives(self) -> list[Path]:
        return sorted(self.backup_dir.glob("*.dump"))

    def status(self) -> dict[str, str]:
        lines = (self.backup_dir / "status").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def leftovers(self) -> list[Path]:
        return sorted(self.backup_dir.glob("*.partial"))


def quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    with workspace() as directory:
        yield directory


@pytest.fixture(scope="session")
def start_server(ground: Path) -> Iterator[Callable[[int | None], Postgres]]:
    """One server for each major version, with the shop in it; None is the demo's."""
    running: dict[int | None, Postgres] = {}
    with ExitStack() as stack:

        def start(major: int | None = None) -> Postgres:
            if major not in running:
                bin_dir = downloaded(major) if major else embedded()
                pg = stack.enter_context(postgres(bin_dir, ground, settings={"fsync": "off"}))
                create_owner(pg, role=OWNER, password=PASSWORD, database=DATABASE)
                fill(pg, database=DATABASE, owner=OWNER, rows=ROWS)
                running[major] = pg
            return running[major]

        yield start


@pytest.fixture(scope="session")
def pg(start_server: Callable[[int | None], Postgres]) -> Postgres:
    return start_server(None)


@pytest.fixture(scope="session")
def ssh(ground: Path) -> Iterator[SshServer]:
    with openssh(ground) if available() else asyncssh_server(ground) as server:
        yield server


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[..., Project]:
    def make(pg: Postgres, ssh: SshServer, **settings: str | None) -> Project:
        directory = tmp_path / f"project-{next(_numbers)}"
        (directory / "config").mkdir(parents=True)
        (directory / "fabfile.py").write_text("from fabric_predeploy.tasks import namespace\n")
        backup_dir = ssh.home / f"backups-{os.getpid()}-{next(_numbers)}"
        profile: dict[str, str | None] = {
            "SSH_HOST": ssh.host,
            "SSH_PORT": str(ssh.port),
            "SSH_USER": ssh.user,
            "DB_NAME": DATABASE,
            "DB_USER": OWNER,
            "DB_HOST": pg.host,
            "DB_PORT": str(pg.port),
            "DB_BIN_DIR": str(pg.bin_dir),
            "BACKUP_DIR": str(backup_dir),
            **settings,
        }
        secrets = {
            "SSH_PRIVATE_KEY": ssh.private_key,
            "SSH_KNOWN_HOSTS": ssh.known_hosts_line,
            "DB_PASSWORD": PASSWORD,
        }
        project = Project(directory, pg, ssh, secrets, backup_dir)
        return project.with_profile(**profile)

    return make


@pytest.fixture
def project(make_project: Callable[..., Project], pg: Postgres, ssh: SshServer) -> Project:
    return make_project(pg, ssh)
