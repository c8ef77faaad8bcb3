"""From the settings and the caller's configuration to Fabric's connections: ssh_config, -S, -t."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import fabric
from invoke.context import Context

from ...config.address import Address, address
from ...config.errors import ConfigurationError
from ...config.settings import Settings
from .ssh_config import reader
from .tokens import Goal, expanded

_MOST_HOPS: Final = 16


@dataclass(frozen=True)
class Way:
    """One hop, not yet open. `original` is the name by which it was asked for."""

    connection: fabric.Connection
    original: str
    jump: str = ""

    @property
    def ssh_config(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.connection.ssh_config
        return found

    @property
    def tokens(self) -> Mapping[str, str]:
        here = self.connection
        alias = self.ssh_config.get("hostkeyalias", "")
        return Goal(self.original, here.host, here.port, here.user, alias, self.jump).tokens


def ways(settings: Settings, config: fabric.Config) -> list[Way]:
    """Return the way to the host: its jump hosts first, itself last.

    What is not set is left to ssh_config. Raise ConfigurationError (exit code 2) when a user or a
    port is said twice, or an address is none.
    """
    try:
        goal = address(settings.ssh_host).and_also(settings.ssh_user, settings.ssh_port)
    except ValueError as error:
        raise ConfigurationError(
            f"SSH_HOST {settings.ssh_host}: {error}",
            remedy="set SSH_USER and SSH_PORT, and only the name in SSH_HOST.",
        ) from None
    return _leading_to(goal, config, [])


def _leading_to(
    goal: Address, config: fabric.Config, behind: list[str], before: list[Address] | None = None
) -> list[Way]:
    """`before` are the jump hosts on the way, where the host behind has named them."""
    own = config.clone()
    own._set(base_ssh_config=reader(config, goal.user))  # noqa: SLF001 - Fabric's way to do so
    asked = own.base_ssh_config.lookup(goal.host)
    name = f"ssh_config, ProxyJump of {goal.host}"
    jumps = before
    if jumps is None:
        text = str(asked.get("proxyjump") or "none")
        jumps = [] if text.lower() == "none" else _jumps(text, goal, asked, name)
        # `Host *` with a ProxyJump is for the jump host, too, and would lead in a circle.
        if {each.host for each in jumps} & {goal.host, *behind}:
            jumps = []
    if len(behind) > _MOST_HOPS:
        raise ConfigurationError(f"{name} leads in a circle", remedy="correct it.")
    first: list[Way] = []
    if jumps:
        first = _leading_to(jumps[-1], config, [*behind, goal.host], jumps[:-1] or None)
        gateway: Any = first[-1].connection
    elif asked.get("proxycommand", "none").lower() != "none":
        gateway = asked["proxycommand"]
    elif "proxycommand" in asked or "proxyjump" in asked:
        gateway = False
    else:
        gateway = own.gateway or False
    try:
        connection = fabric.Connection(
            goal.host, user=goal.user, port=goal.port, config=own, gateway=gateway
        )
    except ValueError as error:
        raise ConfigurationError(
            f"ssh_config for {goal.host}: {error}",
            remedy="correct what it says of Port or ConnectTimeout.",
        ) from None
    if not first and isinstance(gateway, fabric.Connection):  # of a fabric.yaml, or of a caller
        first = _given(gateway)
    return [*first, Way(connection, goal.host, jumps[-1].host if jumps else "")]


def _given(gateway: fabric.Connection) -> list[Way]:
    found = [Way(gateway, gateway.original_host)]
    while isinstance(found[0].connection.gateway, fabric.Connection):
        gateway = found[0].connection.gateway
        found.insert(0, Way(gateway, gateway.original_host))
    return found


def _jumps(text: str, goal: Address, asked: Mapping[str, Any], name: str) -> list[Address]:
    tokens = {"%": "%", "n": goal.host, "h": asked["hostname"]}
    tokens |= {
        "p": str(goal.port or asked.get("port", 22)),
        "r": goal.user or asked.get("user", ""),
    }
    try:
        return [address(each.strip()) for each in expanded(text, "ProxyJump", tokens).split(",")]
    except ValueError as error:
        raise ConfigurationError(
            f"{name}: {text}: {error}",
            remedy="write [USER@]HOST[:PORT], several with a comma between, or none.",
        ) from None


def config_of(caller: Context) -> fabric.Config:
    """Copy the caller's configuration: Fabric writes into it. `inv` has one without ssh_config."""
    if isinstance(caller.config, fabric.Config):
        return caller.config.clone()
    config = caller.config.clone(into=fabric.Config)
    config.load_ssh_config()
    return config
