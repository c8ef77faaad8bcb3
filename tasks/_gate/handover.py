"""What the gate hands over: values for the jobs that come next, and a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from .._show.units import size
from .outcome import shrinking, uncounted
from .summary import headline, test_restore, way_back

if TYPE_CHECKING:
    from ...remote import Report
    from ...remote.catalog import Archive
    from .._host.host import Host

_SHOWN = 100  # GitHub takes a page of a megabyte at most


def hand_over(
    host: Host, archive: Archive, report: Report, removed: Mapping[str, str], *, restorable: bool
) -> None:
    """To nobody, unless the environment names files for it; `removed` is names and reasons."""
    from .._show.github import escaped, output, summarise

    output(
        {
            "archive": archive.name,
            "proof": archive.proof,
            "sha256": archive.sha256,
            "bytes": str(archive.bytes),
            "restore_command": way_back(host, archive),
        }
    )
    rows = "".join(
        f"| {name} | {'<br>'.join(map(escaped, lines))} |\n"
        for name, lines in _rows(host, archive, report, removed)
    )
    untried = "" if archive.at_least("restored") else f"{test_restore(host, archive)}\n"
    summarise(
        f"## {escaped(headline(host, archive, restorable=restorable))}\n\n"
        f"| | |\n|---|---|\n{rows}\n"
        f"```sh\n{way_back(host, archive)}{'' if restorable else ' --plan'}\n{untried}```\n"
    )


def _rows(
    host: Host, archive: Archive, report: Report, removed: Mapping[str, str]
) -> Iterator[tuple[str, Sequence[str]]]:
    yield "archive", [archive.name]
    yield "where", [f"{host.name}: {host.settings.backup_dir}"]
    yield "database", [f"{archive.database}, PostgreSQL {archive.facts['server_version']}"]
    yield "size", [f"{size(archive.bytes)}, {archive.facts['toc_entries']} entries"]
    yield "proof", [f"{archive.proof}, sha256 {archive.sha256}"]
    if lost := shrinking(report, archive):
        yield "shrunk", lost
    if unknown := uncounted(report):
        yield "not counted", unknown
    yield "duration", [f"{stage} {seconds:.2f} s" for stage, seconds in _stages(report)]
    gone = [f"removed {name}: {reason}" for name, reason in removed.items()][:_SHOWN]
    more = [f"and {len(removed) - _SHOWN} more"] if len(removed) > _SHOWN else []
    failed = [] if report.code == 0 else [f"failed: {report.of('result').get('reason', '')}"]
    yield "rotation", [*gone, *more, *failed] or ["nothing to remove"]


def _stages(report: Report) -> Iterator[tuple[str, float]]:
    yield "in all", sum(report.seconds.values())
    yield from ((step, took) for step, took in report.seconds.items() if step != "result")
