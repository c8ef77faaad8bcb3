"""fab, forked off a process that has imported it already: the same program, there at once.

Run as a script it is that process. It is handed a socket; of each fab it is asked for by arguments,
directory and environment, with three open files: its stdout, its stderr, and where to tell of it.
"""

import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

LONGEST_REQUEST_BYTES = 1 << 17
# What Python heeds when it starts is not to be had by forking.
AT_START = ("LANG", "LC_", "PYTHON", "TZ")


def can_be(environment: dict[str, str]) -> bool:
    return _at_start(environment) == _at_start(dict(os.environ))


def _at_start(environment: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(AT_START) and name != "PYTHONUNBUFFERED"
    }


def start(arguments: list[str], directory: Path, environment: dict[str, str]) -> "ForkedFab":
    read, written = zip(*(os.pipe() for _ in range(3)), strict=True)
    request = json.dumps([arguments, str(directory), environment]).encode()
    try:
        socket.send_fds(_server(), [request], written)
    finally:
        for each in written:
            os.close(each)
    return ForkedFab(["fab", *arguments], *(os.fdopen(each, encoding="utf-8") for each in read))


@functools.cache
def _server() -> socket.socket:
    """It ends with us, when it has nobody left to talk to."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, __file__, str(theirs.fileno())]
        subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    return ours


class ForkedFab:
    """As much of a `subprocess.Popen` as the tests make use of."""

    def __init__(self, args, stdout, stderr, told):
        self.args, self.stdin, self.stdout, self.stderr = args, None, stdout, stderr
        self.returncode = None
        self._told = told
        self._outputs = {}
        self._readers = []
        self.pid = int(told.readline())

    def poll(self):
        return self._ended_within(0)

    def wait(self, timeout=None):
        if self._ended_within(timeout) is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def _ended_within(self, seconds):
        if self.returncode is None and select.select([self._told], [], [], seconds)[0]:
            self.returncode = os.waitstatus_to_exitcode(int(self._told.readline()))
            self._told.close()
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout=None):
        deadline = None if timeout is None else time.monotonic() + timeout
        if not self._readers:
            for pipe in (self.stdout, self.stderr):
                self._readers.append(threading.Thread(target=self._read, args=[pipe], daemon=True))
                self._readers[-1].start()
        for reader in self._readers:
            reader.join(_left(deadline))
        if any(reader.is_alive() for reader in self._readers):
            raise subprocess.TimeoutExpired(self.args, timeout)
        self.wait(_left(deadline))
        return self._outputs[self.stdout], self._outputs[self.stderr]

    def _read(self, pipe):
        self._outputs[pipe] = ""
        if not pipe.closed:
            with pipe:
                self._outputs[pipe] = pipe.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in (self.stdout, self.stderr):
            each.close()
        self.wait()


def _left(deadline):
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def _serve(requests: socket.socket) -> None:
    """Where it forks once more, that one waits for its fab."""
    from fabric.main import program
    from fabric_predeploy.remote._ssh import link  # noqa: F401

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, files, _, _ = socket.recv_fds(requests, LONGEST_REQUEST_BYTES, 3)
        if not request:
            return None
        if os.fork() == 0:
            requests.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            pid = os.fork()
            if pid == 0:
                os.close(files[2])
                return _be_fab(program, *json.loads(request), *files[:2])
            _tell(pid, *files)
        for each in files:
            os.close(each)


def _tell(pid: int, stdout: int, stderr: int, told: int) -> None:
    """Without the files, so that they end with those who have their own ends of them."""
    os.write(told, b"%d\n" % pid)
    os.close(stdout)
    os.close(stderr)
    os.write(told, b"%d\n" % os.waitpid(pid, 0)[1])
    os._exit(0)


def _be_fab(program, arguments, directory, environment, stdout, stderr):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    for number, opened in ((1, stdout), (2, stderr)):
        os.dup2(opened, number)
        os.close(opened)
    fab = Path(sys.executable).with_name("fab")
    sys.argv, sys.path[0] = [str(fab), *arguments], str(fab.parent)
    sys.exit(program.run())


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        _serve(listening)
