"""The ssh agent, by the socket that SSH_AUTH_SOCK or IdentityAgent names."""

import socket
from collections.abc import Mapping
from typing import Final

from paramiko.agent import AgentKey, AgentSSH
from paramiko.pkey import PublicBlob

from ...config.machine import environment_without_secrets
from .certificates import SUFFIX
from .tokens import file_name
from .transport import FAILURES

_PATIENCE_SECONDS: Final = 30  # a person may have to confirm


class Agent(AgentSSH):  # type: ignore[misc]  # paramiko has no types
    """Its keys, none where nobody answers. Paramiko's own knows SSH_AUTH_SOCK alone."""

    def __init__(self, path: str) -> None:
        super().__init__()
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            link.settimeout(_PATIENCE_SECONDS)
            link.connect(path)
            self._connect(link)
        except FAILURES:
            link.close()

    def close(self) -> None:
        self._close()

    def held(self) -> list["HeldKey"]:
        return [HeldKey(self, key.blob) for key in self.get_keys()]


class HeldKey(AgentKey):  # type: ignore[misc]
    """A key or a certificate that the agent holds. Paramiko's own mixes the two up for RSA."""

    def __init__(self, agent: Agent, blob: bytes) -> None:
        super().__init__(agent, blob)
        if self.name.endswith(SUFFIX):
            self.public_blob = PublicBlob(self.name, blob)

    def asbytes(self) -> bytes:
        return bytes(self.blob)

    def certified(self, kind: str, blob: bytes) -> "HeldKey":
        """Return the same key, which shows a certificate that the agent has not."""
        copy = HeldKey(self.agent, self.blob)
        copy.public_blob = PublicBlob(kind, blob)
        return copy


def name_of(identity_agent: str, tokens: Mapping[str, str]) -> str:
    """Replace the tokens of a path; SSH_AUTH_SOCK, $NAME and none are no paths."""
    if "/" not in identity_agent:
        return identity_agent
    return file_name(identity_agent, "IdentityAgent", tokens)


def socket_of(identity_agent: str | None) -> str:
    """Return the path that is meant, and "" where no agent is to be asked."""
    environment = environment_without_secrets()
    if not identity_agent or identity_agent == "SSH_AUTH_SOCK":
        return environment.get("SSH_AUTH_SOCK", "")
    if identity_agent.startswith("$"):
        return environment.get(identity_agent[1:], "")
    return "" if identity_agent.lower() == "none" else identity_agent


def opened(path: str) -> Agent | None:
    return Agent(path) if path and hasattr(socket, "AF_UNIX") else None
