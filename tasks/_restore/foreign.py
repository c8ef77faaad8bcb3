"""What a file is that somebody brings and that is no archive of ours, and what to do with it."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_BYTES: Final = 64 * 1024
_PACKED: Final = {
    b"\x1f\x8b": ("gzip", "gunzip --keep"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd --decompress"),
    b"BZh": ("bzip2", "bunzip2 --keep"),
    b"\xfd7zXZ\0": ("xz", "unxz --keep"),
    b"\x04\x22\x4d\x18": ("lz4", "lz4 --decompress"),
}
_OTHERS: Final = {
    b"PK\x03\x04": ("a ZIP file", "unpack it, and give what is in it"),
    b"age-encryption.org/": ("encrypted with age", "decrypt it first"),
    b"-----BEGIN PGP": ("encrypted with PGP", "decrypt it first"),
    b"SQLite format 3": ("a database of SQLite, not of PostgreSQL", "choose another file"),
}
# As it comes at the beginning of a line, in what is made by pg_dump, pg_dumpall and by hand.
_SQL: Final = (b"--", b"/*", b"set ", b"create ", b"begin", b"insert ", b"\\restrict", b"\\connect")
_LOAD: Final = (
    "load it with psql, into a new database, so that nothing is mixed up:\n"
    "    createdb NEW && psql --single-transaction --set=ON_ERROR_STOP=1 --file={path} NEW"
)
_NEXT: Final = (
    "\n  An archive of that database is then one that restore takes:"
    " pg_dump --format=custom --file=NEW.dump NEW"
)


def explained(path: Path) -> tuple[str, str]:
    """Return what it is, and a remedy. It was asked already: it is no custom archive."""
    if path.is_dir():
        return _directory(path)
    start = _start(path)
    for magic, (name, unpack) in _PACKED.items():
        if start.startswith(magic):
            return _packed(path, _unpacked(start), name, f"{unpack} {path}")
    for magic, (what, remedy) in _OTHERS.items():
        if start.startswith(magic):
            return f"is {what}", remedy
    if tarfile.is_tarfile(path):
        return _tar(path)
    if _is_sql(start):
        what = "is SQL as text, as pg_dump without --format writes it"
        return what, _LOAD.format(path=path) + _NEXT
    what = "is no archive of pg_dump --format=custom" if start else "is empty"
    return what, "choose one from history"


def _packed(path: Path, inside: bytes, name: str, unpack: str) -> tuple[str, str]:
    if inside.startswith(b"PGDMP"):
        what = f"is an archive of pg_dump, packed with {name} once more"
        return what, f"unpack it, and give the result: {unpack}"
    what = f"is packed with {name}"
    if _is_sql(inside):
        return f"is SQL as text, packed with {name}", f"unpack it: {unpack}; then " + _LOAD.format(
            path=path.with_suffix("")
        ) + _NEXT
    return what, f"unpack it, and give the result: {unpack}"


def _directory(path: Path) -> tuple[str, str]:
    if not (path / "toc.dat").is_file():
        return "is a directory", "name the file of an archive in it"
    return (
        "is an archive of pg_dump --format=directory",
        "load it with pg_restore, into a new database:\n"
        f"    createdb NEW && pg_restore --exit-on-error --dbname=NEW {path}" + _NEXT,
    )


def _tar(path: Path) -> tuple[str, str]:
    with tarfile.open(path) as archive:
        names = [member.name for member in archive]
    if "toc.dat" in names:
        return (
            "is an archive of pg_dump --format=tar",
            "load it with pg_restore, into a new database:\n"
            f"    createdb NEW && pg_restore --exit-on-error --dbname=NEW {path}" + _NEXT,
        )
    if "PG_VERSION" in names or "base.tar" in names or "./PG_VERSION" in names:
        return (
            "is a backup of a whole server (pg_basebackup), not of a database",
            "start a server on it, and take an archive there with pg_dump --format=custom",
        )
    return "is a tar file, in which no archive of pg_dump is", "unpack it, and give what is in it"


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_BYTES)


def _unpacked(start: bytes) -> bytes:
    """The first bytes of a file that is cut off here, which no gzip.decompress would take."""
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(start, _BYTES)
    except (zlib.error, gzip.BadGzipFile):
        return b""


def _is_sql(text: bytes) -> bool:
    lines = (line.lstrip(b"\xef\xbb\xbf \t") for line in text.splitlines())
    first = next((line for line in lines if line), b"")
    return first.lower().startswith(_SQL) and b"\0" not in text
