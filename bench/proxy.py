"""A TCP proxy that makes the way longer: every byte arrives half a round trip after it was sent."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any

_CHUNK_BYTES = 1 << 18

Parcel = tuple[float, bytes]  # when it is due (time.monotonic), and what; no bytes: the end


@contextmanager
def delayed(port: int, round_trip_seconds: float) -> Iterator[int]:
    """Yield a port of 127.0.0.1 that leads to `port`; throughput stays what it is.

    As over a real distance, the server learns of a connection one and a half round trips late.
    What stays hidden is what Nagle's algorithm and delayed acknowledgements cost: the proxy's own
    acknowledgements are immediate.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        serve = threading.Thread(target=_accept, args=(listener, port, round_trip_seconds))
        serve.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept, which close alone does not
            serve.join()


def _accept(listener: socket.socket, port: int, round_trip_seconds: float) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        _thread(_connect, client, port, round_trip_seconds)


def _connect(client: socket.socket, port: int, round_trip_seconds: float) -> None:
    one_way = round_trip_seconds / 2
    upstream: SimpleQueue[Parcel] = SimpleQueue()
    _thread(_collect, client, upstream, one_way)
    time.sleep(3 * one_way)
    server = socket.create_connection(("127.0.0.1", port))
    for end in (client, server):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _thread(_deliver, upstream, server)
    downstream: SimpleQueue[Parcel] = SimpleQueue()
    _thread(_collect, server, downstream, one_way)
    _deliver(downstream, client)


def _collect(source: socket.socket, queue: SimpleQueue[Parcel], one_way: float) -> None:
    data = b"-"
    while data:
        try:
            data = source.recv(_CHUNK_BYTES)
            if hasattr(socket, "TCP_QUICKACK"):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except OSError:
            data = b""
        queue.put((time.monotonic() + one_way, data))


def _deliver(queue: SimpleQueue[Parcel], sink: socket.socket) -> None:
    with suppress(OSError):
        while True:
            due, data = queue.get()
            time.sleep(max(0.0, due - time.monotonic()))
            if not data:
                sink.shutdown(socket.SHUT_WR)
                return
            sink.sendall(data)


def _thread(target: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=target, args=arguments, daemon=True).start()
