"""One function per <step>.sh in the folders here: it gives what the step declares first."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ...config.parsers import as_expression
from .._door.script import Step, source
from ..catalog import PRE_DEPLOY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...config.settings import Settings

KEEP_LOGS = 30
LOG_BYTES = 200_000  # shown of a log at most: what captures them is made for less than a few MB


def _sql(name: str) -> str:
    return source(f"{name}.sql")


def _awk(name: str) -> str:
    return source(f"{name}.awk")


def lock(settings: Settings, *, create: bool, upload: str = "") -> Step:
    """`upload` is the file that an earlier run has received for this one; others are removed."""
    return Step(
        "lock",
        {
            "client": f"{_user()}@{socket.gethostname()}",
            "create": "yes" if create else "no",
            "lock_wait_seconds": str(settings.lock_wait_seconds),
            "keep_logs": str(KEEP_LOGS),
            "upload": _upload_name(upload),
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
            "tables_sql": _sql("tables"),
            "configured_sql": _sql("configured") + _sql("around"),
            "blockers_sql": _sql("blockers"),
            "exclude_tables": as_expression(settings.exclude_tables)
            if settings.exclude_tables
            else "",
        },
    )


def preflight(settings: Settings, *, dumps: bool = True) -> Step:
    return Step(
        "preflight",
        {
            "compress": settings.compress or "",
            "preflight_sql": _sql("preflight"),
            "dumps": "yes" if dumps else "",
        },
    )


def look() -> Step:
    """First of a run that only looks: the steps after it tell of problems, and change nothing."""
    return Step("look")


def outline(settings: Settings) -> Step:
    """In place of `dump`, where there is to be none: `rehearse` can follow it."""
    return Step(
        "outline",
        {
            "outline_sql": _sql("outline"),
            "lock_timeout_seconds": str(settings.lock_timeout_seconds),
        },
    )


def dump(settings: Settings, label: str = PRE_DEPLOY) -> Step:
    return Step(
        "dump",
        {
            "project": settings.project,
            "label": label,
            "version": settings.version or "",
            "lock_timeout_seconds": str(settings.lock_timeout_seconds),
            "snapshot_sql": _sql("snapshot"),
            "queue_sql": _sql("queue"),
            "context_sql": _sql("locale") + _sql("context"),
            **_content(hashes=settings.hashes),
        },
    )


def _content(*, hashes: bool) -> dict[str, str]:
    """What tells of the contents of each table: their number, or their hashes too."""
    return {
        "content_sql": _sql("content" if hashes else "count") + _sql("recount"),
        "sequences_sql": _sql("sequences") if hashes else "",
    }


def verify(proof: str, archive: str = "") -> Step:
    """Without an archive: the dump that an earlier step of the same run has taken."""
    return Step("verify", {"proof": proof, "archive": archive})


def place(settings: Settings, here_major: int = 0) -> Step:
    """Where `drill` is to restore; before the dump, as it may take a second to be ready.

    With the proof `auto` there need not be a place. `here_major` is the newest version of the
    server programs on the client's machine, which may stand in for the host.
    """
    is_free = settings.proof == "auto"
    return Step(
        "place",
        {
            "drill": settings.drill or "",
            "drill_db": settings.drill_db or "",
            "most_bytes": str(settings.drill_most_bytes) if is_free else "",
            "here_major": str(here_major) if is_free else "",
        },
    )


def compare(proof: str) -> Step:
    """How `drill` compares; it goes before it."""
    equal = proof == "equal"
    sql = {"compare_sql": _sql("compare") if equal else ""}
    return Step("compare", {"proof": proof, **_content(hashes=equal), **sql})


def apart() -> Step:
    """What `drill` makes by name in a server of its own; it goes before it."""
    return Step(
        "apart", {f"{name}_sql": _sql(name) for name in ("apart", "drill_create", "drill_limit")}
    )


def drill(settings: Settings) -> Step:
    """Of what `verify` has looked at; after `back`, `beside`, `compare` and `apart`."""
    return Step(
        "drill",
        {
            "drill_db_sql": _sql("drill_db") if settings.drill_db else "",
            "again_sql": _sql("again"),
            "again_rows": str(settings.drill_again_rows),
            "drill_timeout_seconds": str(settings.drill_timeout_seconds),
        },
    )


def defer(proof: str) -> Step:
    """After `publish`: what it has published counts once `record` has told of that proof."""
    return Step("defer", {"proof": proof})


def fetch(name: str, sha256: str, offset: int) -> Step:
    """For `shell.pour`: from that byte of the dump on; a dump with another checksum is refused."""
    return Step("fetch", {"archive": name, "sha256": sha256, "offset": str(offset)})


def record(name: str, sha256: str, proof: str, known_proof: str, because: str = "") -> Step:
    """What a test restore elsewhere has shown; or `because` of what it has not."""
    return Step(
        "record",
        {
            "archive": name,
            "sha256": sha256,
            "proof": proof,
            "known_proof": known_proof,
            "because": because,
        },
    )


def shrink(settings: Settings, *, accept: bool = False) -> Step:
    """Before `publish`, which keeps on record what it says."""
    return Step(
        "shrink",
        {
            "shrink_bytes_percent": str(settings.shrink_bytes_percent),
            "shrink_rows_percent": str(settings.shrink_rows_percent),
            "accept_shrink": "yes" if accept else "",
            "manifests_awk": _awk("manifests"),
            "shrink_awk": _awk("shrink"),
        },
    )


def gate() -> Step:
    """After `publish`, as what has shrunk is kept all the same."""
    return Step("gate")


def publish(settings: Settings, *, pinned: bool = False) -> Step:
    variables = {"git_commit": settings.git_commit or "", "pinned": "yes" if pinned else ""}
    return Step("publish", variables)


def archive(name: str) -> Step:
    """By its name in the catalog, or a path on the host."""
    return Step("archive", {"archive": name})


def pin(name: str, *, pinned: bool = True) -> Step:
    return Step("pin", {"archive": name, "pin": "yes" if pinned else ""})


def rehearsing() -> Step:
    """What `rehearse` and `drill` have in common; it goes before the first of them."""
    return Step(
        "rehearsing",
        {
            "ours_sql": _sql("ours"),
            "rehearse_sql": _sql("rehearse")
            + _sql("stays")
            + _sql("circles")
            + _sql("unqualified"),
            "watchers_sql": _sql("watchers"),
        },
    )


def rehearse(demand: str = "", lost: str = "") -> Step:
    """`demand`: the way to restore (transaction, swap, or any) that there must be, or exit 14.

    `lost` is what the plan told of rows that a restore loses, for log, status and audit.
    """
    return Step("rehearse", {"demand": demand, "lost": lost})


def plan() -> Step:
    return Step("plan", {"plan_sql": _sql("plan"), "sessions_sql": _sql("sessions")})


def restoring() -> Step:
    """What `replay` and `swap` have in common; it goes before either."""
    return Step(
        "restoring",
        {
            "count_sql": _sql("count") + _sql("recount"),
            "sessions_sql": _sql("sessions"),
            "entries_awk": _awk("entries"),
        },
    )


def beside() -> Step:
    """What `swap` and `drill` have in common; it goes before either."""
    return Step("beside", {"create_sql": _sql("locale") + _sql("swap_create")})


def back(settings: Settings) -> Step:
    """What `replay`, `swap` and `drill` have in common; it goes before each of them."""
    names = ("lock_tables", "wipe", "unconfigure", "late", "lend", "take_back")
    sql = {f"{name}_sql": _sql(name) for name in names}
    return Step("back", {"lock_timeout_seconds": str(settings.lock_timeout_seconds), **sql})


def replay(*, terminate: bool) -> Step:
    return Step("replay", {"terminate": "yes" if terminate else ""})


def swap(settings: Settings, *, terminate: bool) -> Step:
    return Step(
        "swap",
        {
            "lock_timeout_seconds": str(settings.lock_timeout_seconds),
            "terminate": "yes" if terminate else "",
            "carry_sql": _sql("swap_carry"),
            "end_sql": _sql("swap_end"),
        },
    )


def salvage(settings: Settings, tables: Sequence[str] = ()) -> Step:
    """The tables of the archive, each as a person would type its name."""
    return Step(
        "salvage",
        {
            "tables": "\n".join(tables),
            "lock_timeout_seconds": str(settings.lock_timeout_seconds),
            "salvage_sql": _sql("salvage"),
        },
    )


def drop_old(names: Sequence[str] = ()) -> Step:
    """Tells which databases swaps have left beside the live one; drops those of these names."""
    return Step("drop_old", {"names": "\n".join(names), "old_sql": _sql("drop_old")})


def standalone(settings: Settings) -> Step:
    """The first step of a script that runs without a client; see remote/by_hand/standalone.py."""
    from ...config.settings import ON_THE_HOST

    values = ((variable, getattr(settings, name)) for name, variable in ON_THE_HOST.items())
    lines = (f"{variable}={'' if value is None else value}" for variable, value in values)
    return Step("standalone", {"defaults": "\n".join(lines), "profile": settings.profile})


def installed() -> Step:
    """Its fact `installed` is the version and the checksum of the script, where one is there."""
    return Step("installed")


def install(script: bytes) -> Step:
    """The run's payload is the script."""
    checksum = hashlib.sha256(script).hexdigest()
    return Step("install", {"script_bytes": str(len(script)), "script_sha256": checksum})


def uninstall() -> Step:
    return Step("uninstall")


def analyze() -> Step:
    return Step("analyze")


def catalog() -> Step:
    return Step("catalog", {"catalog_awk": _awk("catalog")})


def awk() -> Step:
    """Before the steps of a run that ends with `retention`, so that it does not fail there."""
    return Step("awk")


def retention(settings: Settings, *, upcoming: bool = False) -> Step:
    """With `upcoming`: as if a run that starts now had made its archive already."""
    group = (settings.project, PRE_DEPLOY, settings.db_name)
    return Step(
        "retention",
        {
            "now": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "max_backups": str(settings.max_backups),
            "keep_days": str(settings.keep_days or ""),
            "keep_daily": str(settings.keep_daily or ""),
            "keep_weekly": str(settings.keep_weekly or ""),
            "keep_monthly": str(settings.keep_monthly or ""),
            "proof": settings.least_proof,
            "upcoming": "\n".join(group) if upcoming else "",
            "manifests_awk": _awk("manifests"),
            "retention_awk": _awk("retention"),
        },
    )


def space() -> Step:
    return Step("space")


def status() -> Step:
    return Step("status")


def logs(archive: str = "") -> Step:
    """Without an archive: the log of the last run."""
    return Step("logs", {"archive": archive, "most_bytes": str(LOG_BYTES)})


def prune() -> Step:
    return Step("prune")


def transfer() -> Step:
    """What `receive` and `install` have in common; it goes before either."""
    return Step("transfer")


def receive(upload: str, dump_bytes: int, manifest_bytes: int, sha256: str) -> Step:
    """The run's payload is the manifest, if there is one, and then the dump."""
    return Step(
        "receive",
        {
            "upload": _upload_name(upload),
            "dump_bytes": str(dump_bytes),
            "manifest_bytes": str(manifest_bytes),
            "sha256": sha256,
        },
    )


def _upload_name(upload: str) -> str:
    """A plain and visible file name, whatever the client's own holds."""
    return re.sub(r"^\.|[^A-Za-z0-9._+-]", "_", upload)[:200]
