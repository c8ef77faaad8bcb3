"""The steps that are given more than settings and files."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ...config.parsers import as_expression
from ..catalog import PRE_DEPLOY
from . import step, text

if TYPE_CHECKING:
    from ...config.settings import Settings
    from .._door.script import Step
    from ..catalog import Archive

DRILLED = ("restored", "equal")
"""Grades of proof that take a test restore."""
AUTO = "auto"
"""The grade `restored` where a test restore can be made at once, else `read`."""
KEEP_LOGS = 30
LOG_BYTES = 200_000  # shown of a log at most: what captures them is made for less than a few MB


def drills_here(settings: Settings) -> bool:
    """Whether the test restore is to be made on the machine that runs fab."""
    return settings.proof in (*DRILLED, AUTO) and settings.drill == "runner"


def lock(settings: Settings, *, create: bool, upload: str = "") -> Step:
    """`upload` is the file that an earlier run has received for this one; others are removed."""
    return step(
        "lock",
        settings,
        client=f"{_user()}@{socket.gethostname()}",
        create="yes" if create else "no",
        keep_logs=KEEP_LOGS,
        upload=_upload_name(upload),
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return str(os.getuid())


def receive(upload: str, dump_bytes: int, manifest_bytes: int, sha256: str) -> Step:
    return step(
        "receive",
        upload=_upload_name(upload),
        dump_bytes=dump_bytes,
        manifest_bytes=manifest_bytes,
        sha256=sha256,
    )


def _upload_name(upload: str) -> str:
    """A plain and visible file name, whatever the client's own holds."""
    return re.sub(r"^\.|[^A-Za-z0-9._+-]", "_", upload)[:200]


def connecting(settings: Settings) -> list[Step]:
    return [step("programs", settings), psql(settings)]


def psql(settings: Settings) -> Step:
    excluded = settings.exclude_tables
    return step("psql", settings, exclude_tables=as_expression(excluded) if excluded else "")


def place(settings: Settings, here_major: int = 0) -> Step:
    """Before the dump, as it may take a second to be ready. With `auto` there need not be a place.

    `here_major` is the newest version of the server programs on the client's machine, which may
    stand in for the host.
    """
    free = {"most_bytes": settings.drill_most_bytes, "here_major": here_major}
    return step("place", settings, **(free if settings.proof == AUTO else {}))


def dump(settings: Settings, label: str = PRE_DEPLOY) -> Step:
    return step("dump", settings, label=label, **content(hashes=settings.hashes))


def content(*, hashes: bool) -> dict[str, str]:
    """What tells of the contents of each table: their number, or their hashes too."""
    return {
        "content_sql": text("content.sql" if hashes else "count.sql", "recount.sql"),
        "sequences_sql": text("sequences.sql") if hashes else "",
    }


def drill(settings: Settings, proof: str) -> Step:
    equal = proof == "equal"
    return step(
        "drill",
        settings,
        proof=proof,
        **content(hashes=equal),
        compare_sql=text("compare.sql") if equal else "",
        drill_db_sql=text("drill_db.sql") if settings.drill_db else "",
    )


def retention(settings: Settings, *, upcoming: bool = False) -> Step:
    """With `upcoming`: as if a run that starts now had made its archive already."""
    group = (settings.project, PRE_DEPLOY, settings.db_name)
    return step(
        "retention",
        settings,
        now=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        proof=settings.least_proof,
        upcoming=group if upcoming else (),
    )


def record(archive: Archive, proof: str, because: str) -> Step:
    return step(
        "record",
        archive=archive.name,
        sha256=archive.sha256,
        proof=proof,
        known_proof=archive.proof,
        because=because,
    )


def install(script: bytes) -> Step:
    checksum = hashlib.sha256(script).hexdigest()
    return step("install", script_bytes=len(script), script_sha256=checksum)
