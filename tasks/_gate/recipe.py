"""Which steps a run takes, and in which order."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from ...remote import WherePlaced, steps

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...remote import Step
    from ...remote.catalog import Archive

DRILLED = ("restored", "equal")
"""Grades of proof that take a test restore."""
AUTO = "auto"
"""The grade `restored` where a test restore can be made at once, else `read`."""


def drills_here(settings: Settings) -> bool:
    """Whether the test restore is to be made on the machine that runs fab."""
    return settings.proof in (*DRILLED, AUTO) and settings.drill == "runner"


def gate(
    settings: Settings, rehearsal: str, *, accept_shrink: bool = False, here_major: int = 0
) -> list[Step]:
    """From nothing to a proven archive in its place, and others gone for it."""
    here = drills_here(settings)
    proof = "read" if here else settings.proof
    return [
        *taking(
            settings,
            proof,
            rehearsal=rehearsal,
            rotates=True,
            accept_shrink=accept_shrink,
            here_major=here_major,
        ),
        steps.gate(),
        *([steps.defer(settings.drilled)] if here else rotating(settings)),
    ]


def rotating(settings: Settings) -> list[Step]:
    """Choose what the policy no longer keeps, and remove it."""
    return [steps.retention(settings), steps.prune()]


def taking(
    settings: Settings,
    proof: str,
    *,
    rehearsal: str = "off",
    rotates: bool = False,
    accept_shrink: bool = False,
    here_major: int = 0,
) -> list[Step]:
    """The steps from nothing to a published archive of that grade."""
    demand = "any" if rehearsal == "require" else ""
    drills = proof in (*DRILLED, AUTO)
    return [
        steps.lock(settings, create=True),
        *([steps.awk()] if rotates else []),
        steps.programs(settings),
        steps.psql(settings),
        steps.preflight(settings),
        *([steps.place(settings, here_major)] if drills else []),
        steps.dump(settings),
        *proving(settings, proof),
        *([] if rehearsal == "off" or drills else [steps.rehearsing()]),
        *([] if rehearsal == "off" else [steps.rehearse(demand)]),
        steps.shrink(settings, accept=accept_shrink),
        steps.publish(settings),
    ]


def proving(settings: Settings, proof: str, archive: str = "") -> list[Step]:
    """The steps that prove an archive, or the dump that was just taken, to that grade.

    A test restore decodes every block, so nothing else does before.
    """
    if proof == AUTO:
        # The rehearsal in the live database needs the second of them, also without a place.
        _, rehearsing, *drilling = proving(settings, settings.drilled, archive)
        placed = [WherePlaced(each.name, each.variables) for each in drilling]
        return [steps.verify(AUTO, archive), rehearsing, *placed]
    if proof not in DRILLED:
        return [steps.verify(proof, archive)]
    written = steps.verify("written", archive)
    shared = [steps.rehearsing(), steps.restoring(), steps.back(settings), steps.beside()]
    return [written, *shared, steps.compare(proof), steps.apart(), steps.drill(settings)]


def looking(settings: Settings) -> list[Step]:
    """The very steps of predeploy up to its dump, and its rehearsal."""
    everything = gate(settings, settings.rehearsal)
    before = takewhile(lambda step: step.name != "dump", everything)
    rehearsal = (step for step in everything if step.name in ("rehearsing", "rehearse"))
    return [steps.look(), steps.installed(), *before, steps.outline(settings), *rehearsal]


def judging(settings: Settings, *, locked: bool) -> list[Step]:
    """Choose what the policy no longer keeps, and remove nothing."""
    locking = [steps.lock(settings, create=False)] if locked else []
    return [*locking, steps.awk(), steps.catalog(), steps.retention(settings)]


def verifying(settings: Settings, grade: str, archive: str) -> list[Step]:
    """The steps that prove an archive in a run of its own."""
    drills = grade in DRILLED
    return [
        steps.lock(settings, create=False),
        steps.programs(settings),
        *(_asking(settings) if drills else []),
        steps.archive(archive),
        *([steps.place(settings)] if drills else []),
        *proving(settings, grade, archive),
    ]


def _asking(settings: Settings) -> list[Step]:
    """What a test restore beside the live database has to know of its server; one elsewhere not."""
    if settings.drill == "cluster":
        return [steps.psql(settings)]
    return [steps.psql(settings), steps.preflight(settings, dumps=False)]


def recording(settings: Settings, archive: Archive, because: str = "") -> list[Step]:
    """Put it on record on the host; or, for the status there, why it was not proven."""
    proof = settings.drilled
    return [
        steps.lock(settings, create=False),
        steps.record(archive.name, archive.sha256, proof, archive.proof, because),
    ]
