"""The machine that runs fab: where it may keep things, and what its programs may know of us."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .settings import SECRET_VARIABLES

# Not what CI gives to us: a server that runs an archive's functions is nobody to trust with it.
_PASSED_ON: Final = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ")


def cache_directory(environ: Mapping[str, str] | None = None) -> Path:
    """Root's is not below its home, into which no other user may look."""
    environ = os.environ if environ is None else environ
    base = Path(environ.get("XDG_CACHE_HOME") or "")
    if not base.is_absolute():
        base = Path("/var/cache") if os.geteuid() == 0 else Path.home() / ".cache"
    return base / "fabric-predeploy"


def harmless_environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**kept, "HOME": str(home)}


def environment_without_secrets() -> dict[str, str]:
    """For programs that the user has chosen: they may need anything, but our secrets."""
    return {name: text for name, text in os.environ.items() if name not in SECRET_VARIABLES}


def library_directories() -> list[Path]:
    named = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    return [Path(each) for each in named if each.startswith("/")]


def program_directories() -> list[Path]:
    """As `PATH` has them, and where packages put PostgreSQL's beside it."""
    found = [Path(each) for each in os.get_exec_path() if each.startswith("/")]
    for root, pattern in (
        ("/usr/lib/postgresql", "*/bin"),
        ("/usr", "pgsql-*/bin"),
        ("/usr/local", "pgsql*/bin"),
        ("/opt/homebrew/opt", "postgresql@*/bin"),
        ("/usr/local/opt", "postgresql@*/bin"),
    ):
        found += sorted(Path(root).glob(pattern))
    return found
