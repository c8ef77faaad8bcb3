"""A host, with its settings and the way there: what runs on it, and what a run came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .called import how_called

if TYPE_CHECKING:
    from ...config.errors import PredeployError
    from ...config.settings import Settings
    from ...remote import Line, Report, Step


@dataclass(frozen=True)
class Host:
    settings: Settings
    link: Line
    quiet: bool = False  # no log and no progress, but warnings

    def run(
        self,
        task: str,
        steps: Sequence[Step],
        *,
        keeps_status: bool = False,
        payload: Iterable[bytes] | None = None,
        expected_seconds: Mapping[str, float] | None = None,
    ) -> Report:
        """Run the steps on the host; the caller judges the report.

        `expected_seconds` says of steps how long they may take, for who waits.
        """
        variables = {
            "task": task,
            "backup_dir": self.settings.backup_dir,
            "keeps_status": "yes" if keeps_status else "",
        }
        secrets = {"DB_PASSWORD": self.settings.db_password or ""}
        from ...remote import run
        from .._show.github import folded
        from .._show.progress import Log, Progress

        progress = None if self.quiet else Progress(expected_seconds or {})
        log = progress or Log()
        with folded(f"{task} on {self.name}"), log.shown():
            report = run(
                self.link,
                steps,
                variables=variables,
                secrets=secrets,
                payload=payload,
                follow=progress.follow if progress else None,
                tells="progress" if progress else "warnings",
                log=log,
            )
        return replace(report, host=self.name)

    def must(self, task: str, steps: Sequence[Step], **options: Any) -> Report:
        """Run the steps; raise the error of the exit code unless it is 0."""
        report = self.run(task, steps, **options)
        if report.code != 0:
            raise self.failure(task, report)
        return report

    def failure(self, task: str, report: Report) -> PredeployError:
        """The error that a run ended with which did not end well."""
        from .failure import failure

        what, status = f"{task} on {self.name}", self.command("status")
        told = failure(what, report, is_lost=self.link.is_lost, status=status)
        if task == "restore" and report.code is None and report.begun:
            told.add(f"The database is as it was, or restored as a whole: {status} tells which.")
        return told

    def command(self, task: str) -> str:
        return how_called(self.settings.profile, task)

    @property
    def name(self) -> str:
        settings = self.settings
        return (
            settings.profile
            if settings.profile == settings.ssh_host
            else f"{settings.profile} ({settings.ssh_host})"
        )
