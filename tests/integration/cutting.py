"""A way to the host that can be cut, or fall silent; and programs on the host that wait."""

import os
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace


class Way:
    """A TCP proxy to a port of 127.0.0.1."""

    def __init__(self, port):
        self.target = port
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

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self._carry(client)

    def _carry(self, client):
        if not self.is_open:
            _close(client)
            return
        host = socket.create_connection(("127.0.0.1", self.target))
        silent = threading.Event()
        self.links.append((silent, client, host))
        self.connected += 1
        _thread(_pass_on, client, host, silent)
        _thread(_pass_on, host, client, silent, self._count)


def _pass_on(source, sink, silent, count=lambda _: None):
    with suppress(OSError):
        while data := source.recv(65536):
            if silent.is_set():
                return
            sink.sendall(data)
            count(len(data))
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
echo "$@" >>{here}.began
while [ -e {here}.held ] && case "$*" in *"$(cat {here}.held)"*) ;; *) ! : ;; esac; do
    sleep 0.05
done
exec {program} "$@"
"""


class Programs:
    """PostgreSQL's programs on the host, each of which can be held back when it begins."""

    def __init__(self, project):
        self.directory = project.ssh.home / f"programs-{os.getpid()}-{project.backup_dir.name}"
        self.directory.mkdir()
        self.directory.chmod(0o777)  # the login is another user than we are
        for name in ("pg_dump", "pg_restore", "psql"):
            here, program = self.directory / name, project.pg.bin_dir / name
            here.write_text(_WAITING.format(program=program, here=here))
            here.chmod(0o755)

    def hold(self, name, argument=""):
        """Those whose arguments hold this text."""
        (self.directory / f"{name}.held").write_text(argument)

    def release(self, name):
        (self.directory / f"{name}.held").unlink(missing_ok=True)

    def began(self, name):
        """The arguments of each of them that has begun so far."""
        with suppress(FileNotFoundError):
            return (self.directory / f"{name}.began").read_text().splitlines()
        return []

    def dumps(self):
        """How many dumps have begun; the preflight only tries what pg_dump can do."""
        return sum("--snapshot" in arguments for arguments in self.began("pg_dump"))
