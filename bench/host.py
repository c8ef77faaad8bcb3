"""A host with a shop on it, and the two ways to back that up: ours, and the one typed by hand."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.demo import FOREIGN_SETTINGS
from sandbox.postgres import Postgres, create_owner, postgres
from sandbox.shop import fill, size_bytes
from sandbox.sshd import SshServer, openssh
from sandbox.workspace import SandboxError, workspace

OWNER = "shop"
_PASSWORD = "bench password"  # noqa: S105 - of a database that lives for minutes
_FABFILE = "from fabric_predeploy.tasks import namespace\n"
_BY_HAND = "naive.dump"
_STEPS = Path(__file__).resolve().parents[1] / "remote/steps"
OLD_PG_DUMP = 15  # the last that can only gzip


@dataclass(frozen=True)
class Host:
    directory: Path
    pg: Postgres
    ssh: SshServer
    name: str
    installed: bool  # PostgreSQL's programs are where packages put them: nothing has to be set

    def predeploy(self, database: str, port: int, *flags: str) -> None:
        self._fab(database, port, "predeploy", f"--version=v{os.urandom(4).hex()}", *flags)

    def restore(self, database: str, *flags: str) -> None:
        """Without the archive of the present state: the naive way has none either."""
        more = [] if "--plan" in flags else ["--yes", "--no-safety"]
        self._fab(database, self.ssh.port, "restore", "--file=latest", *flags, *more)
        old = f"SELECT datname FROM pg_database WHERE starts_with(datname, '{database}_before_')"  # noqa: S608 - ours
        for name in self.pg.superuser(old).split():
            self.pg.superuser(f"DROP DATABASE {name}")

    def restore_by_hand(self, database: str, *options: str) -> None:
        self._restore_by_hand(str(self._newest(database)), *options)

    def dump_and_restore_by_hand(self, database: str) -> None:
        self.dump_only(database)
        self._restore_by_hand(_BY_HAND, "--jobs=2")

    def _restore_by_hand(self, archive: str, *options: str) -> None:
        self.pg.superuser("DROP DATABASE IF EXISTS by_hand")
        self.pg.superuser(f"CREATE DATABASE by_hand OWNER {OWNER}")
        self._ssh(
            f"{self.pg.bin_dir}/pg_restore -h 127.0.0.1 -p {self.pg.port} -U {OWNER}"
            f" {' '.join(options)} -d by_hand {archive}"
        )

    def dump_only(self, database: str) -> None:
        level = "1" if self.pg.major <= OLD_PG_DUMP else "zstd:1"
        self._ssh(
            f"{self.pg.bin_dir}/pg_dump -h 127.0.0.1 -p {self.pg.port} -U {OWNER}"
            f" -Fc --compress={level} -f {_BY_HAND} {database}"
        )

    def count_rows(self, database: str) -> None:
        self._in_snapshot(database, "count")

    def hash_rows(self, database: str) -> None:
        self._in_snapshot(database, "sequences", "content", "sequences")

    def _in_snapshot(self, database: str, *names: str) -> None:
        sql = "\n".join(
            next(_STEPS.glob(f"*/{name}.sql")).read_text().replace(":run_dir", "/tmp")
            for name in ("tables", "snapshot", *names)
        )
        self.pg.run_as(OWNER, f"\\set lock_timeout 30s\n{sql}", database)

    def _newest(self, database: str) -> Path:
        manifests = (self.ssh.home / "backups/postgres/pre-deployment").glob("*.manifest")
        ours = (path for path in manifests if f"database={database}\n" in path.read_text())
        return max(ours, key=lambda path: path.stat().st_mtime_ns).with_suffix(".dump")

    def _fab(self, database: str, port: int, *arguments: str) -> None:
        fab = Path(sys.executable).with_name("fab")
        command: list[str | Path] = [fab, "-H", "bench", *arguments]
        secrets = {
            "SSH_PRIVATE_KEY": self.ssh.private_key,
            "SSH_KNOWN_HOSTS": self._known_hosts(port),
            "DB_PASSWORD": _PASSWORD,
        }
        run(command, self.directory, SSH_PORT=str(port), DB_NAME=database, **secrets)

    def by_hand(self, database: str, port: int, *, wrapper: bool) -> None:
        program = "pg_dump" if wrapper else f"{self.pg.bin_dir}/pg_dump"
        self._ssh(
            f"{program} -h 127.0.0.1 -p {self.pg.port} -U {OWNER} -Fc -f {_BY_HAND} {database}",
            port,
        )

    def _ssh(self, remote: str, port: int | None = None) -> None:
        """Through OpenSSH's client, with the password in the host's ~/.pgpass."""
        port = port or self.ssh.port
        (self.directory / "known_hosts").write_text(self._known_hosts(port) + "\n")
        command: list[str | Path] = ["ssh", "-F", "none", "-p", str(port)]
        command += ["-i", self.directory / "key", "-o", "IdentitiesOnly=yes"]
        command += ["-o", f"UserKnownHostsFile={self.directory}/known_hosts"]
        command += ["-o", "ControlMaster=no", "-o", "BatchMode=yes"]
        command += [f"{self.ssh.user}@{self.ssh.host}", remote]
        run(command, self.directory)

    def channels(self) -> int:
        """Return how many commands and subsystems sshd has started so far."""
        log = self.ssh.home.parents[1] / "sshd.log"
        return log.read_text(errors="replace").count("Starting session: ")

    def sizes(self) -> tuple[float, float]:
        """Return the bytes of our newest archive and of the one made by hand."""
        ours = (self.ssh.home / "backups/postgres/pre-deployment").glob("*.dump")
        newest = max((archive.stat() for archive in ours), key=lambda found: found.st_mtime_ns)
        return newest.st_size, (self.ssh.home / _BY_HAND).stat().st_size

    def fill(self, database: str, rows: int) -> int:
        """Create the shop in a database of its own and return its size in bytes."""
        self.pg.superuser(f"CREATE DATABASE {database} OWNER {OWNER}")
        fill(self.pg, database=database, owner=OWNER, rows=rows)
        self.pg.superuser("VACUUM", database)  # else the first dump would write hint bits
        self.pg.superuser("CHECKPOINT")
        return size_bytes(self.pg, database)

    def _known_hosts(self, port: int) -> str:
        return self.ssh.known_hosts_line.replace(f":{self.ssh.port} ", f":{port} ", 1)


@contextmanager
def host(bin_dir: Path) -> Iterator[Host]:
    installed = str(bin_dir).startswith("/usr/")
    with (
        workspace() as directory,
        postgres(bin_dir, directory) as pg,
        openssh(directory, extra_config="LogLevel VERBOSE") as ssh,
    ):
        create_owner(pg, role=OWNER, password=_PASSWORD, database="unused")
        _write_private(ssh.home / ".pgpass", f"127.0.0.1:*:*:{OWNER}:{_PASSWORD}\n", ssh.uid)
        project = directory / "project"
        (project / "config").mkdir(parents=True)
        (project / "fabfile.py").write_text(_FABFILE)
        _write_private(project / "key", ssh.private_key, os.geteuid())
        profile = {
            "SSH_HOST": ssh.host,
            "SSH_USER": ssh.user,
            "DB_USER": OWNER,
            "DB_HOST": pg.host,
            "DB_PORT": pg.port,
            "DB_BIN_DIR": "" if installed else pg.bin_dir,
            "BACKUP_PROJECT": "bench",
            "BACKUP_PROOF": "read",
        }
        lines = "".join(f"{name}={value}\n" for name, value in profile.items())
        (project / "config" / "bench.env").write_text(lines)
        name = f"PostgreSQL {pg.version}{' (packaged)' if installed else ''}"
        yield Host(project, pg, ssh, name, installed)


def run(command: Sequence[str | Path], directory: Path, **variables: str) -> None:
    """Run to its end with nothing of the caller's settings, and a home without ssh_config."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN_SETTINGS)}
    done = subprocess.run(
        command,
        cwd=directory,
        env={**kept, "HOME": str(directory), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise SandboxError(f"{Path(command[0]).name} failed ({done.returncode}):\n{done.stderr}")


def _write_private(file: Path, text: str, uid: int) -> None:
    file.touch(mode=0o600)
    file.write_text(text)
    if os.geteuid() == 0:
        os.chown(file, uid, uid or -1)
