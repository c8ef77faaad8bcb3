"""A way to the host that can be cut, or fall silent; and programs on the host that wait."""

import os
import shutil
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace

from tests.processes import wait_for


class Way:
    """A TCP proxy to a port of 127.0.0.1; it may carry only so much each way, and then cuts."""

    def __init__(self, port, bytes_each_way=None):
        self.target = port
        self.bytes_each_way = bytes_each_way
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self.listener.getsockname()[1]
        self.links = []
        self.is_open = True
        self.connected = 0
        self.carried = 0  # bytes from the host
        self.cuts_at = []
        _thread(self._accept)

    def cut(self):
        """End all connections, as a restart of a router does."""
        links, self.links = self.links, []
        for silent, *ends in links:
            silent.set()
            for end in ends:
                _close(end)

    def close(self):
        """From now on nobody gets through."""
        self.is_open = False
        self.cut()

    def open(self):
        self.is_open = True

    def fall_silent(self):
        """No byte comes through on the connections that there are, and nobody is told."""
        for silent, *_ in self.links:
            silent.set()

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def cut_after(self, count):
        """Once, when so many more bytes have come from the host."""
        self.cuts_at.append(self.carried + count)

    def _count(self, count):
        self.carried += count
        if self.cuts_at and self.carried >= self.cuts_at[0]:
            del self.cuts_at[0]
            self.cut()

    def await_connections(self, number, seconds=60):
        wait_for(lambda: self.connected >= number, seconds)

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.carry(client)

    def carry(self, client):
        if not self.is_open:
            _close(client)
            return
        host = socket.create_connection(("127.0.0.1", self.target))
        silent = threading.Event()
        self.links.append((silent, client, host))
        self.connected += 1
        _thread(_pass_on, client, host, silent, self.bytes_each_way)
        _thread(_pass_on, host, client, silent, self.bytes_each_way, self._count)


def _pass_on(source, sink, silent, bytes_left, count=lambda _: None):
    with suppress(OSError):
        while data := source.recv(65536):
            if silent.is_set():
                return
            sink.sendall(data)
            count(len(data))
            if bytes_left is not None:
                bytes_left -= len(data)
                if bytes_left <= 0:
                    _close(source)
                    _close(sink)
                    return
        if not silent.is_set():
            sink.shutdown(socket.SHUT_WR)


def _close(end):
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _thread(target, *arguments):
    threading.Thread(target=target, args=arguments, daemon=True).start()


@contextmanager
def way_to(ssh):
    way = Way(ssh.port)
    try:
        yield way
    finally:
        way.end()


def by(project, way, **settings):
    """The same project, by that way."""
    known = project.secrets["SSH_KNOWN_HOSTS"].replace(str(project.ssh.port), str(way.port), 1)
    secrets = {**project.secrets, "SSH_KNOWN_HOSTS": known}
    return replace(project, secrets=secrets).with_profile(SSH_PORT=str(way.port), **settings)


_WAITING = """#!/bin/sh
case $1 in --version) exec {program} "$@" ;; esac
printf '%s\\n' "$*" >>{here}.began
is_held() {
    { read -r when && read -r calls; } 2>/dev/null <{here}.held && [ "$when" = "$1" ] &&
        case $2 in $calls) ;; *) ! : ;; esac
}
wait_while_held() {
    is_held "$@" || return 0
    printf '%s\\n' "$2" >>{here}.waits
    while is_held "$@"; do sleep 0.05; done
}
wait_while_held before "$*"
is_held after "$*" || exec {program} "$@"
code=0
{program} "$@" || code=$?
wait_while_held after "$*"
exit $code
"""
_PATH = "/usr/local/bin:/usr/bin:/bin"
_OF_POSTGRESQL = ("pg_dump", "pg_restore", "psql")


class Programs:
    """A directory of programs on the host: PostgreSQL's, and those put there in place of others.

    Each can be held, before its work or after it.
    """

    def __init__(self, directory, bin_dir):
        self.directory = directory
        self._real = {name: bin_dir / name for name in _OF_POSTGRESQL}
        self.directory.mkdir()
        self.directory.chmod(0o777)  # the login is another user than we are
        self.restore()

    def restore(self):
        for file in self.directory.iterdir():
            file.unlink()
        for name, program in self._real.items():
            (self.directory / name).symlink_to(program)

    def put(self, name, script):
        here = self.directory / name
        program = self._real.get(name) or shutil.which(name, path=_PATH)
        new = here.with_suffix(".new")
        new.write_text(script.replace("{program}", str(program)).replace("{here}", str(here)))
        new.chmod(0o755)
        new.rename(here)

    def watch(self, name):
        self.put(name, _WAITING)

    def hold(self, name, calls="*", when="before"):
        """Those calls whose arguments match, as the shell has it."""
        held = self.directory / f"{name}.held"
        held.with_suffix(".new").write_text(f"{when}\n{calls}\n")
        held.with_suffix(".new").rename(held)
        self.watch(name)

    def release(self, name):
        (self.directory / f"{name}.held").unlink(missing_ok=True)

    def began(self, name):
        """The arguments of each of them that has begun so far."""
        return self._lines(f"{name}.began")

    def waits(self, name):
        """Of each that was held."""
        return self._lines(f"{name}.waits")

    def _lines(self, name):
        with suppress(FileNotFoundError):
            return (self.directory / name).read_text().splitlines()
        return []

    def dumps(self):
        """How many dumps have begun; the preflight only tries what pg_dump can do."""
        return sum("--snapshot" in arguments for arguments in self.began("pg_dump"))


def programs_of(project):
    """In a directory of their own, and all of them watched."""
    name = f"programs-{os.getpid()}-{project.backup_dir.name}"
    programs = Programs(project.ssh.home / name, project.pg.bin_dir)
    for each in _OF_POSTGRESQL:
        programs.watch(each)
    return programs
