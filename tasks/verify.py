"""Prove archives that are already there, again or to a higher grade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.tasks import task

from ..config import errors
from ..remote import steps
from .choosing import chosen, refused
from .report import size, tell
from .session import Host, session

if TYPE_CHECKING:
    from invoke.context import Context

    from ..remote.catalog import Archive


@task(
    auto_shortflags=False,
    help={
        "file": "archive: its name, a unique part of it, or latest (the default)",
        "all_": "every archive in BACKUP_DIR",
        "proof": "grade: written (checksum) or read (every block decoded); default read",
        "quiet": "no log and no progress: the result, warnings and errors",
    },
)
def verify(
    c: Context,
    file: str | None = None,
    all_: bool = False,
    proof: str | None = None,
    quiet: bool = False,
) -> list[Archive]:
    """Prove archives: checksum, every block decoded, contents whole."""
    from ..remote.catalog import parse

    if all_ and file is not None:
        raise errors.ConfigurationError("--all and --file exclude each other (exit 2)")
    with session(c, {"BACKUP_PROOF": proof}, quiet=quiet) as host:
        catalog = parse(host.must("verify", [steps.catalog()]).facts["catalog"])
        archives = list(catalog.archives) if all_ else [chosen(host, "verify", catalog, file)]
        failures = [each for archive in archives if (each := failure(host, archive))]
        failures += [unreadable(name) for name in catalog.unreadable if all_]
        if not archives and not failures:
            raise refused(host, "verify", "there are no archives")
        if failures:
            code = {type(each) for each in failures}
            kind = code.pop() if len(code) == 1 else errors.UnprovenError
            raise kind("\n".join(str(each.message) for each in failures))
        return archives


def failure(host: Host, archive: Archive) -> errors.PredeployError | None:
    """A damaged archive, or one that cannot be proven here, must not hide the next."""
    grade = host.settings.proof
    try:
        prove(host, archive, grade)
    except (errors.UnprovenError, errors.PreflightError) as why:
        return why
    tell(f"proven ({grade}): {archive.name}, {size(archive.bytes)}, sha256 {archive.sha256}")
    return None


def unreadable(name: str) -> errors.UnprovenError:
    return errors.UnprovenError(f"{name}: its manifest is not readable, so it is not proven")


def prove(host: Host, archive: Archive, grade: str) -> None:
    """Prove it in a run of its own; raise UnprovenError (13) if it is not what was written."""
    settings = host.settings
    all_steps = [
        steps.lock(settings, create=False),
        steps.programs(settings),
        steps.archive(archive.name),
        steps.verify(grade, archive.name),
    ]
    host.must("verify", all_steps)
