"""A host in a directory: the steps run in the local sh, stubs of PostgreSQL bring faults."""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fabric_predeploy.config.settings import Settings
from fabric_predeploy.remote._door import hearing, shell
from fabric_predeploy.remote._door.script import Step
from fabric_predeploy.remote.steps import rules, step

from tests.local import LocalLine, read_facts

PASSWORD = 'p\'w "$HOME" \\ `é`'
KILLED = pytest.mark.parametrize("who", ["$$", "$PPID"], ids=["ls", "the shell before the pipe"])
SHELLS = {name: shutil.which(name) for name in ("dash", "bash", "busybox")}
# All that a step may need besides a POSIX shell; whatever else is on PATH is not there for it.
TOOLS = [
    "awk",
    "cat",
    "chmod",
    "cut",
    "date",
    "dd",
    "df",
    "flock",
    "grep",
    "head",
    "id",
    "ls",
    "mkdir",
    "mkfifo",
    "mktemp",
    "mv",
    "readlink",
    "rm",
    "sed",
    "sha256sum",
    "sleep",
    "sort",
    "sync",
    "tail",
    "tr",
]

_STUB = """#!/bin/sh
if [ "$1" = --version ]; then
    echo '{name} (PostgreSQL) {version} (Debian {version}-1.pgdg12+1)'
    exit
fi
for argument; do
    case $argument in --file=*) file=${{argument#--file=}} ;; esac
done
{body}
"""
DUMPING = 'printf "PGDMP of %s" "$PGDATABASE" >"$file"'
CONVERSING = """while IFS= read -r line; do
    case $line in
        '\\echo '*) printf '%s\\n' "${line#?echo }" ;;
        *pg_database_size*) printf '%s\\n' FACTS ;;
        *pg_export_snapshot*) echo snapshot=00000003-0000001B-1 ;;
        '\\o :run_dir/rows'*) echo 'rows=2 public.shop' >"$RUN_DIR/rows" ;;
        '\\o :run_dir/context'*) printf '%s\\n' locale=C role=owner >"$RUN_DIR/context" ;;
    esac
    done"""
LISTING = """case $1 in --list)
    dumped=$(sed -n 's/^PGDMP of //p' "$2" 2>/dev/null)
    printf '%s\\n' ';' '; Archive' ";     dbname: ${dumped:-shop}" ';'
    printf '%s\\n' '3; 2615 SCHEMA - public owner' '215; 1259 TABLE public shop'
    ;; esac"""


class Host:
    def __init__(self, root: Path, sh: str, settings: Settings) -> None:
        self.root, self.sh = root, sh
        self.home, self.bin, self.tools = root / "home", root / "bin", root / "tools"
        for directory in (self.home, self.bin, self.tools):
            directory.mkdir()
            directory.chmod(0o755)  # also where a test's umask forbids nothing
        for tool in TOOLS:
            own = sh == "busybox" and tool in _applets()
            (self.tools / tool).symlink_to(str(SHELLS["busybox"]) if own else _which(tool))
        (self.tools / "sh").symlink_to(str(SHELLS[sh]))
        self.backup_dir = self.home / "backups"
        self.settings = replace(settings, db_bin_dir=str(self.bin), backup_dir=str(self.backup_dir))
        self.stub("pg_dump", DUMPING)
        self.stub("pg_restore", LISTING)
        self.database()

    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.bin}:{self.tools}", "HOME": str(self.home)}

    def set(self, **changes: Any) -> None:
        self.settings = replace(self.settings, **changes)

    def script(self, name: str, text: str) -> None:
        """Put a program first on PATH."""
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def cut_listings(self, who: str) -> None:
        """Of directories; `who` is what is killed then, as the shell calls it."""
        real = f"{self.tools}/ls"
        cut = f'{real} "$@" | head -n 3; kill -KILL {who}'
        self.script("ls", f'case "$*" in */) {cut} ;; *) exec {real} "$@" ;; esac')

    def lose_lines(self, key: str) -> None:
        """As if what feeds sed were killed: a pipeline ends as its last program does."""
        real = f'exec {self.tools}/sed "$@"'
        self.script("sed", f'case "$*" in *"^{key}="*) cat >/dev/null ;; *) {real} ;; esac')

    def stub(
        self, name: str, body: str, version: str = "15.18", directory: Path | None = None
    ) -> None:
        """Put one of PostgreSQL's programs there; in its body, `$file` is what --file says."""
        program = (directory or self.bin) / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(_STUB.format(name=name, version=version, body=body))
        program.chmod(0o755)

    def programs(self, version: str, directory: Path | None = None) -> None:
        """All three programs of one version."""
        for name, body in (("pg_dump", DUMPING), ("pg_restore", LISTING)):
            self.stub(name, body, version, directory)
        self.database(version, directory=directory, server="15.18")

    def database(
        self,
        version: str = "15.18",
        *more: str,
        directory: Path | None = None,
        server: str = "15.18",
        size: int = 8000,
    ) -> None:
        """A psql of that version that tells of a database what preflight.sql asks."""
        facts = (f"server_version={server}", f"server_major={server.split('.', maxsplit=1)[0]}")
        facts += (f"database_bytes={size}", "relations=3", *more)
        lines = " ".join(f"'{line}'" for line in facts)
        self.stub("psql", CONVERSING.replace("FACTS", lines), version, directory)

    def without(self, *programs: str) -> None:
        for program in programs:
            (self.tools / program).unlink()

    def clock(self, seconds: int) -> None:
        """From now on the host's time stands still, but for what is slept."""
        (self.home / "clock").write_text(str(seconds))
        self.script("date", 'read -r now <"$HOME/clock"; exec /bin/date -d "@$now" "$@"')
        passing = 'read -r now <"$HOME/clock"; echo $((now + $1)) >"$HOME/clock"'
        # What is looked at now and then, beside the run, does not make time pass.
        self.script("sleep", f'[ "$1" != 10 ] || exec /bin/sleep "$1"; {passing}')

    def run(
        self,
        *several: Step,
        secret: str = PASSWORD,
        line: shell.Line | None = None,
        task: str = "predeploy",
        payload: Iterable[bytes] | None = None,
        follow: hearing.Follow | None = None,
        keeps_status: bool = True,
        tells: str = "log",
    ) -> shell.Report:
        variables = {"task": task, "backup_dir": self.settings.backup_dir}
        variables["keeps_status"] = "yes" if keeps_status else ""
        told = shell.Told(follow, tells)
        report = shell.run(
            line or LocalLine(),
            several,
            variables=variables,
            secrets={"DB_PASSWORD": secret},
            payload=payload,
            told=told,
        )
        self.assert_kept_is_what_was_told(told.fence, report)
        return report

    def assert_kept_is_what_was_told(self, fence: str, report: shell.Report) -> None:
        """A client that has lost its connection hears by the report what others hear at once."""
        kept = self.backup_dir / "run.report"
        text = kept.read_text() if kept.is_file() else ""
        if text.startswith(fence):
            assert read_facts(text, fence) == report.facts

    def predeploy(self, proof: str = "read", **options: Any) -> shell.Report:
        lock, *others = self.until_preflight()
        everything = [
            lock,
            step("awk"),
            *others,
            rules.dump(self.settings),
            step("verify", proof=proof),
            step("publish", self.settings),
            rules.retention(self.settings),
            step("prune"),
        ]
        return self.run(*everything, **options)

    def preflight(self, **options: Any) -> shell.Report:
        return self.run(*self.until_preflight(), **options)

    def verify(self, archive: str, proof: str = "read") -> shell.Report:
        lock, programs, *_ = self.until_preflight(create=False)
        several = [
            lock,
            programs,
            step("archive", archive=archive),
            step("verify", proof=proof, archive=archive),
        ]
        return self.run(*several, task="verify")

    def prune(self, *remove: str) -> shell.Report:
        """Remove these, as if retention had chosen them."""
        lock, *_ = self.until_preflight(create=False)
        chosen = "".join(f"{name} as the test says\n" for name in remove)
        return self.run(lock, Step("prune", {"expired": chosen}), task="rotate")

    def rotate(self) -> shell.Report:
        lock, *_ = self.until_preflight(create=False)
        judging = (step("awk"), rules.retention(self.settings))
        return self.run(lock, *judging, step("prune"), task="rotate")

    def until_preflight(self, create: bool = True) -> Sequence[Step]:
        settings = self.settings
        lock = rules.lock(settings, create=create)
        programs, psql = step("programs", settings), rules.psql(settings)
        return lock, programs, psql, step("preflight", settings, dumps=True)

    def archive(self, **facts: str) -> str:
        """A published archive, made without the steps; `created` gives its name the time."""
        content = b"PGDMP of yesterday"
        manifest = {
            "format": "1",
            "project": "pricehawk",
            "label": "pre-deploy",
            "version": "v1",
            "database": "shop",
            "created": "2025-03-14T12:34:56Z",
            "client_version": "15.18",
            "database_bytes": "8000",
            "bytes": str(len(content)),
            "sha256": hashlib.sha256(content).hexdigest(),
            "toc_entries": "2",
            **facts,
        }
        manifest |= {"proof": facts.get("proof", "written"), "proof_time": manifest["created"]}
        stamp = manifest["created"].translate({ord("-"): None, ord(":"): None, ord("T"): "-"})[:15]
        base = f"pricehawk-pre-deploy-v1-{stamp}"
        self.backup_dir.mkdir(0o700, exist_ok=True)
        (self.backup_dir / f"{base}.dump").write_bytes(content)
        lines = "".join(f"{key}={value}\n" for key, value in manifest.items())
        (self.backup_dir / f"{base}.manifest").write_text(lines)
        checksum = f"{manifest['sha256']}  {base}.dump\n"
        (self.backup_dir / f"{base}.dump.sha256").write_text(checksum)
        return f"{base}.dump"

    def status(self) -> dict[str, str]:
        return self.facts("status")

    def facts(self, name: str) -> dict[str, str]:
        lines = (self.backup_dir / name).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)  # type: ignore[misc]

    def dumps(self) -> list[str]:
        return sorted(path.name for path in self.backup_dir.glob("*.dump"))

    def processes(self) -> list[str]:
        """The command lines of all that still runs, a moment later, with this host's home."""
        deadline = time.monotonic() + 5  # what a killed stub has started ends by itself
        while (found := self._processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def _processes(self) -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if f"HOME={self.home}\0".encode() in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_text().replace("\0", " "))
        return found

    def unfinished(self) -> list[str]:
        return sorted(path.name for path in self.backup_dir.rglob("*.partial"))

    def kept(self) -> Mapping[str, bytes]:
        """What a run must leave as it was: all but its own lock, status and logs."""
        own = {"lock", "status", "run.report", "run.report.before"}
        files = (path for path in self.backup_dir.iterdir() if not path.name.startswith("backup-"))
        return {path.name: _content(path) for path in files if path.name not in own}


def _content(path: Path) -> bytes:
    if path.is_symlink():
        return os.fsencode(path.readlink())
    return path.read_bytes() if path.is_file() else b"directory"


@cache
def _which(tool: str) -> str:
    found = shutil.which(tool)
    assert found, f"these tests need {tool}"
    return found


# Debian builds its busybox without flock: what it lacks is the machine's own.
@cache
def _applets() -> frozenset[str]:
    told = subprocess.run([str(SHELLS["busybox"]), "--list"], capture_output=True, check=True)
    return frozenset(told.stdout.decode().split())
