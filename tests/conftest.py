"""Real hosts: PostgreSQL from wheels, OpenSSH's sshd, and a project that uses them."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from sandbox.postgres import Postgres, create_owner, postgres
from sandbox.shop import fill
from sandbox.sshd import SshServer, asyncssh_server, available, openssh
from sandbox.wheels import downloaded, embedded
from sandbox.workspace import workspace
from tests import forked
from tests.project import DATABASE, OWNER, PASSWORD, ROWS, Project
from tests.striking import strike

__all__ = ["strike"]  # a fixture

# How long an example takes says nothing on a machine that is busy.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")
# In the background of a shell, or under nohup, each fab of ours would ignore them as we do.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
_numbers = count()


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


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Project]:
    def make(pg: Postgres, ssh: SshServer, **settings: str | None) -> Project:
        directory = tmp_path_factory.mktemp("project")
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
            # The defaults have tests of their own: a test restore in each run would take too long.
            "BACKUP_PROOF": "read",
            "BACKUP_REHEARSAL": "warn",
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
def real_fab(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that a user has: started, not forked."""
    monkeypatch.setattr(forked, "can_be", lambda _: False)


@pytest.fixture
def project(make_project: Callable[..., Project], pg: Postgres, ssh: SshServer) -> Project:
    return make_project(pg, ssh)
