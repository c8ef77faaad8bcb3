"""What is found of the account on the host: its shell, its directory, its runs, its room."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ...remote.facts import WHOLE
from .._gate.by_hand import current
from .._gate.outcome import SKEW_SECONDS
from .._show.units import size
from .findings import Finding, ok, warned

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...remote import Report
    from ...remote.facts import Facts

_QUOTA: Final = re.compile(rf"\s*(\S+)\s+({WHOLE})\*?\s+({WHOLE})\s+({WHOLE})\b")


def of_account(report: Report, looked: Mapping[str, str]) -> Iterator[Finding]:
    shell = looked["login_shell"] or "unknown"
    yield ok("shell", f"{looked['user']}'s login shell is {shell}; sh is {looked['sh']}")
    yield _noise(report)
    yield ok("tools", f"{looked['awk']}, {report.of('programs').get('checksum')}")


def _noise(report: Report) -> Finding:
    from ...config.secrecy import shown

    for stream, text in (("stdout", report.noise), ("stderr", report.stderr)):
        if text.strip():
            return warned(
                "rc files",
                f"the account's own files print on {stream}: {shown(text.split(chr(10))[0])}",
                "harmless here, but not to scp and rsync: in ~/.bashrc and the like, print only"
                " where `[ -t 1 ]`",
            )
    return ok("rc files", "print nothing")


def directory(looked: Mapping[str, str], lock: Mapping[str, str]) -> Finding:
    if "to_be_made" in lock:
        return ok("directory", f"{lock['to_be_made']} will be made, for {looked['user']} alone")
    mode = lock.get("mode", "")
    return ok("directory", f"{looked['backup_dir']} ({mode}): nobody else can look in")


def of_runs(looked: Mapping[str, str], lock: Mapping[str, str]) -> Iterator[Finding]:
    if "held" in lock:
        yield warned(
            "lock",
            f"another run is at work, and predeploy would wait for it: {lock['held']}",
            "nothing, or wait for it",
        )
        return
    yield ok("lock", f"no other run is at work; {looked['flock']}")
    last = f"{looked.get('last_task')} at {looked.get('last_time')}"
    if looked.get("last_result") == "success":
        yield ok("last run", f"{last}: {looked.get('last_archive')}")
    elif "last_result" in looked:
        remedy = looked.get("last_remedy") or f"see {looked.get('last_log', 'its log')} there"
        yield warned("last run", f"{last} failed: {looked.get('last_reason')}", remedy)
    else:
        yield ok("last run", "none yet")


def script(settings: Settings, installed: str | None) -> Finding:
    if installed is None:
        return ok("script", "no ~/remote-backup.sh there; `fab install` would put it there")
    if installed != current(settings):
        return warned(
            "script",
            "~/remote-backup.sh is of another version, or of other settings, than predeploy here",
            "fab install",
        )
    return ok("script", f"~/remote-backup.sh {installed.split(' ')[0]}, as predeploy here")


def clock(skew: float) -> Finding:
    if skew > SKEW_SECONDS:
        return warned(
            "clock",
            f"the host's clock is off by {skew:.0f} s: archives are ordered by it",
            "have the host set it (NTP), or this machine's, whichever is wrong",
        )
    return ok("clock", f"within {max(skew, 1):.0f} s of this machine's")


def space(report: Report, looked: Facts, found: Facts) -> Finding:
    """Before the database was asked, nobody knows how much is needed."""
    left = _left_of_quota(report)
    free = (found if found.get("free_bytes") else looked).whole("free_bytes")
    need = found.whole("need_bytes") if found.get("need_bytes") else 0
    known = f"{size(free)} free"
    known += f", about {size(need)} needed" if need else ""
    if left is None:
        return ok("space", known)
    known += f"; the account's quota leaves {size(left)}"
    if left < max(need, 1):
        return warned("space", known, "remove what is not needed, or ask the host for more")
    return ok("space", known)


def _left_of_quota(report: Report) -> int | None:
    """Of the file system that BACKUP_DIR is on; quota(1) counts in kilobytes, 0 is no limit."""
    here = report.of("look").get("file_system")
    for line in report.of("look").all("quota"):
        row = _QUOTA.match(line)
        if row and row[1] == here:
            limit = int(row[4]) or int(row[3])
            return max(limit - int(row[2]), 0) * 1024 if limit else None
    return None
