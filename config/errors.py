"""The expected failures: each has its exit code, and a message for the person who meets it.

A message says what failed, on which host, why, and what to do next. Raised inside a task, invoke
prints it and exits with the code, without a traceback. Anything else is a bug and keeps its own.

The docstring of an exit code says what the code means and then, in a paragraph of its own, what to
do: docs/exit-codes.md is made of these.
"""

from collections.abc import Sequence
from typing import ClassVar

from invoke.exceptions import Exit

from .harmless import harmless_lines


class PredeployError(Exit):
    """Something unexpected happened, or fab did not understand the command line.

    An answer of the host that cannot be used ends so, too. `status` also exits with 1 when it says
    `NOT GOOD`.

    Read the message. A traceback shows a bug in fabric-predeploy: report it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str) -> None:
        # invoke prints it, and it may hold words of a host, even of one that is not trusted yet.
        super().__init__(harmless_lines(message), self.exit_code)
        self.told = False  # to a CI that wants to hear of it once


class UnreadableFactError(PredeployError):
    """What a host says cannot be used: it is damaged, or the host is not to be trusted."""


class ConfigurationError(PredeployError):
    """A setting is missing or wrong; nothing was contacted.

    Mend the settings that the message names.
    """

    exit_code = 2
    # The sentences of a message that tells several.
    problems: Sequence[str] = ()


class HostError(PredeployError):
    """The host is unreachable or not trusted, or the connection was lost for good.

    Do what the message says. `fab -H <name> doctor` shows how far the connection gets.
    `fab -H <name> status` tells how a run ended whose connection was lost.
    """

    exit_code = 3

    def __init__(self, message: str, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass  # for who was let in a moment ago: it is worth to try again


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
