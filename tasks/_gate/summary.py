"""The last words of a run: what the grade of an archive has shown, and how to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._show.report import note
from .._show.units import size

if TYPE_CHECKING:
    from ...remote.catalog import Archive
    from .._host.host import Host


def tell_version(host: Host) -> None:
    """Once a run, and not among what programs read."""
    if host.settings.version_note and not host.quiet:
        note(host.settings.version_note)


def summary(host: Host, archive: Archive, *, restorable: bool = True, untried: str = "") -> str:
    """Say what the grade has shown, and how to go on. `untried`: why no test restore was made."""
    directory = host.settings.backup_dir.rstrip("/")
    how = f"how      {way_back(host, archive)}"
    if not restorable:
        how = f"see      {way_back(host, archive)} --plan"
    if not archive.at_least("read"):
        how = f"next     prove it: {host.command('verify')} --file={archive.name}"
    if archive.at_least("read") and not archive.at_least("restored"):
        how += f"\n  next     {test_restore(host, archive)}   (makes a test restore)"
        how += f"\n  untried  {untried}" if untried else ""
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
    if not archive.at_least("restored"):
        return f"Proven readable; a test restore has not been made: {archive.name}"
    return f"You can roll back to {archive.name}"


def test_restore(host: Host, archive: Archive) -> str:
    return f"{host.command('verify')} --file={archive.name} --proof=restored"


def way_back(host: Host, archive: Archive) -> str:
    return f"{host.command('restore')} --file={archive.name}"
