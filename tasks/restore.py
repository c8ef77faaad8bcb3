"""The way back: the plan first, the present state kept, and then all of the archive or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..config import errors
from ._host.command import Call, command
from ._show.report import tell, tell_data, warn

if TYPE_CHECKING:
    from ._host.host import Host
    from ._restore.plan import Plan
    from ._restore.restoring import Restored

_NAME_BYTES = 63  # PostgreSQL's NAMEDATALEN


@command(
    iterable=("table",),
    file="archive: its name, a part of it, latest, latest@read, latest:on-host, or a path",
    undo="go back to the state that the last restore has kept",
    plan="only tell what would be done",
    json_="with --plan: as data",
    yes="do not ask",
    mode="transaction or swap; default: what the role may do",
    to="another database that exists, to restore into",
    overwrite="with --to: though it is not empty",
    table="only this table, into a schema of its own; may be repeated",
    no_safety="do not keep the present state first",
    terminate="end other sessions of the same role",
    drop_old="drop the databases that swaps have left",
)
def restore(
    call: Call,
    file: str | None = None,
    undo: bool = False,
    plan: bool = False,
    json_: bool = False,
    yes: bool = False,
    mode: str | None = None,
    to: str | None = None,
    overwrite: bool = False,
    table: list[str] | None = None,
    no_safety: bool = False,
    terminate: bool = False,
    drop_old: bool = False,
    *,
    quiet: bool = False,
) -> Restored | Plan | None:
    """Bring the database back to an archive, exactly, or leave it."""
    # Only here and below, as `fab --list` restores nothing.
    from ._restore.confirm import confirm, refuse_unless_possible
    from ._restore.old_databases import drop_old_databases
    from ._restore.plan_text import as_data, as_text
    from ._restore.restoring import bring_back, foresee
    from ._restore.salvage import salvage
    from ._restore.source import source
    from ._restore.state import state_told
    from ._restore.undo import safety

    _check_flags(file, undo, drop_old, plan, json_, mode, to, overwrite, table)
    with call.session(quiet=quiet) as live:
        host = _aimed(live, to)
        if drop_old:
            drop_old_databases(host, yes)
            return None
        with state_told("nothing was touched"):
            wanted = safety(host) if undo else source(live, str(file))
        if table:
            salvage(host, wanted, table)
            return None
        with state_told("nothing was touched"):
            foreseen = foresee(host, wanted, mode, terminate)
            if json_:
                tell_data(as_data(foreseen))
            else:
                tell(as_text(foreseen))
            refuse_unless_possible(host, foreseen, to, overwrite, yes)
            if plan:
                return foreseen
            confirm(host, foreseen, yes, named=to is not None)
        if no_safety:
            warn(
                "--no-safety: the present state is not kept; after this there is no way back to it"
            )
        return bring_back(host, wanted, foreseen, keeps=not no_safety, terminate=terminate)


def _check_flags(
    file: str | None,
    undo: bool,
    drop_old: bool,
    plan: bool,
    json_: bool,
    mode: str | None,
    to: str | None,
    overwrite: bool,
    table: list[str] | None,
) -> None:
    from ._restore.plan import WAYS

    problems = []
    if [bool(file), undo, drop_old].count(True) != 1:
        problems.append("give one of --file=<archive>, --undo and --drop-old")
    if mode not in (None, *WAYS):
        problems.append(f"--mode must be {' or '.join(WAYS)}")
    if json_ and not plan:
        problems.append("--json goes with --plan")
    if overwrite and to is None:
        problems.append("--overwrite goes with --to")
    if drop_old and (plan or mode or overwrite):
        problems.append("--drop-old goes alone, or with --yes")
    if table and (plan or mode or to or drop_old):
        problems.append(
            "--table goes with --file or --undo alone: it touches nothing that is there"
        )
    if to is not None and (not to or len(to.encode()) > _NAME_BYTES or not to.isprintable()):
        problems.append("--to must be the name of a database")
    if problems:
        raise errors.ConfigurationError(f"restore: {'; '.join(problems)}")


def _aimed(host: Host, to: str | None) -> Host:
    if to is None:
        return host
    sources = {**host.settings.sources, "DB_NAME": "--to"}
    return replace(host, settings=replace(host.settings, db_name=to, sources=sources))
