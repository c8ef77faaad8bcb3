"""What every run has: its lock, its programs, its conversation with the database."""

from __future__ import annotations

import getpass
import os
import socket
from typing import TYPE_CHECKING

from ...config.parsers import as_expression
from .._door.script import Step
from ._texts import sql_of
from ._transferring import upload_name

if TYPE_CHECKING:
    from ...config.settings import Settings

KEEP_LOGS = 30


def lock(settings: Settings, *, create: bool, upload: str = "") -> Step:
    """`upload` is the file that an earlier run has received for this one; others are removed."""
    return Step(
        "lock",
        {
            "client": f"{_user()}@{socket.gethostname()}",
            "create": "yes" if create else "no",
            "lock_wait_seconds": str(settings.lock_wait_seconds),
            "keep_logs": str(KEEP_LOGS),
            "upload": upload_name(upload),
            "reconnect_seconds": str(settings.reconnect_seconds),
        },
    )


def attend(run: str) -> Step:
    """`run` is the fence of the run that has lost its client."""
    return Step("attend", {"run": run})


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return str(os.getuid())


def programs(settings: Settings) -> Step:
    return Step("programs", {"db_bin_dir": settings.db_bin_dir or ""})


def psql(settings: Settings) -> Step:
    return Step(
        "psql",
        {
            "db_name": settings.db_name,
            "db_user": settings.db_user,
            "db_host": settings.db_host,
            "db_port": str(settings.db_port),
            "tables_sql": sql_of("tables"),
            "configured_sql": sql_of("configured", "around"),
            "blockers_sql": sql_of("blockers"),
            "exclude_tables": as_expression(settings.exclude_tables)
            if settings.exclude_tables
            else "",
        },
    )


def awk() -> Step:
    """Before the steps of a run that ends with `retention`, so that it does not fail there."""
    return Step("awk")
