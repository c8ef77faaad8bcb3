"""Which archive of the catalog `--file` means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ...config import errors

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...remote.catalog import Archive, Catalog
    from .host import Host


_LATEST: Final = re.compile(r"latest(?![^:@])")


def chosen(host: Host, task: str, catalog: Catalog, wanted: str | None) -> Archive:
    """`latest` is the newest that a deploy of this project and database could go back to.

    So it is none that has shrunk. `latest@read` is one with at least that proof, `latest:on-host`
    the newest with that label instead. Names find any archive, but rather one that was not kept by
    a restore. Raise RefusedError (14) for none, or several.
    """
    from ...remote.catalog import PRE_RESTORE, Catalog, find

    try:
        if wanted is None or _LATEST.match(wanted):
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

    named, _, grade = wanted.partition("@")
    _, _, label = named.partition(":")
    if ("@" in wanted and grade not in GRADES) or (":" in named and not label):
        raise errors.RefusedError(
            f"{wanted}: write latest, latest:LABEL or latest:LABEL@GRADE; the grades are"
            f" {', '.join(GRADES)}"
        )
    ours = (settings.project, label or PRE_DEPLOY, settings.db_name)
    archives = [each for each in catalog.archives if each.group == ours and not each.shrunk]
    archives = [each for each in archives if not grade or each.at_least(grade)]
    if not archives:
        raise errors.RefusedError(
            f"No archive is {wanted}: there is none that {_kind(label)} of project"
            f" {settings.project} made of the database {settings.db_name}"
            f"{_labels(settings, catalog)}"
        )
    newest = max(archives, key=lambda archive: archive.order)
    _refuse_doubt(catalog, newest)
    return newest


def _kind(label: str) -> str:
    return f"a run with the label {label}" if label else "a deploy"


def _labels(settings: Settings, catalog: Catalog) -> str:
    """A word that is no label here may be meant for one that is."""
    ours = (settings.project, settings.db_name)
    labels = {each.label for each in catalog.archives if (each.project, each.database) == ours}
    return f"; the labels that are there: {', '.join(sorted(labels))}" if labels else ""


def _refuse_doubt(catalog: Catalog, newest: Archive) -> None:
    """Who asks for the latest is not to get the one before it unasked."""
    ours = f"{newest.project}-{newest.label}-"
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
