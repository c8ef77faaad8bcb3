"""Prove archives that are already there, again or to a higher grade."""

from invoke.context import Context
from invoke.tasks import task

from ..config import errors
from ..remote import steps
from ..remote.catalog import Archive, Catalog, find, parse
from .report import size, warn
from .session import Host, session


@task(
    auto_shortflags=False,
    help={
        "file": "archive: its name, a unique part of it, or latest (the default)",
        "all_": "every archive in BACKUP_DIR",
        "proof": "grade: written (checksum) or read (every block decoded); default read",
    },
)
def verify(
    c: Context, file: str = "", all_: bool = False, proof: str | None = None
) -> list[Archive]:
    """Prove archives: checksum as written, every block decoded, contents complete."""
    if all_ and file:
        raise errors.ConfigurationError("--all and --file exclude each other (exit 2)")
    with session(c, {"BACKUP_PROOF": proof}) as host:
        catalog = parse(host.must("verify", [steps.catalog()]).facts["catalog"])
        for name in catalog.unreadable:
            warn(f"{name} is left out: its manifest is not readable")
        archives = list(catalog.archives) if all_ else [chosen(host, catalog, file)]
        failures = [failure for archive in archives if (failure := prove(host, archive))]
        if failures:
            raise errors.UnprovenError("\n".join(str(failure.message) for failure in failures))
        if all_ and catalog.unreadable:
            raise errors.UnprovenError(
                f"not readable, so not proven: {', '.join(catalog.unreadable)}"
            )
        return archives


def chosen(host: Host, catalog: Catalog, wanted: str) -> Archive:
    try:
        return find(catalog, wanted or "latest")
    except errors.RefusedError as refusal:
        raise errors.RefusedError(
            f"verify on {host.name}, in {host.settings.backup_dir}: {refusal.message} (exit 14)\n"
            f"  What to do: choose one from `fab -H {host.settings.profile} history`, or take an"
            " archive first."
        ) from None


def prove(host: Host, archive: Archive) -> errors.PredeployError | None:
    """One run for each archive: a damaged one must not hide the next."""
    settings = host.settings
    steps_to_proof = [
        steps.lock(settings, create=False),
        steps.programs(settings),
        steps.verify(settings.proof, archive.name),
    ]
    report = host.run("verify", steps_to_proof)
    if report.code == 0:
        facts = f"{archive.name}, {size(archive.bytes)}, sha256 {archive.sha256}"
        print(f"proven ({settings.proof}): {facts}")
        return None
    failure = host.failure("verify", report)
    if not isinstance(failure, errors.UnprovenError):
        raise failure
    return failure
