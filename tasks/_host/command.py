"""What makes a command of a function: its flags, and what they give to the settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any, TypeVar

from invoke.tasks import Task

from ...config.settings import SPECS
from .session import session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from invoke.context import Context

    from .host import Host

Result = TypeVar("Result")

# The help of flags that are no settings, and that several commands have.
_SHARED = {
    "accept_shrink": "it is meant to hold much less than those before",
    "quiet": "no log and no progress: the result, warnings and errors",
}


@dataclass(frozen=True)
class Call:
    """One call of a command: by fab, by inv, or by a task of somebody's own."""

    context: Context
    given: Mapping[str, str | None]

    def session(self, *, quiet: bool = False) -> AbstractContextManager[Host]:
        return session(self.context, self.given, quiet=quiet)


def command(
    *, iterable: tuple[str, ...] = (), **help_texts: str
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Make a task of a function that takes a Call, and the flags that are no settings.

    The table of settings says which settings are flags of the command. They come before the
    keyword-only flags of the function. A help text is that of a flag of the function, or takes the
    place of the one in the table. A flag in `iterable` may be repeated.
    """

    def decorate(body: Callable[..., Result]) -> Callable[..., Result]:
        settings = {
            spec.flag.parameter: spec
            for spec in SPECS.values()
            if body.__name__ in spec.flag.commands
        }
        flags = _flags(body, list(settings))

        @wraps(body)
        def run(c: Context, *arguments: Any, **options: Any) -> Result:
            own = flags.bind(c, *arguments, **options).arguments
            given = {spec.variable: own.pop(name, None) for name, spec in settings.items()}
            return body(Call(own.pop("c"), given), **own)

        run.__signature__ = flags  # type: ignore[attr-defined]
        helps = {name: _SHARED[name] for name in flags.parameters if name in _SHARED}
        helps |= {name: spec.flag_help for name, spec in settings.items()}
        made: Any = Task(
            run, auto_shortflags=False, iterable=iterable, help={**helps, **help_texts}
        )
        return made  # type: ignore[no-any-return]

    return decorate


def _flags(body: Callable[..., Any], settings: list[str]) -> Signature:
    """What invoke, of all versions, is to take for the signature of the task."""
    _, *own = signature(body).parameters.values()
    last = [each for each in own if each.kind is Parameter.KEYWORD_ONLY]
    first = [each for each in own if each not in last]
    kind = Parameter.POSITIONAL_OR_KEYWORD
    added = [Parameter(name, kind, default=None) for name in settings]
    return Signature(
        [Parameter("c", kind), *(each.replace(kind=kind) for each in [*first, *added, *last])]
    )
