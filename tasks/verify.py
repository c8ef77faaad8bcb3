"""Prove archives that are already there, again or to a higher grade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import errors
from ..config.parsers import whole
from ..remote import recipes
from ._gate.proving import prove
from ._host.choosing import chosen, refused
from ._host.command import Call, command
from ._show.report import tell
from ._show.units import size

if TYPE_CHECKING:
    from ..remote.catalog import Archive
    from ._host.host import Host

_MOST = 10_000


@command(
    file="archive: its name, a unique part of it, or latest (the default)",
    all_="every archive in BACKUP_DIR",
    sample="so many archives: those whose proof is the oldest",
    proof="grade: written, read, restored or equal; default read",
)
def verify(
    call: Call,
    file: str | None = None,
    all_: bool = False,
    sample: str | None = None,
    *,
    quiet: bool = False,
) -> list[Archive]:
    """Prove archives: every block decoded, or by a test restore."""
    from ..remote.catalog import read

    number = _checked(file, all_, sample)
    with call.session(quiet=quiet) as host:
        catalog = read(host.must("verify", recipes.listing()))
        if all_ or number:
            by_proof = sorted(catalog.archives, key=lambda each: each.facts.get("proof_time", ""))
            archives = by_proof[: number or None]
        else:
            archives = [chosen(host, "verify", catalog, file)]
        failures = [each for archive in archives if (each := failure(host, archive))]
        failures += [unreadable(name) for name in catalog.unreadable if all_]
        if not archives and not failures:
            raise refused(host, "verify", "there are no archives")
        if failures:
            code = {type(each) for each in failures}
            kind = code.pop() if len(code) == 1 else errors.UnprovenError
            raise kind.of_several(failures)
        return archives


def _checked(file: str | None, all_: bool, sample: str | None) -> int:
    """How many archives --sample asks for, 0 without it."""
    if [file is not None, all_, sample is not None].count(True) > 1:
        raise errors.ConfigurationError(
            "--all, --sample and --file cannot be combined: give one of them"
        )
    try:
        return 0 if sample is None else whole(1, _MOST)(sample)
    except ValueError as error:
        raise errors.ConfigurationError(f"--sample={sample} {error}") from None


def failure(host: Host, archive: Archive) -> errors.PredeployError | None:
    """A damaged archive, or one that cannot be proven here, must not hide the next."""
    grade = host.settings.least_proof
    try:
        prove(host, archive, grade)
    except (errors.UnprovenError, errors.PreflightError, errors.RefusedError) as why:
        return why
    tell(f"proven ({grade}): {archive.name}, {size(archive.bytes)}, sha256 {archive.sha256}")
    return None


def unreadable(name: str) -> errors.UnprovenError:
    return errors.UnprovenError(
        message=f"{name}: its manifest cannot be read, so the archive is not proven",
        remedy="look at the file *.manifest beside it on the host; do not count on this archive",
    )
