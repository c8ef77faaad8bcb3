"""How fab was called: for which host, with which user and port, and under which names of tasks."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fabric import Connection

from ...config import errors

if TYPE_CHECKING:
    from invoke.context import Context

_TASKS = __name__.rpartition("._host.")[0]


def refuse_dry(c: Context) -> None:
    """Fabric's --dry prints commands instead of running them; ours would say nothing that way."""
    if c.config.run.dry:
        raise errors.ConfigurationError(
            "fab --dry cannot tell what a run would do; nothing was contacted",
            remedy=(
                "fab doctor looks without changing anything, restore has --plan,"
                " and rotate has --dry-run."
            ),
        )


def caller(c: Context) -> Any:
    """Fabric gives -H to the tasks of the command line, but not to their pre-tasks."""
    fabric_main = sys.modules.get("fabric.main")
    core = getattr(getattr(fabric_main, "program", None), "core", None)
    hosts = core[0].args.hosts.value if core else None
    if hasattr(c, "original_host") or not hosts:
        return c
    if "," in hosts:
        raise errors.ConfigurationError(
            f"-H {hosts} names several hosts, and a pre-task is not told which",
            remedy="one at a time, or name the task: fab -H … predeploy deploy",
        )
    return Connection(hosts, config=c.config)


def asked_for(c: Any) -> tuple[str | None, dict[str, str]]:
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


def how_called(profile: str, task: str) -> str:
    """How a person here would call another of our tasks: `fab -H demo db.restore`, say."""
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
