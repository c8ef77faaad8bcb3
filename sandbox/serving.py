"""A server process that lives as long as a `with` block, with all that its sessions leave."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .workspace import die_with_parent, stop

START_TIMEOUT_SECONDS = 20


@contextmanager
def running(command: list[str], place: Path, port: int, variables: dict[str, str]) -> Iterator[int]:
    log = place / "sshd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=place,
            env={**os.environ, **variables},
            start_new_session=True,  # Ctrl-C ends the block first, and the block ends the server
            preexec_fn=_before_exec,  # noqa: PLW1509 - no threads here, and it allocates nothing
        )
    try:
        _wait_until_ready(process, port, log)
        yield process.pid
    finally:
        while children := descendants(process.pid):
            for pid in children:
                _kill(pid)
            time.sleep(0.01)
        stop(process, signal.SIGTERM)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
                if probe.recv(4) == b"SSH-":
                    return
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the SSH server did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.02)


def _before_exec() -> None:
    """Let whatever outlives its session become the server's child, so that it can be found."""
    die_with_parent()
    if sys.platform == "linux":
        set_child_subreaper = 36
        ctypes.CDLL(None).prctl(set_child_subreaper, 1)


def descendants(pid: int) -> list[int]:
    """Return the processes that `pid` began, and those that they began, as /proc shows them."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found[1:]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
