"""A catalog on disk, and what retention.awk says of it: under each awk that is here."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fabric_predeploy.remote.catalog import Archive
from fabric_predeploy.remote.steps import text

NOW = datetime(2025, 3, 14, 12, 0, tzinfo=timezone.utc)  # a Friday
RULES = ("keep_last", "keep_days", "keep_daily", "keep_weekly", "keep_monthly")


def awks() -> dict[str, tuple[str, ...]]:
    """By the name of what it really is: `awk` is one of the others."""
    found = {}
    for name in ("awk", "mawk", "gawk", "original-awk"):
        if program := shutil.which(name):
            found[Path(program).resolve().name] = (program,)
    if busybox := shutil.which("busybox"):
        found["busybox"] = (busybox, "awk")
    return found


AWKS = awks()


@dataclass(frozen=True)
class Policy:
    keep_last: int
    keep_days: int = 0
    keep_daily: int = 0
    keep_weekly: int = 0
    keep_monthly: int = 0
    proof: str = "read"


@dataclass(frozen=True)
class Verdict:
    name: str
    keep: bool
    reason: str


@dataclass(frozen=True)
class Judgement:
    verdicts: tuple[Verdict, ...]
    foundations: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def removed(self) -> list[str]:
        return [verdict.name for verdict in self.verdicts if not verdict.keep]


@dataclass(frozen=True)
class Judge:
    awk: str

    def run(
        self, listing: str, directory: Path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {"LC_ALL": "C", "PATH": os.environ["PATH"], "backup_dir": str(directory)}
        return subprocess.run(
            [*AWKS[self.awk], text("manifests.awk") + text("retention.awk")],
            input=f"{listing}listed=0\n",
            env={**environment, **variables},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def directory(
        self,
        directory: Path,
        sizes: dict[str, int],
        policy: Policy,
        now: datetime = NOW,
        **more: str,
    ) -> Judgement:
        """Judge what is in that directory; sizes are those that its listing tells."""
        lines = [f"-rw------- 1 0 0 {size} Mar 14 12:00 {name}\n" for name, size in sizes.items()]
        rules = {rule: str(getattr(policy, rule) or "") for rule in RULES}
        rules["max_backups"] = rules.pop("keep_last")
        done = self.run(
            "".join(["total 8\n", *lines]),
            directory,
            now=f"{now:%Y-%m-%dT%H:%M:%SZ}",
            proof=policy.proof,
            **rules,
            **more,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return judgement(done.stdout)

    def __call__(
        self,
        archives: Sequence[Archive],
        policy: Policy,
        now: datetime = NOW,
        **more: str,
    ) -> Judgement:
        with TemporaryDirectory(prefix="judge-") as name:
            directory = Path(name)
            sizes = {}
            for archive in archives:
                text = manifest(archive)
                base = archive.name.removesuffix(".dump")
                (directory / f"{base}.manifest").write_text(text)
                sizes[archive.name] = archive.present_bytes
                sizes[f"{base}.manifest"] = len(text)
            return self.directory(directory, sizes, policy, now, **more)


def judgement(output: str) -> Judgement:
    facts = [line.split("=", 1) for line in output.splitlines()]
    verdicts = [
        Verdict(value.split(" ", 1)[0], key == "kept", value.split(" ", 1)[1])
        for key, value in facts
        if key in ("kept", "expired")
    ]
    foundations = [value for key, value in facts if key == "foundation"]
    unreadable = [value for key, value in facts if key == "unreadable"]
    assert len(facts) == len(verdicts) + len(foundations) + len(unreadable)
    return Judgement(tuple(verdicts), tuple(foundations), tuple(unreadable))


def manifest(archive: Archive, /, **changes: str | None) -> str:
    told = {
        "format": "1",
        "project": archive.project,
        "label": archive.label,
        "version": archive.version,
        "git_commit": "",
        "database": archive.database,
        "created": f"{archive.created:%Y-%m-%dT%H:%M:%SZ}",
        "bytes": str(archive.bytes),
        "sha256": archive.sha256,
        "warning": "it says=something",
        "pinned": "yes" if archive.pinned else "no",
        "shrunk": "yes" if archive.shrunk else "no",
        "proof": archive.proof,
        **changes,
    }
    lines = "".join(f"{key}={value}\n" for key, value in told.items() if value is not None)
    return f"{lines}rows=5 public.offers\nrows=6 public.shops\n"


def archive(name: str, created: datetime = NOW, **changes: Any) -> Archive:
    usual = Archive(
        name=full(name),
        project="pricehawk",
        label="pre-deploy",
        version="v1.0.0",
        database="shop",
        created=created,
        bytes=20,
        present_bytes=20,
        sha256="ab" * 32,
        proof="read",
    )
    return replace(usual, **changes)


def full(name: str) -> str:
    """Names end in a time, which is not what counts: all have the same here."""
    return f"{name}-20250314-120000.dump"


def short(name: str) -> str:
    return name.removesuffix(full(""))


def at(text: str, **changes: Any) -> Archive:
    """Make an archive named after its time, such as 2025-03-14T12."""
    return archive(text, datetime.fromisoformat(f"{text}:00+00:00"), **changes)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)
