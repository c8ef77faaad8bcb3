"""Which steps a run takes, and in which order: every list of steps is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._door.script import WherePlaced
from .catalog import PRE_DEPLOY, PRE_RESTORE
from .steps import rules, step
from .steps.rules import AUTO as AUTO  # noqa: PLC0414 - for tasks
from .steps.rules import DRILLED as DRILLED  # noqa: PLC0414 - for tasks
from .steps.rules import LOG_BYTES as LOG_BYTES  # noqa: PLC0414 - for tasks
from .steps.rules import drills_here as drills_here  # noqa: PLC0414 - for tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config.settings import Settings
    from ._door.script import Step
    from .catalog import Archive


def gate(
    settings: Settings, rehearsal: str, *, accept_shrink: bool = False, here_major: int = 0
) -> list[Step]:
    """From nothing to a proven archive in its place, and others gone for it."""
    here = drills_here(settings)
    several = taking(
        settings,
        "read" if here else settings.proof,
        rehearsal=rehearsal,
        rotates=True,
        accept_shrink=accept_shrink,
        here_major=here_major,
    )
    last = [step("defer", proof=settings.drilled)] if here else rotating(settings)
    return [*several, step("gate"), *last]


def taking(  # noqa: PLR0913 - each has a name
    settings: Settings,
    proof: str,
    *,
    rehearsal: str = "off",
    rotates: bool = False,
    accept_shrink: bool = False,
    here_major: int = 0,
) -> list[Step]:
    return [
        *_before_dump(settings, proof, rotates=rotates, here_major=here_major),
        rules.dump(settings, PRE_DEPLOY),
        *proving(settings, proof),
        *_rehearsing(rehearsal),
        step("shrink", settings, accept_shrink=accept_shrink),
        step("publish", settings),
    ]


def _before_dump(settings: Settings, proof: str, *, rotates: bool, here_major: int) -> list[Step]:
    return [
        rules.lock(settings, create=True),
        *([step("awk")] if rotates else []),
        *rules.connecting(settings),
        step("preflight", settings, dumps=True),
        *([rules.place(settings, here_major)] if proof in (*DRILLED, AUTO) else []),
    ]


def _rehearsing(rehearsal: str) -> list[Step]:
    demand = "any" if rehearsal == "require" else ""
    return [] if rehearsal == "off" else [step("rehearse", demand=demand)]


def rotating(settings: Settings) -> list[Step]:
    return [rules.retention(settings), step("prune")]


def proving(settings: Settings, proof: str, archive: str = "") -> list[Step]:
    """The steps that prove an archive, or the dump that was just taken, to that grade."""
    if proof == AUTO:
        _, drilling = proving(settings, settings.drilled, archive)
        placed = WherePlaced(drilling.name, drilling.variables)
        return [step("verify", proof=AUTO, archive=archive), placed]
    if proof not in DRILLED:
        return [step("verify", proof=proof, archive=archive)]
    # A test restore decodes every block, so nothing else does before.
    return [step("verify", proof="written", archive=archive), rules.drill(settings, proof)]


def verifying(settings: Settings, grade: str, archive: str) -> list[Step]:
    drills = grade in DRILLED
    # A test restore beside the live database has to know of its server; one elsewhere has not.
    looks = settings.drill != "cluster"
    return [
        rules.lock(settings, create=False),
        step("programs", settings),
        *([rules.psql(settings)] if drills else []),
        *([step("preflight", settings)] if drills and looks else []),
        step("archive", archive=archive),
        *([rules.place(settings)] if drills else []),
        *proving(settings, grade, archive),
    ]


def drilling_here(settings: Settings, archive: str) -> list[Step]:
    return [
        rules.lock(settings, create=False),
        *rules.connecting(settings),
        step("archive", archive=archive),
        rules.place(settings),
        *proving(settings, settings.drilled, archive),
    ]


def recording(settings: Settings, archive: Archive, because: str = "") -> list[Step]:
    """Put it on record on the host; or, for the status there, why it was not proven."""
    return [*locking(settings), rules.record(archive, settings.drilled, because)]


def recording_and_rotating(settings: Settings, archive: Archive) -> list[Step]:
    return [*recording(settings, archive), step("awk"), *rotating(settings)]


def foreseeing(settings: Settings, archive: str) -> list[Step]:
    return [
        *rules.connecting(settings),
        step("preflight", settings),
        step("archive", archive=archive),
        step("rehearse"),
        step("plan"),
    ]


def restoring(  # noqa: PLR0913 - each has a name
    settings: Settings,
    archive: str,
    upload: str,
    *,
    mode: str,
    lost: str,
    keeps: bool,
    terminate: bool,
) -> list[Step]:
    """Bring the archive back by that way; `keeps` the state that it replaces in one of its own."""
    keeping = [
        rules.dump(settings, PRE_RESTORE),
        step("verify", proof="read"),
        step("publish", settings, pinned=True),
    ]
    swaps = [step("swap", settings, terminate=terminate)]
    replays = [step("replay", settings, terminate=terminate), step("analyze")]
    return [
        rules.lock(settings, create=True, upload=upload),
        *rules.connecting(settings),
        step("preflight", settings, dumps=keeps),
        step("archive", archive=archive, recorded=True),
        step("verify", proof="read", archive=archive),
        *(keeping if keeps else []),
        step("archive", archive=archive, recorded=True),
        step("rehearse", demand=mode, lost=lost),
        *(swaps if mode == "swap" else replays),
    ]


def salvaging(settings: Settings, archive: str, upload: str, tables: Sequence[str]) -> list[Step]:
    return [
        rules.lock(settings, create=True, upload=upload),
        *rules.connecting(settings),
        step("preflight", settings),
        step("archive", archive=archive),
        step("verify", proof="read", archive=archive),
        step("salvage", settings, tables=tuple(tables)),
    ]


def old_databases(settings: Settings, drop: Sequence[str] = ()) -> list[Step]:
    """Tell which databases swaps have left beside the live one; drop those of these names."""
    locking_first = locking(settings, create=True) if drop else []
    return [*locking_first, *rules.connecting(settings), step("drop_old", names=tuple(drop))]


def receiving(
    settings: Settings, upload: str, dump_bytes: int, manifest_bytes: int, sha256: str
) -> list[Step]:
    """The run's payload is the manifest, if there is one, and then the dump."""
    return [
        rules.lock(settings, create=True),
        step("programs", settings),
        rules.receive(upload, dump_bytes, manifest_bytes, sha256),
    ]


def looking(settings: Settings) -> list[Step]:
    """The very steps of predeploy up to its dump, and its rehearsal."""
    proof = "read" if drills_here(settings) else settings.proof
    return [
        step("look"),
        step("installed"),
        *_before_dump(settings, proof, rotates=True, here_major=0),
        step("outline", settings),
        *_rehearsing(settings.rehearsal),
    ]


def listing_with_restores() -> list[Step]:
    return [step("catalog"), step("restores", most_lines=1000)]


def listing() -> list[Step]:
    return [step("catalog")]


def listing_with_future(settings: Settings) -> list[Step]:
    """With what goes once a run that starts now has made its archive."""
    return [step("catalog"), step("space"), rules.retention(settings, upcoming=True)]


def judging(settings: Settings, *, locked: bool) -> list[Step]:
    locks = locking(settings) if locked else []
    return [*locks, step("awk"), step("catalog"), rules.retention(settings)]


def locking(settings: Settings, *, create: bool = False) -> list[Step]:
    return [rules.lock(settings, create=create)]


def removing(settings: Settings) -> list[Step]:
    return [*judging(settings, locked=True), step("prune")]


def telling_status() -> list[Step]:
    return [step("status"), step("catalog"), step("space")]


def telling_log(archive: str) -> list[Step]:
    return [step("logs", archive=archive, most_bytes=LOG_BYTES)]


def pinning(settings: Settings, archive: str, *, pinned: bool) -> list[Step]:
    return [rules.lock(settings, create=False), step("pin", archive=archive, pin=pinned)]


def installing(settings: Settings, script: bytes) -> list[Step]:
    """The run's payload is the script."""
    trying = [step("installed"), rules.install(script), step("login")]
    return [*rules.connecting(settings), *trying]


def uninstalling() -> list[Step]:
    return [step("installed"), step("uninstall")]
