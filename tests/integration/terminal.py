"""A terminal with somebody in front of it: what fab shows there, and what its keys do."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte

ROWS, COLUMNS = 50, 160


class Terminal:
    """Runs fab in a project, with a terminal as its stdin, stdout and stderr."""

    def __init__(self, project, *arguments: str, stdout: int | None = None, **changes) -> None:
        self.written = b""
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.code: int | None = None
        plain = dict.fromkeys(("COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR"))
        environment = project.environment(**{**plain, "TERM": "xterm-256color", **changes})
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.chdir(project.directory)
            if stdout is not None:
                os.dup2(stdout, 1)
            fab = str(Path(sys.executable).with_name("fab"))
            os.execve(fab, [fab, *arguments], environment)  # noqa: S606 - as a shell does
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    def shows(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def until(self, condition: Callable[[], object], seconds: float = 40) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "\n".join(self.lines)
            if not self.read():
                assert condition(), "\n".join(self.lines)
                return

    def read(self) -> bool:
        """False once nobody has the terminal open any more."""
        if not select.select([self.end], [], [], 0.1)[0]:
            return True
        try:
            some = os.read(self.end, 65536)
        except OSError:  # as Linux tells the end of a terminal
            return False
        self.written += some
        self.stream.feed(some)
        return True

    def type(self, keys: bytes) -> None:
        os.write(self.end, keys)

    def finish(self) -> int:
        while self.read():
            pass
        return self.hang_up()

    def hang_up(self) -> int:
        """Go away, as a connection that breaks does; the exit code is that of fab all the same."""
        os.close(self.end)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)
