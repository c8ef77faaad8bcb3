"""Who takes part in a run: the processes of an account on the host, and of its database."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

OF_THE_DATABASE = {"backend": b": shop shop", "server": b"checkpointer"}


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    words: bytes

    @property
    def program(self) -> str:
        return os.fsdecode(self.words.split(b"\0")[0]).rpartition("/")[2]


def below(pid):
    """All that this process began, and those that they began."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, *_ = stat.read_text().rpartition(")")[2].split()
            if state != "Z":
                children.setdefault(int(parent), []).append(int(stat.parent.name))
    found = [(child, pid) for child in children.get(pid, [])]
    for child, _ in found:
        found += [(each, child) for each in children.get(child, [])]
    seen = []
    for child, parent in found:
        with suppress(OSError):
            words = Path(f"/proc/{child}/cmdline").read_bytes()
            if words:  # an empty one is ending
                seen.append(Process(child, parent, words))
    return seen


class Host:
    def __init__(self, ssh, pg):
        self.ssh, self.pg = ssh, pg

    def sessions(self):
        return [each for each in below(self.ssh.pid) if self._is_session(each)]

    def _is_session(self, process):
        return process.words.startswith(f"sshd: {self.ssh.user}".encode())

    def ours(self):
        """What runs there but sshd's own."""
        return [each for each in below(self.ssh.pid) if not is_of_sshd(each)]

    def find(self, whom):
        """A program goes by its own name."""
        if whom in OF_THE_DATABASE:
            marks = OF_THE_DATABASE[whom]
            return [each for each in below(self.pg.pid) if marks in each.words]
        if whom == "session":
            return self.sessions()
        ours = self.ours()
        if whom in ("shell", "helper"):  # the run's own, and what it forks to help it
            sessions = {each.pid for each in self.sessions()}
            is_main = whom == "shell"
            return [e for e in ours if is_shell(e) and (e.parent in sessions) == is_main]
        programs = {"any": "", "scratch": ("initdb", "postgres")}.get(whom, whom)
        return [each for each in ours if each.program.startswith(programs)]


def is_of_sshd(process):
    return process.words.startswith((b"sshd: ", b"/usr/sbin/sshd")) or b"sshd\0-D" in process.words


def is_shell(process):
    return b'"$(printf %b "$1")"' in process.words
