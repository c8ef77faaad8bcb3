"""fab, forked off a process that has imported it already: the same program, there at once.

Run as a module it is that process: it reads a line for each, and tells its number and its end.
"""

import json
import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def forge():
    command = [sys.executable, "-m", "tests.fuzz.forked"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        yield Forge(server)


class Forge:
    def __init__(self, server):
        self._server = server

    def start(self, arguments, directory, environment):
        self._server.stdin.write(json.dumps([list(arguments), str(directory), environment]) + "\n")
        self._server.stdin.flush()
        return ForkedFab(self._server.stdout, directory)


class ForkedFab:
    """As much of a `subprocess.Popen` as is needed."""

    def __init__(self, told, directory):
        self._told, self._directory = told, directory
        self._pid = int(told.readline())
        self.returncode = None

    def poll(self, seconds=0):
        if self.returncode is None and select.select([self._told], [], [], seconds)[0]:
            self.returncode = os.waitstatus_to_exitcode(int(self._told.readline()))
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self._pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout=None):
        if self.poll(timeout) is None:
            raise TimeoutError(f"fab is still at work after {timeout} s")
        return [(self._directory / name).read_text(encoding="utf-8") for name in ("out", "err")]


def _serve():
    import fabric_predeploy.tasks  # noqa: F401
    from fabric.main import program
    from fabric_predeploy.remote import attending, link  # noqa: F401

    for line in sys.stdin:
        arguments, directory, environment = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _be_fab(program, arguments, directory, environment)
        print(pid, flush=True)  # noqa: T201 - the answer
        print(os.waitpid(pid, 0)[1], flush=True)  # noqa: T201


def _be_fab(program, arguments, directory, environment):
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    for number, path, mode in ((0, os.devnull, "r"), (1, "out", "w"), (2, "err", "w")):
        with open(path, mode) as opened:  # noqa: PTH123 - in the directory that it is run in
            os.dup2(opened.fileno(), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the old one has read ahead
    sys.argv = ["fab", *arguments]
    sys.path[0] = ""
    program.run()
    sys.exit()


if __name__ == "__main__":
    _serve()
