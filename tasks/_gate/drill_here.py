"""The test restore on the machine that runs fab: the host's disk and processors are spared."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ...config import errors
from ...remote import recipes
from .._host.host import Host
from .._show.report import note, warn
from .._show.units import size
from .able_here import check_programs, major_of, shut_in

if TYPE_CHECKING:
    from pathlib import Path

    from ...remote.catalog import Archive
    from ...remote.here.local_host import Room
    from ...remote.here.servers import Programs

_PLACE = "this machine"
_LEFT_WAIT_SECONDS = 15


def prove_here(host: Host, task: str, archive: Archive) -> None:
    """Fetch the archive and try it; raise UnprovenError (13) if it is not what was dumped."""
    from ...remote.here import scratch

    chosen = check_programs(major_of(archive.facts))
    _end_what_was_left(host)
    if not host.quiet:
        note(
            f"fetching {archive.name}, {size(archive.bytes)}, to restore it on this machine by"
            f" PostgreSQL {chosen.version}"
        )
    with scratch.taken(archive.sha256, host.settings.lock_wait_seconds) as directory:
        _fetch(host, task, archive, directory)
        _try(host, task, archive, directory, chosen)
    host.link.ask()  # so much later it may have gone
    host.link.renew()


def _fetch(host: Host, task: str, archive: Archive, directory: Path) -> None:
    from ...remote.here.fetching import fetch
    from .._show.github import folded
    from .._show.progress import Log, Progress

    progress = None if host.quiet else Progress({})
    log = progress or Log()
    with folded(f"{task}: fetching {archive.name} from {host.name}"), log.shown():
        report = fetch(
            host.link,
            archive,
            directory,
            variables={
                "task": task,
                "backup_dir": host.settings.backup_dir,
                "keeps_status": "",
            },
            patience=host.settings.reconnect_seconds,
            follow=progress.follow if progress else _ignore,
            log=log,
        )
    if report.code != 0:
        raise host.failure(task, report)


def _ignore(_word: str, _rest: str) -> None:
    pass


def _try(host: Host, task: str, archive: Archive, directory: Path, chosen: Programs) -> None:
    """By the very steps that a host would run."""
    from ...remote.here import local_host as here
    from ...remote.here import scratch
    from ...remote.here.believed import rewrite

    bin_dir = chosen.directory(directory / "programs")
    if not scratch.reachable(bin_dir) and directory not in bin_dir.parents:
        raise errors.PreflightError(
            f"PostgreSQL's programs in {bin_dir} are out of reach for the user"
            " nobody, as whom they run here, as they refuse root",
            remedy="install them where all users may look, or run fab as another user.",
        )
    for words in rewrite(directory / archive.name):
        warn(words)
    scratch.hand_over(directory)
    room = here.room(directory, bin_dir)
    if not host.quiet:
        note(shut_in(bool(room.may_read)))
    local = _local(host, room, str(bin_dir))
    settings = local.settings
    local.must(task, recipes.drilling_here(settings, archive.name))


def _local(host: Host, room: Room, bin_dir: str = "") -> Host:
    from ...remote.here.local_host import Here

    settings = replace(
        host.settings,
        profile=_PLACE,
        ssh_host=_PLACE,
        backup_dir=str(room.directory),
        db_bin_dir=bin_dir or None,
        db_password=None,
        proof=host.settings.drilled,
        drill="cluster",
        drill_db=None,
        lock_wait_seconds=max(host.settings.lock_wait_seconds, _LEFT_WAIT_SECONDS),
        reconnect_seconds=0,
    )
    return Host(settings, Here(room, host.link), host.quiet)


def _end_what_was_left(host: Host) -> None:
    """A server, perhaps, of a run that was killed: whoever takes the lock there ends it.

    Nothing that it could write to is used again, not even the archive.
    """
    from ...remote.here import scratch
    from ...remote.here.local_host import Room

    with scratch.left_behind() as directories:
        for directory in directories:
            scratch.hand_over(directory)
            local = _local(host, Room(directory))
            with suppress(errors.LockedError, errors.PreflightError):
                local.must("verify", recipes.locking(local.settings))
                scratch.remove(directory)
