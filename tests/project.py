"""A user's project, which is set up for a real host and run as a user would."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sandbox.postgres import Postgres
from sandbox.sshd import SshServer
from tests import forked

DATABASE = "shop"
OWNER = "shop"
ROWS = 500
PASSWORD = """a 'quoted" $HOME `pass` \\ w%rd é"""
READABLE = "Proven readable; a test restore has not been made:"
FOREIGN_SETTINGS = ("BACKUP_", "DB_", "MAX_BACKUPS", "PG", "PREDEPLOY_", "SSH_", "GITHUB_", "CI")
FOREIGN_SETTINGS += ("COLUMNS", "LINES", "NO_COLOR")  # of the terminal, and of pytest-xdist


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

    def start(
        self, *arguments: str, **changes: str | None
    ) -> "subprocess.Popen[str] | forked.ForkedFab":
        environment = self.environment(**changes)
        if forked.can_be(environment):
            return forked.start(arguments, self.directory, environment)
        fab = Path(sys.executable).with_name("fab")
        return subprocess.Popen(
            [fab, *arguments],
            cwd=self.directory,
            env=environment,
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
        written = self.directory / "config" / "demo.env.new"
        written.write_text(text, encoding="utf-8")
        written.replace(self.directory / "config" / "demo.env")  # runs may be reading it
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
