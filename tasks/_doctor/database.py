"""What is found of the database: its server, what is in it, the rights of the role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from .._gate.outcome import newer, rehearsed, remedy_for_newer
from .findings import Finding, listed, ok, warned

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...remote import Report

_KEPT_ROWS: Final = "as it says; or leave that to its owner"


def of_database(settings: Settings, report: Report, found: Mapping[str, str]) -> Iterator[Finding]:
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


def of_outline(
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
        yield warned("extensions", "a restore would not bring back " + listed(kept), _KEPT_ROWS)
    elif there and not any("extension" in each for each in rehearsed(report)):
        yield ok("extensions", ", ".join(there))
