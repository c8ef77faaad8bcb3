"""Before anything is touched: what the plan refuses, and the word of whoever asks for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ...config import errors
from .._show.prompt import typed
from .._show.report import tell, warn
from .._show.stream import is_terminal
from .plan_text import head

if TYPE_CHECKING:
    from .._host.host import Host
    from .plan import Plan


def refuse_unless_possible(
    host: Host, plan: Plan, to: str | None, overwrite: bool, yes: bool
) -> None:
    if plan.refusals:
        remedy = "see docs/obstacles.md of fabric-predeploy"
        raise refusal(host, f"{host.settings.db_user} could not do it: {plan.refusals[0]}", remedy)
    if to is not None and not plan.empty and not overwrite:
        raise refusal(host, f"{to} is not empty", "choose an empty database, or give --overwrite")
    if to is None and plan.other_database:
        warn(f"the archive is of the database {plan.archive['database']}, not {plan.database}")
        if not yes:
            raise refusal(
                host,
                f"the archive is of another database, {plan.archive['database']}",
                f"to restore it into {plan.database} all the same, give --yes, and either"
                f" --to={plan.database} or the name when asked",
            )


def confirm(host: Host, plan: Plan, yes: bool, *, named: bool) -> None:
    """An archive of another database asks for the name even where --yes says yes."""
    if not yes or (plan.other_database and not named):
        if is_terminal(sys.stdin):
            tell(f"\n{head(plan)}")
        type_name(host, plan.database)


def type_name(host: Host, name: str) -> None:
    """Raise RefusedError (14) unless whoever sits there types that name."""
    if not is_terminal(sys.stdin):
        raise refusal(host, "not confirmed, and no terminal to ask at", "give --yes")
    tell(f"Type the name of the database to go on ({name}):")
    answer = typed() or ""
    if answer != name:
        raise refusal(host, f"not confirmed: {answer!r} is not {name!r}", "try again")


def refusal(host: Host, why: str, remedy: str) -> errors.RefusedError:
    return errors.RefusedError(
        f"restore on {host.name}: {why}; nothing was touched", remedy=f"{remedy}."
    )
