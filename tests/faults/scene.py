"""Where a fault is injected: a project, a host with good archives, programs that can be held."""

import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

from sandbox.postgres import Postgres
from sandbox.serving import descendants
from sandbox.sshd import SshServer
from tests.integration.cutting import Programs, Way
from tests.processes import remote_processes, sessions, wait_for
from tests.project import Project

LONGEST_RUN_SECONDS = 90
# Where a run can be held: a program of the host, and which of its calls, as the shell matches them.
STAGES = {
    "lock": ("mkdir", "*/run.partial"),
    "preflight": ("psql", "*"),
    "dump": ("pg_dump", "*--snapshot*"),
    "verify": ("pg_restore", "*--file=/dev/null*"),
    "publish": ("mv", "*.dump"),
    "rotate": ("rm", "-f */*.dump"),
}
_numbers = count()


class Run:
    """A fab that is at work, or has been."""

    def __init__(self, process: "subprocess.Popen[str]", output: Path) -> None:
        self.process = process
        self.handed_over = output  # what GITHUB_OUTPUT names
        self._done: subprocess.CompletedProcess[str] | None = None

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> "subprocess.CompletedProcess[str]":
        if self._done is None:
            told = self.process.communicate(timeout=LONGEST_RUN_SECONDS)
            self._done = subprocess.CompletedProcess(
                self.process.args, self.process.returncode, *told
            )
        return self._done

    def outputs(self) -> str:
        return self.handed_over.read_text(encoding="utf-8") if self.handed_over.exists() else ""


class Scene:
    """`settings` are the profile, `environment` is what CI adds, `options` are fab's: change them.

    `bin` is first in the PATH of the host, and its DB_BIN_DIR: a program put there is found first.
    """

    def __init__(
        self, project: Project, archives: Path, programs: Programs, ground: Path, path: str
    ) -> None:
        self.project = project
        self.ground = ground  # where another server may have its directory
        self.path = path  # where a host finds its programs: first of all in `bin`
        self.options: tuple[str, ...] = ()
        self.way: Way  # to the host, of a fault that cuts it
        self.listener: socket.socket  # where the host should be
        self.settings: dict[str, str | None] = dict(project.profile)
        self.environment: dict[str, str | None] = {}
        self._archives = archives
        self._programs = programs
        self._runs: list[Run] = []
        self.move_to(project.ssh)

    @property
    def pg(self) -> Postgres:
        return self.project.pg

    @property
    def ssh(self) -> SshServer:
        return self.project.ssh

    @property
    def backup_dir(self) -> Path:
        return self.project.backup_dir

    @property
    def bin(self) -> Path:
        return self._programs.directory

    def move_to(self, ssh: SshServer) -> None:
        """Go on at this host: with the earlier archives in a BACKUP_DIR of its own."""
        backup_dir = ssh.home / f"backups-{next(_numbers)}"
        subprocess.run(["cp", "-a", self._archives, backup_dir], check=True)
        known, key = ssh.known_hosts_line, ssh.private_key
        secrets = {**self.project.secrets, "SSH_KNOWN_HOSTS": known, "SSH_PRIVATE_KEY": key}
        self.project = replace(self.project, ssh=ssh, secrets=secrets, backup_dir=backup_dir)
        self.settings |= {"SSH_HOST": ssh.host, "SSH_PORT": str(ssh.port), "SSH_USER": ssh.user}
        self.settings["BACKUP_DIR"] = str(backup_dir)

    def start(self, *arguments: str, **environment: str | None) -> Run:
        output = self.project.directory / f"output-{next(_numbers)}"
        project = replace(self.project, profile={}).with_profile(**self.settings)
        variables = {"GITHUB_OUTPUT": str(output), **self.environment, **environment}
        run = Run(project.start(*self.options, "-H", "demo", *arguments, **variables), output)
        self._runs.append(run)
        return run

    def fab(self, *arguments: str, **environment: str | None) -> "subprocess.CompletedProcess[str]":
        return self.start(*arguments, **environment).end()

    def go_by(self, port: int) -> None:
        """Reach the host at another port of this machine."""
        known = self.ssh.known_hosts_line.replace(str(self.ssh.port), str(port), 1)
        self.settings["SSH_PORT"] = str(port)
        self.environment["SSH_KNOWN_HOSTS"] = known

    @contextmanager
    def set_back(self) -> Iterator[None]:
        """Take back what is changed meanwhile of settings, environment and options."""
        before = dict(self.settings), dict(self.environment), self.options
        yield
        self.settings, self.environment, self.options = before

    # The programs of the host

    def watch(self, name: str) -> None:
        """Have it keep account of its calls."""
        self._programs.watch(name)

    def calls(self, name: str) -> list[str]:
        return self._programs.began(name)

    def stub(self, name: str, script: str) -> None:
        """Put this in the place of a program; `{program}` in it is the real one."""
        self._programs.put(name, script)

    def hold(self, stage: str, *, when: str = "before") -> None:
        """Have the program of this stage wait before its work, or after it."""
        name, calls = STAGES[stage]
        self._programs.hold(name, calls, when=when)

    def await_stage(self, stage: str, run: Run | None = None) -> None:
        """Until the program of a stage that is held waits; before the end of this run."""
        wait_for(
            lambda: self.began(stage) or (run is not None and run.process.poll() is not None), 60
        )
        assert self.began(stage), run and run.end().stderr

    def began(self, stage: str) -> list[str]:
        """The calls, each by its arguments, that were held in this stage."""
        return self._programs.waits(STAGES[stage][0])

    def release(self, stage: str) -> None:
        self._programs.release(STAGES[stage][0])

    # What there is on the host

    def host_processes(self) -> list[bytes]:
        return remote_processes(self.project)

    def kill_all(self) -> None:
        """What runs there for us, with the sshd of our logins, as when it is switched off."""
        for pid in descendants(self.ssh.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def sessions(self) -> list[int]:
        """The sshd processes of our logins."""
        return sessions(self.project)

    def await_quiet(self) -> None:
        """Until nothing of ours runs there."""
        wait_for(lambda: not self.host_processes(), 60)

    def archives(self) -> dict[str, str]:
        """Each archive with the checksum of its three files, computed here."""
        return {path.name: _checksums(path) for path in sorted(self.backup_dir.glob("*.dump"))}

    def logs(self) -> str:
        return "".join(
            path.read_text(encoding="utf-8")
            for path in sorted(self.backup_dir.glob("backup-*.log"))
        )

    def stable(self, text: str) -> str:
        """What a message says, without what differs from run to run."""
        known = [
            (str(self.backup_dir), "BACKUP_DIR"),
            (str(self.bin), "DB_BIN_DIR"),
            (str(self.ssh.home), "~"),
            (str(self.project.directory), "."),
            (f"{self.ssh.user}@", "USER@"),
        ]
        for words, name in known:
            text = text.replace(words, name)
        for pattern, name in _VARIES:
            text = re.sub(pattern, name, text)
        return text

    def close(self) -> None:
        """Whatever has become of the row: nothing of it is there for the next."""
        for run in self._runs:
            if run.process.poll() is None:
                run.process.kill()
            run.end()
        self._programs.restore()
        shutil.rmtree(self.backup_dir, ignore_errors=True)


_VARIES = [
    (r"\[127\.0\.0\.1\]:\d+|127\.0\.0\.1:\d+", "HOST:PORT"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"\b\d{8}-\d{6}\b", "TIME"),
    (r"\b(process|pid) \d+", r"\1 PID"),
    (r"\d+ bytes instead of \d+", "BYTES instead of BYTES"),
    (r"clock is off by \d+ s", "clock is off by SECONDS s"),
    (r'"127\.0\.0\.1", port \d+', "HOST, PORT"),
    (r"in a transaction for [\d:]+", "in a transaction for SECONDS"),
    (r"\bSHA256:[A-Za-z0-9+/]+", "SHA256:…"),
    (r"\b[\w.+-]+@[\w.-]+ since", "SOMEBODY since"),
]


def _checksums(path: Path) -> str:
    three = (path, Path(f"{path}.sha256"), path.with_suffix(".manifest"))
    return " ".join(
        hashlib.sha256(each.read_bytes()).hexdigest() if each.exists() else "none" for each in three
    )
