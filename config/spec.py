"""One row of the table of settings."""

from collections.abc import Callable
from dataclasses import MISSING, field
from typing import Any, Final, NamedTuple

Parser = Callable[[str], Any]
REQUIRED: Final = MISSING


class Flag(NamedTuple):
    """What sets a setting on the command line, and which commands take it."""

    name: str
    commands: tuple[str, ...] = ()
    help: str = ""

    @property
    def parameter(self) -> str:
        return self.name.removeprefix("--").replace("-", "_")


FABS_OWN: Final = Flag("-H")
NO_FLAG: Final = Flag("command line")


class Spec(NamedTuple):
    """`default` is text, as a person would write it; None if there is none.

    `unset` says what happens without a value. `there` is the parser of the script on the host, and
    None if that script does not take the setting.
    """

    variable: str
    parse: Parser
    default: str | None = None
    help: str = ""
    unset: str = ""
    flag: Flag = NO_FLAG
    secret: bool = False
    there: Parser | None = None

    @property
    def flag_help(self) -> str:
        if not self.default:
            return self.flag.help
        between = " " if self.flag.help.endswith("?") else "; "
        return f"{self.flag.help}{between}default {self.default}"


def setting(
    variable: str,
    parse: Parser,
    default: Any,
    help: str = "",  # noqa: A002 - what it is called in the table
    *,
    there: Parser | bool = False,
    **more: Any,
) -> Any:
    """Return the field of a dataclass. The default is text, None or REQUIRED.

    `there=True`: the script on the host takes the setting as well, by the same parser.
    """
    text = default if isinstance(default, str) else None
    parse_there = there if callable(there) else parse if there else None
    spec = Spec(variable, parse, text, help, there=parse_there, **more)
    if spec.secret and (text or spec.flag != NO_FLAG or spec.there):
        raise TypeError(f"{variable} is a secret: no default, no flag, and nothing on the host")
    return field(
        default=default if text is None else parse(text),
        repr=not spec.secret,
        metadata={"spec": spec},
    )
