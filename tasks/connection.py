"""The connection to the host of the profile, for tasks of a team's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._host.session import session

if TYPE_CHECKING:
    from fabric import Connection
    from invoke.context import Context


def connection(c: Context) -> Connection:
    """Return the open connection that all tasks of this process share, to run, put, get on it.

    It goes where the profile says, with its key, its known hosts and its user: the host that -H or
    PREDEPLOY_HOST names. Raise HostError (3) or ConfigurationError (2) where there is none.
    """
    with session(c) as host:
        link: Any = host.link  # tasks of ours need less of it
        opened: Connection = link.connection
        return opened
