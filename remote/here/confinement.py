"""Shut in what runs on this machine for an archive: it sees the files that it needs, and no more.

By Landlock, which Linux has from 5.13 on, and for which no rights are needed. A thread asks for it,
for itself and for all that it starts. What is shut in can neither read other files nor look at
other processes of the same user, as in /proc/PID/environ, and gets no more rights by sudo.
"""

import ctypes
import os
import struct
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from ...config.machine import library_directories

_T = TypeVar("_T")

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every processor
_ASK_FOR_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_NO_NEW_PRIVILEGES: Final = 38  # of prctl

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIRECTORY = (1 << n for n in range(4))
_REMOVE_DIRECTORY, _REMOVE_FILE = 1 << 4, 1 << 5
_MAKE_DIRECTORY, _MAKE_LINK = 1 << 7, 1 << 12
_TRUNCATE, _DEVICE_CONTROL = 1 << 14, 1 << 15
_READ: Final = _EXECUTE | _READ_FILE | _READ_DIRECTORY
_OF_A_FILE: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_CONTROL
# A directory there, for a socket whose path would be too long, is made and removed, and not read.
_SOCKETS: Final = _MAKE_DIRECTORY | _MAKE_LINK | _REMOVE_DIRECTORY | _REMOVE_FILE
_BIND_AND_CONNECT_TCP: Final = 3
_ABSTRACT_SOCKETS_AND_SIGNALS: Final = 3
# From this version on Landlock knows: moving between directories, truncating, TCP, devices, scopes.
_REFER_FROM, _TRUNCATE_FROM, _TCP_FROM, _DEVICES_FROM, _SCOPES_FROM = 2, 3, 4, 5, 6

_SYSTEM: Final = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr", "/etc", "/nix")
_SYSTEM_MORE: Final = ("/gnu", "/run/current-system", "/proc", "/sys/devices/system/cpu")
_DEVICES: Final = ("null", "zero", "full", "random", "urandom", "tty")


def readable(programs: Path) -> list[Path]:
    """What PostgreSQL's programs in that directory need of this machine."""
    real = {(programs / name).resolve().parent for name in ("postgres", "psql", "pg_restore")}
    beside = [each.parent / name for each in real for name in ("lib", "lib64", "share")]
    system = map(Path, (*_SYSTEM, *_SYSTEM_MORE))
    return [*system, programs, *real, *beside, *library_directories()]


def path(within: Iterable[Path]) -> str:
    """Of `PATH`, what lies there: a shell stops at a program that it finds and may not run."""
    roots = [each.resolve() for each in within]
    kept = [
        each
        for each in os.get_exec_path()
        if each.startswith("/") and any(Path(each).resolve().is_relative_to(root) for root in roots)
    ]
    return ":".join(kept) or "/usr/bin:/bin"


def started(start: Callable[[], _T], *, may_read: Iterable[Path], may_change: Path) -> _T:
    """Call it so that what it starts is shut in; raise OSError where this kernel cannot."""

    def shut_in() -> _T:
        _restrict(may_read, may_change)
        return start()

    # The thread stays shut in, so it is one that ends.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(shut_in).result()


def is_possible() -> bool:
    with suppress(OSError):
        return _version() > 0
    return False


def _restrict(may_read: Iterable[Path], may_change: Path) -> None:
    version = _version()
    everything = _all_rights(version)
    ruleset = _created(version, everything)
    try:
        for each in may_read:
            _allow(ruleset, each, _READ)
        for name in _DEVICES:
            _allow(ruleset, Path("/dev", name), everything)
        _allow(ruleset, Path("/tmp"), _SOCKETS)  # noqa: S108 - as the shell has it
        _allow(ruleset, may_change, everything)
        _call(_libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        _call(_libc().syscall(ctypes.c_long(_RESTRICT_SELF), ctypes.c_int(ruleset), 0))
    finally:
        os.close(ruleset)


def _version() -> int:
    if sys.platform != "linux":
        raise OSError("only Linux has it")
    return _call(
        _libc().syscall(ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), _ASK_FOR_VERSION)
    )


def _all_rights(version: int) -> int:
    number = 13 + (version >= _REFER_FROM) + (version >= _TRUNCATE_FROM)
    return (1 << number + (version >= _DEVICES_FROM)) - 1


def _created(version: int, rights: int) -> int:
    tcp = _BIND_AND_CONNECT_TCP if version >= _TCP_FROM else 0
    scopes = _ABSTRACT_SOCKETS_AND_SIGNALS if version >= _SCOPES_FROM else 0
    known = 1 + (version >= _TCP_FROM) + (version >= _SCOPES_FROM)
    asked = struct.pack("=3Q", rights, tcp, scopes)[: 8 * known]
    length = ctypes.c_size_t(len(asked))
    return _call(_libc().syscall(ctypes.c_long(_CREATE_RULESET), asked, length, 0))


def _allow(ruleset: int, what: Path, rights: int) -> None:
    """What is not there needs no rule."""
    with suppress(FileNotFoundError, NotADirectoryError):
        opened = os.open(what, os.O_PATH | os.O_CLOEXEC)
        try:
            known = rights & _all_rights(_version())
            rule = struct.pack("=Qi", known if what.is_dir() else known & _OF_A_FILE, opened)
            call = ctypes.c_long(_ADD_RULE)
            _call(_libc().syscall(call, ctypes.c_int(ruleset), _PATH_BENEATH, rule, 0))
        finally:
            os.close(opened)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
