"""Archives by hand, for where taking them would take too long."""

import os
from datetime import datetime, timedelta
from pathlib import Path


def add_archives(directory: Path, number: int, newest: datetime, **changes: str) -> list[str]:
    """An hour between each; return their names, the oldest first."""
    home = directory.parent.stat()
    directory.mkdir(0o700, exist_ok=True)

    names = [
        _add(directory, f"v1.{n}.0", newest - timedelta(hours=number - 1 - n), changes)
        for n in range(number)
    ]
    for path in (directory, *directory.iterdir()):  # else they would be those of the tests' user
        os.chown(path, home.st_uid, home.st_gid)
    return names


def _add(directory: Path, version: str, created: datetime, changes: dict[str, str]) -> str:
    manifest = {
        "format": "1",
        "project": "pricehawk",
        "label": "pre-deploy",
        "version": version,
        "git_commit": "0123456789" * 4,
        "database": "shop",
        "db_host": "localhost",
        "created": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "dump_seconds": "75",
        "server_version": "15.18",
        "client_version": "15.18",
        "compress": "gzip:1",
        "database_bytes": "8000",
        "relations": "37",
        "bytes": "100",
        "sha256": "0" * 64,
        "toc_entries": "72",
        "proof": "read",
        "proof_time": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        **changes,
    }
    base = f"{manifest['project']}-{manifest['label']}-{version}-{created:%Y%m%d-%H%M%S}"
    (directory / f"{base}.dump").write_bytes(bytes(100))
    (directory / f"{base}.dump.sha256").write_text(f"{manifest['sha256']}  {base}.dump\n")
    lines = "".join(f"{key}={value}\n" for key, value in manifest.items())
    (directory / f"{base}.manifest").write_text(lines)
    return f"{base}.dump"
