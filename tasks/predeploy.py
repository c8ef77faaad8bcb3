"""The gate: a proven archive, or a non-zero exit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._host.command import Call, command

if TYPE_CHECKING:
    from ..remote.catalog import Archive


@command()
def predeploy(call: Call, *, accept_shrink: bool = False, quiet: bool = False) -> Archive:
    """Back up, prove and rotate; a non-zero exit means: do not deploy."""
    from ._gate.gate import passed

    with call.session(quiet=quiet) as host:
        return passed(host, accept_shrink=accept_shrink)
