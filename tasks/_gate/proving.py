"""Prove one archive that is on the host, there or on the machine that runs fab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...remote import recipes
from . import drill_here
from .able_here import stands_in

if TYPE_CHECKING:
    from ...remote.catalog import Archive
    from .._host.host import Host


def prove(host: Host, archive: Archive, grade: str) -> None:
    """Prove it in a run of its own; raise UnprovenError (13) if it is not what was written."""
    settings, drills = host.settings, grade in recipes.DRILLED
    if drills and settings.drill == "runner":
        _prove_elsewhere(host, archive)
        return
    report = host.run("verify", recipes.verifying(settings, grade, archive.name))
    if drills and stands_in(host, report):
        _prove_elsewhere(host, archive)
    elif report.code != 0:
        raise host.failure("verify", report)


def _prove_elsewhere(host: Host, archive: Archive) -> None:
    drill_here.prove_here(host, "verify", archive)
    host.must("verify", recipes.recording(host.settings, archive))
