"""What every part of the sandbox stands on: a directory, an account, a port, a child that ends."""

import ctypes
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class SandboxError(Exception):
    """The sandbox cannot be had here; the message says why."""


@contextmanager
def workspace() -> Iterator[Path]:
    """Yield a temporary directory that `nobody` can traverse, as pytest's cannot be."""
    directory = Path(tempfile.mkdtemp(prefix="predeploy-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        remove(directory)


def remove(directory: Path, *, seconds: float = 5) -> None:
    """Remove a tree that a dying program may still be writing to, or removing itself."""
    deadline = time.monotonic() + seconds
    shutil.rmtree(directory, ignore_errors=True)
    while directory.exists():
        if time.monotonic() > deadline:
            raise SandboxError(f"{directory} cannot be removed")
        time.sleep(0.05)
        shutil.rmtree(directory, ignore_errors=True)


def unprivileged() -> dict[str, Any]:
    """Return the keywords that make subprocess drop root for `nobody`; none when not root."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def free_port() -> int:
    """Return a port below the ephemeral range, where no outgoing connection takes it meanwhile."""
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SandboxError("no free TCP port between 20000 and 32000")


def die_with_parent() -> None:
    """Have Linux end this child when its parent is killed. For use as a preexec_fn."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGQUIT)


def stop(process: subprocess.Popen[bytes], how: signal.Signals, *, seconds: float = 20) -> None:
    process.send_signal(how)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
