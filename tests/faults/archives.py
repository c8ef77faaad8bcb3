"""Archives that are not what they were: what reads them, or counts them, must notice."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.faults.fault import Fault
from tests.faults.means import Inject
from tests.faults.scene import Scene
from tests.project import DATABASE

GROUP = "Archives"

# Other numbers, once a table was dropped and came back.
_TABLES = "SELECT string_agg(oid || ' ' || relfilenode, ',' ORDER BY oid) FROM pg_class"


def damaged(change: Callable[[Path], object]) -> Inject:
    """The newest archive is, for good; and the database stays what it was."""

    @contextmanager
    def inject(scene: Scene) -> Iterator[None]:
        tables = scene.pg.superuser(_TABLES, DATABASE)
        newest = sorted(scene.backup_dir.glob("*.dump"))[-1]
        change(newest)
        good = before(newest)
        content = good.read_bytes()
        yield
        assert scene.pg.superuser(_TABLES, DATABASE) == tables
        assert good.read_bytes() == content

    return inject


def bytes_of(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda archive: archive.write_bytes(change(archive.read_bytes()))


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def in_the_toc(data: bytes) -> bytes:
    """In the text of a statement, where decoding does not notice it."""
    return flipped(data, data.index(b"CREATE TABLE") + len(b"CREATE TAB"))


def sidecar(archive: Path) -> Path:
    return Path(f"{archive}.sha256")


def manifest(archive: Path) -> Path:
    return archive.with_suffix(".manifest")


def before(archive: Path) -> Path:
    """The archive before it."""
    return sorted(archive.parent.glob("*.dump"))[-2]


def swap(archive: Path) -> None:
    """Two archives have exchanged their content."""
    kept = archive.read_bytes()
    archive.write_bytes(before(archive).read_bytes())
    before(archive).write_bytes(kept)


def replaced_whole(archive: Path) -> None:
    """By another archive, with its sidecar, but not its manifest."""
    archive.write_bytes(before(archive).read_bytes())
    sha256 = sidecar(before(archive)).read_text().split()[0]
    sidecar(archive).write_text(f"{sha256}  {archive.name}\n")


def a_line_of(archive: Path, key: str, value: str) -> None:
    lines = manifest(archive).read_text().splitlines()
    changed = [f"{key}={value}" if line.startswith(f"{key}=") else line for line in lines]
    manifest(archive).write_text("\n".join(changed) + "\n")


RESTORE = ("restore", "--file=latest", "--yes")
fault = partial(Fault, group=GROUP, harms=1)
restore = partial(fault, codes=(13,), command=RESTORE)
FAULTS = [
    restore(
        "restore of an archive that is cut in half",
        inject=damaged(bytes_of(lambda data: data[: len(data) // 2])),
        says=r"is damaged: \d+ bytes instead of \d+",
    ),
    restore(
        "restore of an archive with a flipped bit in its data",
        rare=True,
        inject=damaged(bytes_of(lambda data: flipped(data, len(data) - 2000))),
        says=r"is damaged: its SHA-256 is",
    ),
    restore(
        "restore of an archive with a flipped bit in its table of contents",
        inject=damaged(bytes_of(in_the_toc)),
        says=r"is damaged: its SHA-256 is",
    ),
    restore(
        "restore of an archive that was emptied",
        rare=True,
        inject=damaged(bytes_of(lambda _: b"")),
        says=r"pg_restore cannot list \S+ pg_restore: error: input file is too short",
    ),
    restore(
        "restore of an archive that was replaced by another",
        inject=damaged(replaced_whole),
        says=r"the manifest of \S+ and its .sha256 name two checksums",
    ),
    restore(
        "restore of two archives that were exchanged",
        inject=damaged(swap),
        harms=2,
        says=r"is damaged: its SHA-256 is",
    ),
    restore(
        "restore of an archive whose checksum file is missing",
        inject=damaged(lambda archive: sidecar(archive).unlink()),
        says=r"\S+\.sha256 is not there",
    ),
    restore(
        "restore of an archive whose checksum file is no such file",
        rare=True,
        inject=damaged(lambda archive: sidecar(archive).write_text("by hand\n")),
        says=r"the manifest of \S+ and its .sha256 name two checksums",
    ),
    restore(
        "restore of an archive with the checksum file of another",
        rare=True,
        inject=damaged(lambda archive: shutil.copy(sidecar(before(archive)), sidecar(archive))),
        says=r"the manifest of \S+ and its .sha256 name two checksums",
    ),
    restore(
        "restore of an archive whose manifest is missing",
        codes=(14,),
        inject=damaged(lambda archive: manifest(archive).unlink()),
        command=("restore", "--file=v1.2.0", "--yes"),
        says=r"No archive matches 'v1.2.0'.*?"
        r"Left out, as their manifest is not readable: \S+\.dump",
    ),
    restore(
        "restore of the latest, of which the manifest is missing",
        codes=(14,),
        inject=damaged(lambda archive: manifest(archive).unlink()),
        says=r"it is not certain which archive is the latest: the manifest of \S+ cannot be read",
    ),
    restore(
        "restore of the latest, of which the manifest is garbage",
        rare=True,
        codes=(14,),
        inject=damaged(lambda archive: manifest(archive).write_bytes(os.urandom(300))),
        says=r"it is not certain which archive is the latest: the manifest of \S+ cannot be read",
    ),
    restore(
        "restore of an archive whose manifest is that of another",
        inject=damaged(lambda archive: shutil.copy(manifest(before(archive)), manifest(archive))),
        says=r"the manifest of \S+ and its .sha256 name two checksums",
    ),
    fault(
        "verify of an archive with a flipped bit in its table of contents",
        rare=True,
        codes=(13,),
        inject=damaged(bytes_of(in_the_toc)),
        command=("verify",),
        says=r"is damaged: its SHA-256 is",
    ),
    fault(
        "verify of all archives, of which one has no manifest",
        codes=(13,),
        inject=damaged(lambda archive: manifest(archive).unlink()),
        command=("verify", "--all"),
        harms=3,  # of the others the proof is renewed
        unrecorded=True,
        says=r"\S+ its manifest cannot be read, so the archive is not proven",
    ),
    fault(
        "rotation by hand, where the newest archive has a flipped bit",
        codes=(13,),
        inject=damaged(bytes_of(in_the_toc)),
        command=("rotate", "--keep=1"),
        says=r"is damaged: its SHA-256 is",
    ),
    fault(
        "rotation by hand, where the newest archive is cut in half",
        rare=True,
        codes=(0,),
        inject=damaged(bytes_of(lambda data: data[: len(data) // 2])),
        command=("rotate", "--keep=1"),
        harms=2,  # the proof of the newest good one is renewed before others go for it
        rotates=1,
        unrecorded=True,
        says=r"removed \S+-v1\.0\.0-\S+",
    ),
    fault(
        "rotation by hand, where the newest archive has no manifest",
        codes=(0,),
        inject=damaged(lambda archive: manifest(archive).unlink()),
        command=("rotate", "--keep=1"),
        harms=2,  # the proof of the newest good one is renewed before others go for it
        rotates=1,
        unrecorded=True,
        says=r"removed \S+-v1\.0\.0-\S+",
    ),
    fault(
        "predeploy with rotation, where the newest archive has a garbled manifest",
        codes=(0,),
        inject=damaged(lambda archive: a_line_of(archive, "created", "yesterday")),
        arguments=("--keep=2",),
        rotates=1,
        says=r"WARNING: \S+ is left alone: its manifest is not readable",
    ),
]
