"""Prove archives that are already there, again or to a higher grade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.tasks import task

from ..config import errors
from ..remote import steps
from ._gate import drill_here
from ._host.choosing import chosen, refused
from ._host.session import Host, session
from ._show.report import size, tell
from .backup import DRILLED, proving

if TYPE_CHECKING:
    from invoke.context import Context

    from ..config.settings import Settings
    from ..remote._door.script import Step
    from ..remote.catalog import Archive

_MOST = 10_000


@task(
    auto_shortflags=False,
    help={
        "file": "archive: its name, a unique part of it, or latest (the default)",
        "all_": "every archive in BACKUP_DIR",
        "sample": "so many archives: those whose proof is the oldest",
        "proof": "grade: written, read, restored or equal; default read",
        "quiet": "no log and no progress: the result, warnings and errors",
    },
)
def verify(
    c: Context,
    file: str | None = None,
    all_: bool = False,
    sample: str | None = None,
    proof: str | None = None,
    quiet: bool = False,
) -> list[Archive]:
    """Prove archives: every block decoded, or by a test restore."""
    from ..remote.catalog import read

    number = _checked(file, all_, sample)
    with session(c, {"BACKUP_PROOF": proof}, quiet=quiet) as host:
        catalog = read(host.must("verify", [steps.catalog()]))
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
            raise kind("\n".join(str(each.message) for each in failures))
        return archives


def _checked(file: str | None, all_: bool, sample: str | None) -> int:
    """How many archives --sample asks for, 0 without it."""
    from ..config.parsers import whole

    if [file is not None, all_, sample is not None].count(True) > 1:
        raise errors.ConfigurationError("--all, --sample and --file exclude each other (exit 2)")
    try:
        return 0 if sample is None else whole(1, _MOST)(sample)
    except ValueError as error:
        raise errors.ConfigurationError(f"--sample={sample} {error} (exit 2)") from None


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
    return errors.UnprovenError(f"{name}: its manifest is not readable, so it is not proven")


def prove(host: Host, archive: Archive, grade: str) -> None:
    """Prove it in a run of its own; raise UnprovenError (13) if it is not what was written."""
    settings, drills = host.settings, grade in DRILLED
    if drills and settings.drill == "runner":
        prove_elsewhere(host, archive)
        return
    all_steps = [
        steps.lock(settings, create=False),
        steps.programs(settings),
        *(_asking(settings) if drills else []),
        steps.archive(archive.name),
        *([steps.place(settings)] if drills else []),
        *proving(settings, grade, archive.name),
    ]
    report = host.run("verify", all_steps)
    if drills and drill_here.stands_in(host, report):
        prove_elsewhere(host, archive)
    elif report.code != 0:
        raise host.failure("verify", report)


def prove_elsewhere(host: Host, archive: Archive) -> None:
    drill_here.prove_here(host, "verify", archive)
    host.must("verify", drill_here.recording(host, archive))


def _asking(settings: Settings) -> list[Step]:
    """What a test restore beside the live database has to know of its server; one elsewhere not."""
    if settings.drill == "cluster":
        return [steps.psql(settings)]
    return [steps.psql(settings), steps.preflight(settings, dumps=False)]
