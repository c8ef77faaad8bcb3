"""The way to the host: whether there is one, whom we trust, and whether we are let in."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from signal import SIGINT, SIGTERM, Signals

from cryptography.hazmat.primitives.asymmetric import ed25519

from sandbox.keys import private_text, public_line
from sandbox.workspace import free_port
from tests.faults.fault import Fault
from tests.faults.scene import Run, Scene
from tests.integration.cutting import Way

GROUP = "The way to the host"


@contextmanager
def wrong_key(scene: Scene) -> Iterator[None]:
    scene.environment["SSH_PRIVATE_KEY"] = private_text(ed25519.Ed25519PrivateKey.generate())
    yield


@contextmanager
def wrong_user(scene: Scene) -> Iterator[None]:
    scene.settings["SSH_USER"] = "nobody-of-that-name"
    yield


@contextmanager
def unknown_host_key(scene: Scene) -> Iterator[None]:
    scene.environment["SSH_KNOWN_HOSTS"] = f"x{scene.ssh.known_hosts_line}"
    yield


@contextmanager
def changed_host_key(scene: Scene) -> Iterator[None]:
    name = scene.ssh.known_hosts_line.split()[0]
    other = public_line(ed25519.Ed25519PrivateKey.generate())
    scene.environment["SSH_KNOWN_HOSTS"] = f"{name} {other}"
    yield


@contextmanager
def revoked_host_key(scene: Scene) -> Iterator[None]:
    line = scene.ssh.known_hosts_line
    revoked = f"@revoked * {line.split(' ', 1)[1]}"
    scene.environment["SSH_KNOWN_HOSTS"] = f"{line}\n{revoked}"
    yield


@contextmanager
def name_of_nobody(scene: Scene) -> Iterator[None]:
    scene.settings["SSH_HOST"] = "host.invalid"
    yield


@contextmanager
def closed_port(scene: Scene) -> Iterator[None]:
    scene.settings["SSH_PORT"] = str(free_port())
    yield


@contextmanager
def full_queue(scene: Scene) -> Iterator[None]:
    """Whose kernel takes no more connections and drops our packets, as a firewall does."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        scene.settings["SSH_PORT"] = str(listener.getsockname()[1])
        scene.options = ("--connect-timeout=1",)
        yield


def listener(
    answer: bytes = b"", *, hangs_up: bool = True
) -> Callable[[Scene], AbstractContextManager[None]]:
    """Something that listens there and answers each connection so."""

    @contextmanager
    def listens(scene: Scene) -> Iterator[None]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            scene.settings["SSH_PORT"] = str(server.getsockname()[1])
            scene.options = ("--connect-timeout=1",)
            with ExitStack() as links:
                threading.Thread(target=answering, args=(server, answer, hangs_up, links)).start()
                yield
                server.shutdown(socket.SHUT_RDWR)

    return listens


def answering(server: socket.socket, answer: bytes, hangs_up: bool, links: ExitStack) -> None:
    with suppress(OSError):
        while True:
            link = links.enter_context(server.accept()[0])
            link.sendall(answer)
            if hangs_up:
                link.close()


@contextmanager
def hangs_up_twice(scene: Scene) -> Iterator[None]:
    """At the third try it is the host."""
    way = Way(scene.ssh.port)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Thread(target=hang_up_twice, args=(server, way), daemon=True).start()
        scene.go_by(port)
        yield
        way.end()


def hang_up_twice(server: socket.socket, way: Way) -> None:
    for _ in range(2):
        server.accept()[0].close()
    way.carry(server.accept()[0])


@contextmanager
def silent(scene: Scene) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as scene.listener:
        scene.settings["SSH_PORT"] = str(scene.listener.getsockname()[1])
        yield


def signal_once_connected(number: Signals) -> Callable[[Scene, Run], None]:
    def signalled(scene: Scene, run: Run) -> None:
        link, _ = scene.listener.accept()
        with link:
            run.signal(number)
            run.end()

    return signalled


fault = partial(Fault, group=GROUP, unrecorded=True)
TRIES = "after 3 tries: "
FAULTS = [
    fault(
        "the key is one that the host does not know",
        codes=(3,),
        inject=wrong_key,
        says="it does not let us in: Authentication failed",
    ),
    fault(
        "the host has no such user",
        codes=(3,),
        inject=wrong_user,
        says="it does not let us in: Authentication failed",
    ),
    fault(
        "the host's key is not known",
        codes=(3,),
        inject=unknown_host_key,
        says=r"the host key of \S+ is not known",
    ),
    fault(
        "the host's key has changed",
        codes=(3,),
        inject=changed_host_key,
        says=r"the host key of \S+ has CHANGED",
    ),
    fault(
        "the host's key is revoked",
        rare=True,
        codes=(3,),
        inject=revoked_host_key,
        says="revoked",
    ),
    fault(
        "the name does not resolve",
        codes=(3,),
        inject=name_of_nobody,
        says="its name does not resolve",
    ),
    fault(
        "the port is closed",
        rare=True,
        codes=(3,),
        inject=closed_port,
        says=f"{TRIES}connection refused",
    ),
    fault(
        "packets are dropped on the way",
        codes=(3,),
        inject=full_queue,
        says=f"{TRIES}no answer within 1 s",
    ),
    fault(
        "what listens there says nothing",
        codes=(3,),
        inject=listener(hangs_up=False),
        says=f"{TRIES}something answers there, but the SSH handshake fails: not done within 1 s",
    ),
    fault(
        "what listens there says that it is sshd, and then nothing",
        codes=(3,),
        inject=listener(b"SSH-2.0-OpenSSH_9.2\r\n", hangs_up=False),
        says=f"{TRIES}something answers there, but the SSH handshake fails: not done within 1 s",
    ),
    fault(
        "what listens there hangs up",
        codes=(3,),
        inject=listener(),
        says=f"{TRIES}something answers there, but the SSH handshake fails",
    ),
    fault(
        "what listens there is a web server",
        rare=True,
        codes=(3,),
        inject=listener(b"HTTP/1.0 400 Bad Request\r\n\r\n"),
        says=f"{TRIES}something answers there, but the SSH handshake fails",
    ),
    fault(
        "the host hangs up twice",
        codes=(0,),
        inject=hangs_up_twice,
        says="Proven readable",
    ),
    fault(
        "SIGINT while the host does not answer",
        codes=(130,),
        inject=silent,
        during=signal_once_connected(SIGINT),
        says="interrupted by SIGINT",
    ),
    fault(
        "SIGTERM while the host does not answer",
        rare=True,
        codes=(130,),
        inject=silent,
        during=signal_once_connected(SIGTERM),
        says="interrupted by SIGTERM",
    ),
]
