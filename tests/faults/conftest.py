"""A host with programs that can be held and three good archives, for all faults of a session."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.postgres import Postgres
from sandbox.sshd import SshServer, available, openssh
from tests.faults import table
from tests.faults.fault import Fault
from tests.faults.invariant import check
from tests.faults.scene import Scene
from tests.integration.cutting import Programs
from tests.project import Project

WRITING = "FAULTS_WRITE" in os.environ  # as `make faults` sets it


def pytest_configure(config: pytest.Config) -> None:
    if WRITING and not hasattr(config, "workerinput"):
        shutil.rmtree(table.ROWS, ignore_errors=True)
    table.ROWS.mkdir(parents=True, exist_ok=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if WRITING and exitstatus == 0 and not hasattr(session.config, "workerinput"):
        table.TABLE.parent.mkdir(exist_ok=True)
        table.TABLE.write_text(table.joined(), encoding="utf-8")


@pytest.fixture(scope="session")
def programs(ground: Path, pg: Postgres) -> Programs:
    return Programs(ground / "programs", pg.bin_dir)


@pytest.fixture(scope="session")
def path(programs: Programs) -> str:
    """Where a host finds its programs: those that a fault puts there first."""
    return f"{programs.directory}:/usr/local/bin:/usr/bin:/bin"


@pytest.fixture(scope="session")
def host(ground: Path, path: str) -> Iterator[SshServer]:
    if not available():
        pytest.skip("needs OpenSSH's sshd")
    with openssh(ground, path=path) as ssh:
        yield ssh


@pytest.fixture(scope="session")
def archives(
    make_project: Callable[..., Project], pg: Postgres, host: SshServer, programs: Programs
) -> Path:
    """A BACKUP_DIR after three good runs."""
    project = make_project(pg, host, DB_BIN_DIR=str(programs.directory))
    for version in ("v1.0.0", "v1.1.0", "v1.2.0"):
        done = project.predeploy(version)
        assert done.returncode == 0, done.stderr
    return project.backup_dir


@pytest.fixture
def scene(
    make_project: Callable[..., Project],
    pg: Postgres,
    host: SshServer,
    programs: Programs,
    archives: Path,
    ground: Path,
    path: str,
) -> Iterator[Scene]:
    project = make_project(pg, host, DB_BIN_DIR=str(programs.directory))
    scene = Scene(project, archives, programs, ground, path)
    yield scene
    scene.close()


@pytest.fixture
def is_survived(scene: Scene) -> Callable[[Fault], None]:
    """Check the fault, and that the table says what has come of it."""

    def survived(fault: Fault) -> None:
        for need in fault.needs:
            if os.geteuid() != 0 if need == "root" else not shutil.which(need):
                pytest.skip(f"needs {need}")
        row = str(check(scene, fault))
        if WRITING:
            table.row_file(fault).write_text(row, encoding="utf-8")
        else:
            assert row in table.TABLE.read_text(encoding="utf-8").splitlines(), "make faults"

    return survived
