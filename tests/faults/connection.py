"""The way to the host: who is let in, whom we trust, and a way that is cut."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ed25519

from sandbox.sshd import private_text, public_line
from sandbox.workspace import free_port
from tests.faults.fault import Fault
from tests.faults.scene import Scene


@contextmanager
def set_to(scene: Scene, **settings: str | None) -> Iterator[None]:
    before = dict(scene.settings)
    scene.settings.update(settings)
    yield
    scene.settings = before


@contextmanager
def given(scene: Scene, **environment: str) -> Iterator[None]:
    scene.environment.update(environment)
    yield
    scene.environment.clear()


@contextmanager
def wrong_key(scene: Scene) -> Iterator[None]:
    with given(scene, SSH_PRIVATE_KEY=private_text(ed25519.Ed25519PrivateKey.generate())):
        yield


@contextmanager
def changed_host_key(scene: Scene) -> Iterator[None]:
    name = scene.ssh.known_hosts_line.split()[0]
    other = public_line(ed25519.Ed25519PrivateKey.generate())
    with given(scene, SSH_KNOWN_HOSTS=f"{name} {other}"):
        yield


@contextmanager
def unknown_host_key(scene: Scene) -> Iterator[None]:
    with given(scene, SSH_KNOWN_HOSTS=f"x{scene.ssh.known_hosts_line}"):
        yield


@contextmanager
def closed_port(scene: Scene) -> Iterator[None]:
    with set_to(scene, SSH_PORT=str(free_port())):
        yield


fault = partial(Fault, group="The way to the host")
FAULTS = [
    fault(
        "a key that the host does not know",
        codes=(3,),
        inject=wrong_key,
        says=r"it does not let us in: Authentication failed",
    ),
    fault(
        "a host key that is not known",
        codes=(3,),
        inject=unknown_host_key,
        says=r"the host key of \S+ is not known",
    ),
    fault(
        "a host key that has changed",
        codes=(3,),
        inject=changed_host_key,
        says=r"the host key of \S+ has CHANGED",
    ),
    fault(
        "a port that is closed",
        codes=(3,),
        inject=closed_port,
        says=r"after 3 tries: connection refused",
    ),
]
