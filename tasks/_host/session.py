"""One host, its settings and the shared connection to it, for whoever calls."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fabric import Connection

from ...config import errors
from ...remote._ssh.ssh_config import guard_match_exec
from .interrupts import signals_raise

if TYPE_CHECKING:
    from invoke.context import Context

    from ...config.settings import Settings
    from ...remote._door.script import Step
    from ...remote._door.shell import Report
    from ...remote._ssh.link import Link

_SAID_LENGTH = 300
_TASKS = __name__.rpartition("._host.")[0]
# What a shell reads first, named in what it says of an error there.
_STARTUP_FILE = re.compile(r"[\w./~-]*\.(bashrc|bash_profile|profile|zshenv|zshrc|kshrc|t?cshrc)\b")

guard_match_exec()

_FAILURES: Mapping[int, type[errors.PredeployError]] = {
    failure.exit_code: failure
    for failure in (
        errors.PreflightError,
        errors.LockedError,
        errors.DumpError,
        errors.UnprovenError,
        errors.RefusedError,
        errors.RestoreError,
        errors.RotationError,
        errors.InterruptedRunError,
    )
}


@dataclass(frozen=True)
class Host:
    settings: Settings
    link: Link
    quiet: bool = False  # no log and no progress, but warnings

    @property
    def connection(self) -> Connection:
        return self.link.connection

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
        from ...remote._door.attending import run
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

    def failure(self, task: str, report: Report) -> errors.PredeployError:
        told, code = report.of("result"), report.code
        if code is None:
            return self._silence(task, report)
        kind = _FAILURES.get(code, errors.PredeployError)
        parts = (problem.rsplit(" — ", 1) for problem in report.problems)
        details = ["  - " + "\n    What to do: ".join(part) for part in parts]
        if told.get("remedy"):
            details.append(f"  What to do: {told['remedy']}")
        reason = told.get("reason") or "the host does not say why"
        return kind(
            "\n".join([f"{task} on {self.name}: {reason} (exit {kind.exit_code})", *details])
        )

    def _silence(self, task: str, report: Report) -> errors.PredeployError:
        from ...remote._door.exchange import LOST

        if report.lost:
            return errors.HostError(
                f"{task} on {self.name}: the connection was lost, and how the run ended could not"
                f" be learnt (exit 3): {report.lost}\n"
                "  The host, left alone, stops and clears up what is unfinished; archives stay.\n"
                f"  What to do: {self.command('status')} tells how it ended; run it again."
            )
        if report.exited == LOST and self.link.is_lost():
            return errors.HostError(
                f"{task} on {self.name}: the connection was lost before the end (exit 3)\n"
                "  The host notices, stops and removes what is unfinished; earlier archives stay.\n"
                "  What to do: run it again."
            )
        if report.trouble and report.begun:
            return errors.PredeployError(
                f"{task} on {self.name}: {report.trouble}, which no run of ours does (exit 1)\n"
                "  Nothing that it said counts. What to do: see who answers there; a program that"
                " floods its stderr shows in the log above."
            )
        if not report.begun or report.trouble:
            return self._not_begun(task, report)
        if report.facts:
            return errors.PredeployError(
                f"{task} on {self.name}: the shell on the host was killed during the run (exit 1)\n"
                "  What to do: check the host's memory and limits, and run it again."
            )
        return errors.PreflightError(
            f"{task} on {self.name}: the host ended our script before it could report (exit 10):"
            f" exit code {report.exited}\n"
            "  What to do: check the host's memory and limits, and run it again."
        )

    def _not_begun(self, task: str, report: Report) -> errors.PredeployError:
        """Nothing was sent there but the beginning of a script, in which there is no secret."""
        from ...remote._door.exchange import LOST

        code = (
            f"with exit code {report.exited}" if report.exited != LOST else "and told no exit code"
        )
        why = report.trouble or f"it ended {code}"
        said = " ".join(f"{report.noise} {report.stderr}".split())
        if file := _STARTUP_FILE.search(said):
            why += f", stopped by its startup file {file[0]}"
        elif not said and report.exited == 0:
            why += ", as where one of its startup files calls `exit`"
        return errors.PreflightError(
            f"{task} on {self.name}: the host's shell did not begin our script (exit 10): {why}\n"
            f"  It said: {said[:_SAID_LENGTH] or 'nothing'}\n"
            "  No secret was sent.\n"
            "  What to do: try `ssh HOST true`. If the account's startup files (~/.bashrc,"
            " ~/.zshenv, ~/.cshrc, fish's config) start another program, wait for input or print"
            " without end, let them do so only for people: case $- in *i*) … ;; esac. If the"
            " account has no shell or a forced command, ask the host for one. A slow host gets"
            " more time with SSH_SHELL_TIMEOUT=<seconds>."
        )

    def command(self, task: str) -> str:
        """How a person here would call another of our tasks: `fab -H demo db.restore`, say."""
        profile = self.settings.profile
        for module, words in (
            ("fabric.main", f"fab -H {profile}"),
            ("invoke.main", f"PREDEPLOY_HOST={profile} inv"),
        ):
            program = getattr(sys.modules.get(module), "program", None)
            collection = getattr(program, "collection", None) or {}
            for name in getattr(collection, "task_names", ()):
                if collection[name].body.__module__ == f"{_TASKS}.{task}":
                    return f"{words} {name}"
        return f"fab -H {profile} {task}"

    @property
    def name(self) -> str:
        settings = self.settings
        return (
            settings.profile
            if settings.profile == settings.ssh_host
            else f"{settings.profile} ({settings.ssh_host})"
        )


@contextmanager
def session(
    c: Context,
    overrides: Mapping[str, str | None] | None = None,
    *,
    quiet: bool = False,
) -> Iterator[Host]:
    """Everything is checked before the host is contacted; signals become exit code 130."""
    from .._show.github import failures_told

    with failures_told():
        settings, caller = prepared(c, overrides)
        with opened(settings, caller, quiet=quiet) as host:
            yield host


@contextmanager
def opened(settings: Settings, caller: Any, *, quiet: bool = False) -> Iterator[Host]:
    """With the settings of before, whatever has become of the files that they are from."""
    # Only here, as it takes half of what `fab --list` takes in all.
    from ...remote._ssh.link import Link
    from ...remote.signals import heeded_signals
    from .._show.github import failures_told

    with failures_told(), signals_raise(*heeded_signals()):
        yield Host(settings, Link(settings, caller), quiet)


def prepared(c: Context, overrides: Mapping[str, str | None] | None = None) -> tuple[Settings, Any]:
    """Return the settings, all of them checked, and the context that knows how fab was called."""
    from ...config.loading import load
    from .._show.github import mask

    caller = _caller(c)
    _refuse_dry(c)
    profile, asked_for = _asked_for(caller)
    given = {
        **asked_for,
        **{name: str(value) for name, value in (overrides or {}).items() if value is not None},
    }
    settings = load(profile, given)
    mask(settings)
    return settings, caller


def _refuse_dry(c: Context) -> None:
    """Fabric's --dry prints commands instead of running them; ours would say nothing that way."""
    if c.config.run.dry:
        raise errors.ConfigurationError(
            "fab --dry cannot tell what a run would do; nothing was contacted (exit 2)\n"
            "  What to do: fab doctor looks without changing anything, restore has --plan, and"
            " rotate has --dry-run."
        )


def _caller(c: Context) -> Any:
    """Fabric gives -H to the tasks of the command line, but not to their pre-tasks."""
    fabric_main = sys.modules.get("fabric.main")
    core = getattr(getattr(fabric_main, "program", None), "core", None)
    hosts = core[0].args.hosts.value if core else None
    if hasattr(c, "original_host") or not hosts:
        return c
    if "," in hosts:
        raise errors.ConfigurationError(
            f"-H {hosts} names several hosts, and a pre-task is not told which (exit 2)\n"
            "  What to do: one at a time, or name the task: fab -H … predeploy deploy"
        )
    return Connection(hosts, config=c.config)


def _asked_for(c: Any) -> tuple[str | None, dict[str, str]]:
    """What -H gives: a name, and user and port where ssh_config does not say the same."""
    if not hasattr(c, "original_host"):
        return None, {}
    given = {}
    if c.user != c.ssh_config.get("user", c.config.user):
        given["SSH_USER"] = str(c.user).removeprefix("ssh://")
    if c.port != int(c.ssh_config.get("port", c.config.port)):
        given["SSH_PORT"] = str(c.port)
    # Fabric does not split these.
    from ...config.address import address

    with suppress(ValueError):
        found = address(c.original_host)
        given |= {"SSH_PORT": str(found.port)} if found.port else {}
        return found.host, given
    return str(c.original_host), given
