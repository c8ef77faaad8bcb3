"""How results read: to people, and to programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from ..remote.catalog import Archive
    from .session import Host

_STEP = 1000


def tell(text: str, stream: TextIO | None = None) -> None:
    """Print what people and programs read, of which a CI obeys nothing."""
    from .github import plain

    show(plain(text), stream)


def show(text: str, stream: TextIO | None = None) -> None:
    """Print; a reader that has gone, or knows ASCII only, does not make a good run a bad one."""
    stream = stream or sys.stdout
    try:
        print(text, file=stream, flush=True)
    except UnicodeEncodeError:
        print(text.encode("ascii", "backslashreplace").decode(), file=stream, flush=True)
    except BrokenPipeError:
        # As Python's documentation of SIGPIPE advises: else the interpreter fails at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def warn(message: str) -> None:
    from .github import annotate

    if not annotate("warning", message):
        tell(f"WARNING: {message}", sys.stderr)


def size(number_of_bytes: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if number_of_bytes < _STEP:
            return (
                f"{number_of_bytes:.0f} {unit}"
                if unit == "bytes"
                else f"{number_of_bytes:.1f} {unit}"
            )
        number_of_bytes /= _STEP
    return f"{number_of_bytes:.1f} TB"


def summary(host: Host, archive: Archive, *, restorable: bool = True) -> str:
    """The last words of a good run: the archive, and how to go back to it where it is proven."""
    directory = host.settings.backup_dir.rstrip("/")
    how = f"how      {way_back(host, archive)}"
    if not restorable:
        how = f"see      {way_back(host, archive)} --plan"
    if not archive.at_least("read"):
        how = f"next     prove it: {host.command('verify')} --file={archive.name}"
    missing = "".join(f"  without  {each}\n" for each in archive.missing)
    return (
        f"{headline(host, archive, restorable=restorable)}\n"
        f"  proof    {archive.proof}, sha256 {archive.sha256}\n"
        f"  size     {size(archive.bytes)}, {archive.facts['toc_entries']} entries,"
        f" dumped in {archive.facts['dump_seconds']} s\n"
        f"{missing}"
        f"  where    {host.name}: {directory}/{archive.name}\n"
        f"  {how}"
    )


def headline(host: Host, archive: Archive, *, restorable: bool) -> str:
    if not archive.at_least("read"):
        return f"Taken, but not proven beyond its checksum: {archive.name}"
    if not restorable:
        return f"Proven, but {host.settings.db_user} could not restore it here: {archive.name}"
    return f"You can roll back to {archive.name}"


def way_back(host: Host, archive: Archive) -> str:
    return f"{host.command('restore')} --file={archive.name}"


def as_json(archives: Sequence[Archive]) -> str:
    """A list, oldest first, of the stored manifests; `intact` tells of the size found now."""
    return json.dumps([_record(archive) for archive in archives], indent=2, ensure_ascii=False)


def _record(archive: Archive) -> dict[str, object]:
    from ..remote.catalog import NUMBERS

    return {
        **{key: int(text) if key in NUMBERS else text for key, text in archive.facts.items()},
        "archive": archive.name,
        "project": archive.project,
        "label": archive.label,
        "version": archive.version,
        "database": archive.database,
        "created": archive.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "bytes": archive.bytes,
        "present_bytes": archive.present_bytes,
        "intact": archive.intact,
        "sha256": archive.sha256,
        "proof": archive.proof,
        "pinned": archive.pinned,
        "warnings": list(archive.warnings),
        "missing": list(archive.missing),
    }


def as_table(archives: Sequence[Archive]) -> str:
    rows = [("ARCHIVE", "DATABASE", "SIZE", "DUMPED IN", "PROOF")]
    for archive in archives:
        proof = archive.proof if archive.intact else f"damaged: {size(archive.present_bytes)}"
        took = str(timedelta(seconds=int(archive.facts.get("dump_seconds", "0"))))
        rows.append((archive.name, archive.database, size(archive.bytes), took, proof))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
