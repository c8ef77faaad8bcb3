"""From what was told on the way and on the host to findings: nothing is asked here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ...remote.facts import WHOLE
from .._gate.by_hand import current
from .._gate.outcome import SKEW_SECONDS, newer, rehearsed, remedy_for_newer, skew_seconds
from .._show.report import size
from .findings import CHECKS, Finding, failed, ok, told, warned

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...remote._door.shell import Report
    from ...remote._ssh.examination import Examination, Seen
    from ...remote.facts import Facts

_QUOTA: Final = re.compile(rf"\s*(\S+)\s+({WHOLE})\*?\s+({WHOLE})\s+({WHOLE})\b")
_KEPT_ROWS: Final = "as it says; or leave that to its owner"
_WATCHED: Final = "predeploy rehearses a restore; for doctor, disable the event trigger meanwhile"
_WAY_BACK: Final = "see docs/obstacles.md of fabric-predeploy"
_UNQUALIFIED: Final = (
    "SET search_path on the function, or write the schema before the name; a test restore"
    " (--proof=restored) shows whether an archive comes back"
)
_MANY: Final = 5


def of_settings(settings: Settings) -> Iterator[Finding]:
    from ...config.secrecy import shown
    from ...config.settings import SPECS

    given: dict[str, list[str]] = {}
    for name, spec in SPECS.items():
        source, value = settings.sources.get(spec.variable, "default"), getattr(settings, name)
        if source == "default" or value is None or spec.variable == "BACKUP_VERSION":
            continue
        hidden = spec.secret or spec.variable == "SSH_KNOWN_HOSTS"
        text = "" if hidden else f"={shown(str(value))[1:-1]}"
        given.setdefault(source, []).append(f"{spec.variable}{text}")
    lines = [f"{source}: {' '.join(settings)}" for source, settings in given.items()]
    yield ok("settings", "\n".join([*lines, "default: all others"]))
    source = f"{settings.version} ({settings.sources['BACKUP_VERSION']})"
    yield ok("version", settings.version_note or source)


def of_way(examination: Examination) -> Iterator[Finding]:
    for hop in examination.hops:
        is_last = hop is examination.hops[-1]
        yield from _of_hop(hop, examination.failed if is_last else "")
    if examination.failure:
        yield told(examination.failed, str(examination.failure.message))


def _of_hop(hop: Seen, ends_at: str) -> Iterator[Finding]:
    if hop.addresses:
        yield ok("dns", f"{hop.name} is {', '.join(hop.addresses)}")
    elif hop.addresses is None:
        yield ok("dns", f"{hop.name} is looked up on the way there, by ssh_config's proxy")
    if ends_at in ("dns", "port"):
        return
    yield ok("port", f"{hop.peer} answers: {hop.software}")
    if ends_at == "host key":
        return
    yield ok("host key", f"{hop.host_key}, known by {hop.known_as}")
    if not ends_at:
        offers = f"; the host offers {', '.join(hop.methods)}" if hop.methods else ""
        yield ok("login", f"{hop.where} with {hop.key_used or 'a key of yours'}{offers}")


def of_host(settings: Settings, report: Report) -> Iterator[Finding]:
    """Each check that failed as the preflight tells it; of the others, what was seen."""
    problems = list(_problems(report))
    broken = {each.check for each in problems}
    yield from problems
    for finding in _seen(settings, report):
        if finding.check not in broken:
            yield finding


def _problems(report: Report) -> Iterator[Finding]:
    """Each is three facts in a row: which check failed, why, and what to do."""
    for step, pairs in report.facts.items():
        for number, (key, check) in enumerate(pairs):
            if key != "failed" or not check:
                continue
            keys, words = zip(*pairs[number : number + 3], strict=True)
            if check not in CHECKS or keys != ("failed", "because", "remedy"):
                raise report.of(step).unreadable(key, "is no check with a reason and a remedy")
            yield failed(*words)


def _seen(settings: Settings, report: Report) -> Iterator[Finding]:
    looked = report.of("look")
    if looked:
        yield from _of_account(report, looked)
        yield _directory(looked, report.of("lock"))
        yield from _of_runs(looked, report.of("lock"))
        yield _script(settings, report.of("installed").get("installed"))
    if skew := skew_seconds(report):
        yield _clock(skew)
    if found := report.of("preflight"):
        yield from _of_database(settings, report, found)
    if looked:
        yield _space(report, looked, found)
    if outlined := report.of("outline"):
        yield from _of_outline(settings, report, outlined)
    if settings.proof == "auto" and report.finished("place"):
        yield _proof(report.of("place"))
    elif settings.proof == "read" and outlined:
        yield ok("proof", "read: every block will be decoded, and no test restore is made")
    if settings.rehearsal == "off" and outlined:
        yield ok("way back", "not asked: BACKUP_REHEARSAL=off")
    elif report.finished("rehearse"):
        yield from _of_rehearsal(settings, report, outlined)


def _of_account(report: Report, looked: Mapping[str, str]) -> Iterator[Finding]:
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


def _directory(looked: Mapping[str, str], lock: Mapping[str, str]) -> Finding:
    if "to_be_made" in lock:
        return ok("directory", f"{lock['to_be_made']} will be made, for {looked['user']} alone")
    mode = lock.get("mode", "")
    return ok("directory", f"{looked['backup_dir']} ({mode}): nobody else can look in")


def _of_runs(looked: Mapping[str, str], lock: Mapping[str, str]) -> Iterator[Finding]:
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


def _script(settings: Settings, installed: str | None) -> Finding:
    if installed is None:
        return ok("script", "no ~/remote-backup.sh there; `fab install` would put it there")
    if installed != current(settings):
        return warned(
            "script",
            "~/remote-backup.sh is of another version, or of other settings, than predeploy here",
            "fab install",
        )
    return ok("script", f"~/remote-backup.sh {installed.split(' ')[0]}, as predeploy here")


def _clock(skew: float) -> Finding:
    if skew > SKEW_SECONDS:
        return warned(
            "clock",
            f"the host's clock is off by {skew:.0f} s: archives are ordered by it",
            "have the host set it (NTP), or this machine's, whichever is wrong",
        )
    return ok("clock", f"within {max(skew, 1):.0f} s of this machine's")


def _of_database(settings: Settings, report: Report, found: Mapping[str, str]) -> Iterator[Finding]:
    if "server_version" not in found:
        there = report.of("programs").get("found", "")
        if there:
            yield ok("programs", f"pg_dump {there}")
        return
    server = found["server_version"]
    yield ok("database", f"{settings.db_name}, PostgreSQL {server} at {settings.db_host}")
    told = report.of("preflight").all("missing")
    excluded = [each for each in told if "BACKUP_EXCLUDE_TABLES" in each]
    missing = [each for each in told if each not in excluded]
    if missing:
        yield warned(
            "rights",
            f"{settings.db_user} is no superuser, so not in the archive: {', '.join(missing)}",
            "create them by hand after a restore",
        )
    else:
        without = f"; left out: {', '.join(excluded)}" if excluded else ""
        may = f"{settings.db_user} may read everything; {found.get('role', '')}{without}"
        yield ok("rights", may)
    if changed := found.get("collations"):
        yield warned(
            "database",
            f"its collations have changed with the host's system ({changed}), so that indexes of"
            " text may be in the wrong order",
            "let its owner run REINDEX DATABASE, then ALTER DATABASE … REFRESH COLLATION VERSION",
        )
    if newest := found.get("newer_than"):
        yield warned(
            "database",
            f"PostgreSQL {server} is newer than those that this was tested with (up to {newest})",
            "try a restore into another database (restore --to) before you rely on it",
        )
    if client := found["client_version"]:
        yield _programs(client, server, found, report.of("outline"))


def _programs(
    client: str, server: str, found: Mapping[str, str], outlined: Mapping[str, str]
) -> Finding:
    others = {outlined.get(name, client) for name in ("pg_restore", "psql")}
    if newer(client, server):
        return warned(
            "programs",
            f"pg_dump {client} is newer than the server ({server}): what it writes may need edits"
            " before that server takes it back",
            remedy_for_newer(server),
        )
    if others != {client}:
        return warned(
            "programs",
            f"of several versions in {found['bin_dir']}: {', '.join(sorted({client, *others}))}",
            "point DB_BIN_DIR at programs of one version",
        )
    return ok(
        "programs",
        f"pg_dump, pg_restore and psql {client} in {found['bin_dir']}; {found['compress']}",
    )


def _space(report: Report, looked: Facts, found: Facts) -> Finding:
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


def _of_outline(
    settings: Settings, report: Report, outlined: Mapping[str, str]
) -> Iterator[Finding]:
    if "entries" in outlined:
        yield ok("dump", f"pg_dump begins, with {outlined['entries']} entries to write")
    others = report.of("outline").all("acts_for")
    if others:
        yield warned(
            "roles",
            f"{settings.db_user} acts for other roles, and runs functions of theirs when it counts"
            f" the rows of their tables: {', '.join(others)}",
            "back up as a role that is no superuser and no member of a role of the application",
        )
    else:
        yield ok("roles", f"{settings.db_user} acts for no role of others when it counts rows")
    there = report.of("outline").all("extension")
    kept = report.of("rehearse").all("kept_rows")
    if kept:
        yield warned("extensions", "a restore would not bring back " + _listed(kept), _KEPT_ROWS)
    elif there and not any("extension" in each for each in rehearsed(report)):
        yield ok("extensions", ", ".join(there))


def _proof(found: Facts) -> Finding:
    """With BACKUP_PROOF=auto, only the host knows which grade is reached, and why."""
    if place := found.get("place"):
        return ok("proof", f"restored, by a test restore in a {place} of its own")
    return ok("proof", f"read, and no test restore is made: {found.get('unplaced', '')}")


def _of_rehearsal(
    settings: Settings, report: Report, outlined: Mapping[str, str]
) -> Iterator[Finding]:
    watchers = report.of("rehearse").get("unrehearsed")
    if watchers:
        yield warned("way back", f"not looked at: that would run {watchers}", _WATCHED)
        return
    obstacles = rehearsed(report)
    extensions = [each for each in obstacles if "extension" in each]
    locks = [each for each in obstacles if "max_locks_per_transaction" in each]
    others = [each for each in obstacles if each not in extensions + locks]
    weigh = failed if settings.rehearsal == "require" else warned
    if extensions:
        yield weigh("extensions", _listed(extensions), _WAY_BACK)
    relations = report.of("preflight").get("relations", "0")
    if locks:
        yield weigh("relations", f"{relations}: {_listed(locks)}", _WAY_BACK)
    else:
        limit = outlined.get("max_locks", "?")
        yield ok("relations", f"{relations}, within max_locks_per_transaction={limit}")
    if named := report.of("rehearse").all("unqualified"):
        yield warned("way back", f"a restore may fail: {_listed(named)}", _UNQUALIFIED)
    if others:
        yield weigh(
            "way back", f"{settings.db_user} could not restore: {_listed(others)}", _WAY_BACK
        )
    elif obstacles:
        yield weigh("way back", "what is told of extensions and relations is in the way", _WAY_BACK)
    else:
        yield ok("way back", _way(report))


def _way(report: Report) -> str:
    """A swap is the quicker way, and needs the right to create databases."""
    swap = report.of("rehearse").all("swap_obstacle")
    if swap:
        return f"by a transaction; no swap, as {swap[0]}"
    return "by a swap: the role may create databases"


def _listed(items: Sequence[str]) -> str:
    more = len(items) - _MANY
    return "\n".join([*items[:_MANY], *([f"… and {more} more"] if more > 0 else [])])
