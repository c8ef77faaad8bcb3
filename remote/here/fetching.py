"""An archive on its way to this machine: in bulk, and from where it was broken off."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from ...config.errors import PreflightError, UnprovenError
from .._door import shell
from .._door.attending import come_back
from .._door.events import Stream
from .._door.hearing import Follow
from .._door.line import Line
from .._door.report import LOST, Report
from .._door.shell import Told
from ..catalog import Archive
from ..facts import number
from ..steps import step

_MANIFEST, _DUMP = 1, 2  # as the step `fetch` gives them
MOST_MANIFEST_BYTES: Final = 16 * 1024 * 1024  # a hundred thousand tables
_BARREN_TRIES: Final = 3
_SERVER_BYTES: Final = 201_326_592  # as place.sh has it


class Incoming:
    """What of it is here. It has its name once it is whole."""

    def __init__(self, archive: Archive, directory: Path) -> None:
        self.archive = archive
        self.dump = directory / archive.name
        self.manifest_file = self.dump.with_suffix(".manifest")
        self.part = directory / "incoming"
        self.manifest = bytearray()
        self.digest = hashlib.sha256()
        self.bytes = 0
        descriptor = os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self.file = os.fdopen(descriptor, "wb", buffering=0)

    def take(self, number: int, data: bytes) -> None:
        """The door has seen that there is no more of it than was told before."""
        if number == _MANIFEST:
            self.manifest += data
        else:
            self.file.write(data)
            self.digest.update(data)
            self.bytes += len(data)

    def give_up(self, report: Report) -> None:
        """What came last may be words on what went wrong, and is never looked at again."""
        if self.manifest and report.code is None:
            raise UnprovenError(
                f"{self.archive.name} could not be read to its end on the host",
                why=f"exit code {report.exited}",
                remedy="see whether it is damaged: fab verify",
            )

    def finish(self) -> None:
        """Raise UnprovenError (13) unless it is what was dumped."""
        self.file.close()
        if (self.bytes, self.digest.hexdigest()) != (self.archive.bytes, self.archive.sha256):
            raise UnprovenError(
                f"{self.archive.name} did not arrive as it was dumped",
                why=(
                    f"{self.bytes} bytes with the SHA-256 {self.digest.hexdigest()},"
                    f" instead of {self.archive.bytes} with {self.archive.sha256}"
                ),
                remedy=(
                    "its grade stays what it was. `fab verify` tells whether it is"
                    " damaged where it lies; if it is not, try again."
                ),
            )
        self.manifest_file.write_bytes(self.manifest)
        line = f"{self.archive.sha256}  {self.archive.name}\n"
        self.dump.with_name(f"{self.dump.name}.sha256").write_text(line, encoding="utf-8")
        self.part.rename(self.dump)


def fetch(  # noqa: PLR0913 - each has a name
    link: Line,
    archive: Archive,
    directory: Path,
    *,
    variables: Mapping[str, str],
    patience: int,
    follow: Follow,
    log: Stream,
) -> Report:
    """Bring the archive and its sidecars into the directory; the caller judges the report.

    What came before the connection was lost is not asked for again, if the host lets us in again
    within `patience` seconds. Raise UnprovenError (13) or PreflightError (10).
    """
    incoming = Incoming(archive, directory)
    with incoming.file:
        check_room(archive, directory)
        follow("begin", "fetch")
        follow("progress", f"expected {archive.bytes}")
        report = _poured(link, incoming, variables, patience, follow, Told(log=log))
        if report.code == 0:
            incoming.finish()
        elif report.exited != LOST:
            incoming.give_up(report)
    return report


def _poured(  # noqa: PLR0913
    link: Line,
    incoming: Incoming,
    variables: Mapping[str, str],
    patience: int,
    follow: Follow,
    told: Told,
) -> Report:
    name, sha256, barren = incoming.archive.name, incoming.archive.sha256, 0

    def take(number: int, data: bytes) -> None:
        try:
            incoming.take(number, data)
        except OSError as error:
            raise PreflightError(
                f"{incoming.part} cannot be written on this machine: {error.strerror}",
                remedy="make room, or name another place with XDG_CACHE_HOME.",
            ) from None
        follow("progress", f"bytes {incoming.bytes}")

    while True:
        before = incoming.bytes
        incoming.manifest.clear()
        fetch = step("fetch", archive=name, sha256=sha256, offset=before)
        files = {_MANIFEST: MOST_MANIFEST_BYTES, _DUMP: max(0, incoming.archive.bytes - before)}
        report = shell.pour(link, [fetch], variables=variables, told=told, take=take, files=files)
        if report.trouble:
            raise UnprovenError(
                f"while {name} was fetched, {report.trouble}",
                remedy=(
                    "see whether the archive is damaged: fab verify. If it is not,"
                    " look at the host, which sends what it should not."
                ),
            )
        if report.exited != LOST or not patience or not link.is_lost():
            return report
        barren = barren + 1 if incoming.bytes == before else 0
        if barren == _BARREN_TRIES:
            return replace(report, lost=f"it broke off {barren} times without a byte")
        why = come_back(link, told, patience, f" after {incoming.bytes} bytes")
        if why:
            return replace(report, lost=why)


def check_room(archive: Archive, directory: Path) -> None:
    """Raise PreflightError (10) unless there is room for the archive and for its test restore."""
    database_bytes = number(archive.facts.get("database_bytes", ""))
    needed = archive.bytes + database_bytes * 11 // 10 + _SERVER_BYTES
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise PreflightError(
            f"too little space on this machine in {directory} to try {archive.name}",
            why=f"{free} bytes free, about {needed} needed",
            remedy="make room, or name another place with XDG_CACHE_HOME.",
        )
