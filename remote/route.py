"""From the settings and the caller's configuration to Fabric's connections: ssh_config, -S, -t."""

import fabric
from invoke.context import Context

from ..config.errors import ConfigurationError
from ..config.settings import Settings


def hops(settings: Settings, config: fabric.Config) -> list[fabric.Connection]:
    """Return the way to the host, not yet open: its jump hosts first, itself last.

    What is not set is left to ssh_config. Raise ConfigurationError (exit code 2) when a user or a
    port is said twice.
    """
    way = [_target(settings, config)]
    while isinstance(way[0].gateway, fabric.Connection):
        way.insert(0, way[0].gateway)
    return way


def _target(settings: Settings, config: fabric.Config) -> fabric.Connection:
    host, user, port = settings.ssh_host, settings.ssh_user, settings.ssh_port
    try:
        return fabric.Connection(host, user=user, port=port, config=config)
    except ValueError as error:  # user or port are said twice, or a port is no number
        raise ConfigurationError(
            f"SSH_HOST {host}: {error} (exit 2)\n"
            "  What to do: set SSH_USER and SSH_PORT, and only the name in SSH_HOST."
        ) from None


def config_of(caller: Context) -> fabric.Config:
    """Copy the caller's configuration: Fabric writes into it. `inv` has one without ssh_config."""
    if isinstance(caller.config, fabric.Config):
        return caller.config.clone()
    config = caller.config.clone(into=fabric.Config)
    config.load_ssh_config()
    return config
