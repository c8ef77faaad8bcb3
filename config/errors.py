"""The expected failures: each has its exit code, and a message for the person who meets it.

An error has fields: what failed and where, why, more lines about it, what to do. Its message is
made of them here, and nowhere is it taken apart again. Raised inside a task, invoke prints the
message and exits with the code, without a traceback. Anything else is a bug and keeps its own.

The docstring of an exit code says what the code means and then, in a paragraph of its own, what to
do: docs/exit-codes.md is made of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from invoke.exceptions import Exit

from .harmless import harmless_lines

if TYPE_CHECKING:
    from typing_extensions import Self


class Problem(NamedTuple):
    """One of several things that are wrong, and what to do about it."""

    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return " — ".join(filter(None, self))


class PredeployError(Exit):
    """Something unexpected happened, or fab did not understand the command line.

    An answer of the host that cannot be used ends so, too. `status` also exits with 1 when it says
    `NOT GOOD`.

    Read the message. A traceback shows a bug in fabric-predeploy: report it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(  # noqa: PLR0913 - each has a name
        self,
        what: str = "",
        *,
        why: str = "",
        problems: Sequence[Problem] = (),
        more: str = "",
        remedy: str = "",
        message: str = "",
    ) -> None:
        """`more` is whole lines. `message` is given where it is not made of the other fields."""
        self.what, self.why, self.problems, self.more = what or message, why, tuple(problems), more
        self.remedy = remedy
        # invoke prints it, and it may hold words of a host, even of one that is not trusted yet.
        super().__init__(harmless_lines(message or "\n".join(self._lines())), self.exit_code)
        self.told = False  # to a CI that wants to hear of it once

    def __str__(self) -> str:
        return str(self.message)

    def _lines(self) -> Iterator[str]:
        yield f"{self.what} (exit {self.exit_code}){self.why and ': '}{self.why}"
        for problem in self.problems:
            yield f"  - {problem.what}"
            if problem.remedy:
                yield f"    What to do: {problem.remedy}"
        if self.more:
            yield self.more
        if self.remedy:
            yield f"  What to do: {self.remedy}"

    @property
    def headline(self) -> str:
        return next(self._lines()).partition("\n")[0]

    def add(self, line: str) -> Self:
        """Tell more, behind all that is told."""
        self.message = f"{self.message}\n  {harmless_lines(line)}"
        return self

    @classmethod
    def of_several(cls, failures: Sequence[PredeployError]) -> Self:
        what = "; ".join(each.what for each in failures)
        return cls(what, message="\n".join(map(str, failures)))


class UnreadableFactError(PredeployError):
    """What a host says cannot be used: it is damaged, or the host is not to be trusted."""


class ConfigurationError(PredeployError):
    """A setting is missing or wrong; nothing was contacted.

    Mend the settings that the message names.
    """

    exit_code = 2


class HostError(PredeployError):
    """The host is unreachable or not trusted, or the connection was lost for good.

    Do what the message says. `fab -H <name> doctor` shows how far the connection gets.
    `fab -H <name> status` tells how a run ended whose connection was lost.
    """

    exit_code = 3

    may_pass = False  # for who was let in a moment ago: it is worth to try again


class PreflightError(PredeployError):
    """The host or the database is not ready; nothing was dumped or restored.

    `fab -H <name> doctor` names all problems at once, each with its remedy.
    """

    exit_code = 10


class LockedError(PredeployError):
    """Another run is at work; the message says whose, and since when.

    Wait until it has ended, or let fab wait: `--lock-wait=600`.
    """

    exit_code = 11


class DumpError(PredeployError):
    """The dump failed; no archive was made.

    Read what pg_dump says in the message and in the log.
    """

    exit_code = 12


class UnprovenError(PredeployError):
    """An archive is not proven: it is damaged, or its test restore failed or differed.

    Do not deploy, and do not restore this archive. The message names what differs: mend
    that, then run predeploy again. For a restore, choose another archive.
    """

    exit_code = 13


class RefusedError(PredeployError):
    """The command was refused, and the database was not changed.

    No archive or several match `--file`; the restore was not confirmed; the role could not restore;
    something would be overwritten; much of the data is gone; the log of the archive is gone.

    Read the reason in the message, and do what it says.
    """

    exit_code = 14


class RestoreError(PredeployError):
    """The restore failed; the database is as it was before.

    Mend what the message names, then restore again. For an object that the role cannot change see
    [what stands in the way](obstacles.md).
    """

    exit_code = 15


class RotationError(PredeployError):
    """Old archives could not be removed, or an archive could not be pinned or unpinned.

    For predeploy a failed rotation is only a warning: the new archive is proven.

    Read the message; often it is the rights of files in `BACKUP_DIR`.
    `fab -H <name> rotate` tries again.
    """

    exit_code = 16


class InterruptedRunError(PredeployError):
    """The run was interrupted; the host has cleaned up, or the message says that it did not answer.

    Ask `fab -H <name> status` how the run ended, then run the command again.
    """

    exit_code = 130
