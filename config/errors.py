"""The expected failures: each has its exit code, and a message for the person who meets it.

A message says what failed, on which host, why, and what to do next. Raised inside a task, invoke
prints it and exits with the code, without a traceback. Anything else is a bug and keeps its own.
"""

from collections.abc import Sequence
from typing import ClassVar

from invoke.exceptions import Exit

from .harmless import harmless_lines


class PredeployError(Exit):
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str) -> None:
        # invoke prints it, and it may hold words of a host, even of one that is not trusted yet.
        super().__init__(harmless_lines(message), self.exit_code)
        self.told = False  # to a CI that wants to hear of it once


class UnreadableFactError(PredeployError):
    """What a host says cannot be used: it is damaged, or the host is not to be trusted."""


class ConfigurationError(PredeployError):
    """`problems` are the sentences of a message that tells several."""

    exit_code = 2
    problems: Sequence[str] = ()


class HostError(PredeployError):
    exit_code = 3

    def __init__(self, message: str, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass  # for who was let in a moment ago: it is worth to try again


class PreflightError(PredeployError):
    exit_code = 10


class LockedError(PredeployError):
    exit_code = 11


class DumpError(PredeployError):
    exit_code = 12


class UnprovenError(PredeployError):
    exit_code = 13


class RefusedError(PredeployError):
    exit_code = 14


class RestoreError(PredeployError):
    exit_code = 15


class RotationError(PredeployError):
    exit_code = 16


class InterruptedRunError(PredeployError):
    exit_code = 130
