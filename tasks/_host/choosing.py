"""Which archive of the catalog `--file` means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...config import errors

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...remote.catalog import Archive, Catalog
    from .host import Host


def chosen(host: Host, task: str, catalog: Catalog, wanted: str | None) -> Archive:
    """`latest` is the newest that a deploy of this project and database could go back to.

    So it is none that has shrunk, and `latest@read` is one with at least that proof. Names find
    any archive, but rather one that was not kept by a restore. Raise RefusedError (14) for none,
    or several.
    """
    from ...remote.catalog import PRE_RESTORE, Catalog, find

    try:
        if wanted is None or wanted.split("@", maxsplit=1)[0] == "latest":
            return _latest(host.settings, catalog, wanted or "latest")
        taken = tuple(each for each in catalog.archives if each.label != PRE_RESTORE)
        try:
            return find(Catalog(taken, catalog.unreadable), wanted)
        except errors.RefusedError:
            return find(catalog, wanted)
    except errors.RefusedError as refusal:
        raise refused(host, task, refusal.what) from None


def _latest(settings: Settings, catalog: Catalog, wanted: str) -> Archive:
    from ...remote.catalog import GRADES, PRE_DEPLOY

    grade = wanted.partition("@")[2] if "@" in wanted else GRADES[0]
    if grade not in GRADES:
        raise errors.RefusedError(
            f"{wanted}: after the @ stands a grade of proof: {', '.join(GRADES)}"
        )
    ours = (settings.project, PRE_DEPLOY, settings.db_name)
    archives = [each for each in catalog.archives if each.group == ours and not each.shrunk]
    archives = [each for each in archives if "@" not in wanted or each.at_least(grade)]
    if not archives:
        raise errors.RefusedError(
            f"No archive is {wanted}: there is none that a deploy of project {settings.project}"
            f" made of the database {settings.db_name}"
        )
    newest = max(archives, key=lambda archive: archive.order)
    _refuse_doubt(settings, catalog, newest)
    return newest


def _refuse_doubt(settings: Settings, catalog: Catalog, newest: Archive) -> None:
    """Who asks for the latest is not to get the one before it unasked."""
    from ...remote.catalog import PRE_DEPLOY

    ours = f"{settings.project}-{PRE_DEPLOY}-"
    stamp = f"{newest.created:%Y%m%d-%H%M%S}"
    newer = [
        name
        for name in catalog.unreadable
        if name.startswith(ours) and name.removesuffix(".dump")[-len(stamp) :] > stamp
    ]
    if newer:
        raise errors.RefusedError(
            f"it is not certain which archive is the latest: the manifest of {max(newer)} cannot be"
            f" read. The newest with a manifest is {newest.name}; give the name of the archive"
            " that you want"
        )


def refused(host: Host, task: str, why: str) -> errors.RefusedError:
    return errors.RefusedError(
        f"{task} on {host.name}, in {host.settings.backup_dir}: {why}",
        remedy=f"choose one from `{host.command('history')}`.",
    )
