"""Which archive a restore goes back to: one of the catalog, a file on the host, or a local one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...config import errors
from ...remote import recipes
from ...remote.catalog import Catalog, read
from .._host.choosing import chosen, refused

if TYPE_CHECKING:
    from .._host.host import Host

_MAGIC = b"PGDMP"
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Source:
    """`name` is an archive of the catalog or a path on the host, `upload` what was sent there."""

    name: str
    upload: str = ""


def source(host: Host, wanted: str) -> Source:
    """Raise RefusedError (14) unless it is one archive; a local file is sent to the host."""
    if "/" in wanted:
        here = _here(wanted)
        return _sent(host, here) if here else Source(_on_host(host, wanted))
    catalog = _catalog(host)
    try:
        return Source(chosen(host, "restore", catalog, wanted).name)
    except errors.RefusedError:
        here = _here(wanted)
        if here and here.is_file():
            return _sent(host, here)
        raise


def _catalog(host: Host) -> Catalog:
    return read(host.must("restore", recipes.listing()))


def _here(wanted: str) -> Path | None:
    """None too for what could be no path here: over-long, or in the home of nobody we know."""
    try:
        path = Path(wanted).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError, ValueError):
        return None


def _on_host(host: Host, wanted: str) -> str:
    from ...config.parsers import remote_directory

    try:
        return remote_directory(wanted)
    except ValueError as error:
        raise refused(
            host, "restore", f"{wanted!r} is no file here, and a path on the host {error}"
        ) from None


def _sent(host: Host, path: Path) -> Source:
    """Read before anything is sent: its beginning, and its checksum against the one beside it."""
    import hashlib

    if path.is_dir():
        raise _foreign(host, path)
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise _foreign(host, path)
            digest = hashlib.sha256(_MAGIC)
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
        manifest = _beside(path.with_suffix(".manifest"))
        told = {
            ".sha256": _beside(path.with_name(f"{path.name}.sha256"))[:64],
            ".manifest": dict(_pairs(manifest)).get(b"sha256", b""),
        }
    except OSError as error:
        raise refused(host, "restore", f"{path} cannot be read: {error.strerror}") from None
    for sidecar, checksum in told.items():
        if checksum and checksum != digest.hexdigest().encode():
            raise errors.UnprovenError(
                f"{path} is not what its {sidecar} says",
                remedy="it is damaged, or was exchanged: choose another archive.",
            )
    return _upload(host, path, manifest, digest.hexdigest())


def _foreign(host: Host, path: Path) -> errors.RefusedError:
    from .foreign import explained

    what, remedy = explained(path)
    return errors.RefusedError(f"restore on {host.name}: {path} {what}", remedy=f"{remedy}.")


def _pairs(manifest: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in manifest.splitlines():
        key, _, value = line.partition(b"=")
        yield key, value


def _beside(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _upload(host: Host, path: Path, manifest: bytes, sha256: str) -> Source:
    dump_bytes, name = path.stat().st_size, path.name.removesuffix(".dump")

    def payload() -> Iterator[bytes]:
        yield manifest
        left = dump_bytes
        with path.open("rb") as file:
            while left:
                chunk = file.read(min(_CHUNK_BYTES, left))
                if not chunk:
                    raise refused(host, "restore", f"{path} became shorter while it was sent")
                left -= len(chunk)
                yield chunk

    settings = host.settings
    sending = recipes.receiving(settings, name, dump_bytes, len(manifest), sha256)
    report = host.must("restore", sending, payload=payload())
    return Source(report.of("receive")["file"], upload=name)
