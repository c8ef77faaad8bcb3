"""Where archives lie on this machine while they are tried: one directory each, ours alone."""

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ...config.errors import LockedError, PreflightError
from ...config.machine import cache_directory
from .local_host import account

_KEY_LENGTH: Final = 16
_KEY: Final = frozenset("0123456789abcdef")


def base() -> Path:
    """Raise PreflightError (10) if the directory cannot be made, or if others could change it."""
    directory = cache_directory()
    try:
        directory.mkdir(mode=0o711 if account() else 0o700, parents=True, exist_ok=True)
        told = directory.lstat()
    except OSError as error:
        raise _unusable(directory, f"cannot be made ({error.strerror})") from None
    if not stat.S_ISDIR(told.st_mode) or told.st_uid != os.geteuid() or told.st_mode & 0o022:
        raise _unusable(directory, "is no directory that we alone may write to")
    open_one = _open_to_others(directory)
    if open_one:
        raise _unusable(directory, f"could be exchanged by others, who may change {open_one}")
    closed = _closed_to_others(directory) if account() else None
    if closed:
        raise _unusable(directory, f"is out of reach for the user nobody, who cannot pass {closed}")
    return directory


def _unusable(directory: Path, why: str) -> PreflightError:
    return PreflightError(
        f"on this machine {directory} {why}: there an archive lies while it is tried",
        remedy="name another place with XDG_CACHE_HOME.",
    )


def _open_to_others(directory: Path) -> Path | None:
    """What somebody else could put another in the place of; as directory.sh judges a host's."""
    for each in directory.resolve().parents:
        told = each.stat()
        writable = told.st_mode & 0o022 and not told.st_mode & stat.S_ISVTX
        if writable or told.st_uid not in (0, os.geteuid()):
            return each
    return None


def _closed_to_others(directory: Path) -> Path | None:
    way = [directory, *directory.parents]
    return next((each for each in way if not each.stat().st_mode & 0o001), None)


def reachable(directory: Path) -> bool:
    """Whether the user as whom the server runs may enter the directory."""
    return not account() or _closed_to_others(directory.resolve()) is None


@contextmanager
def taken(sha256: str, wait_seconds: int) -> Iterator[Path]:
    """Make an empty directory for that archive, for one run at a time, and remove it at the end."""
    directory = base() / sha256[:_KEY_LENGTH]
    deadline = time.monotonic() + wait_seconds
    while (lock := _locked(directory)) is None:
        if time.monotonic() >= deadline:
            raise LockedError(
                f"another fab on this machine is trying that archive, in {directory}",
                remedy=("wait for it, or let this one wait with BACKUP_LOCK_WAIT=<seconds>."),
            )
        time.sleep(0.5)
    try:
        if (directory / "run.partial").exists():
            raise LockedError(
                f"an earlier test restore is still at work in {directory}",
                remedy="wait for its end, or end it, and remove that directory.",
            )
        _empty(directory)
        try:
            yield directory
        finally:
            remove(directory)
    finally:
        os.close(lock)


def _empty(directory: Path) -> None:
    """Of a run that was killed, nothing is used again: it had handed the directory over."""
    if os.geteuid() == 0:
        os.chown(directory, os.geteuid(), os.getegid(), follow_symlinks=False)
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def hand_over(directory: Path) -> None:
    """To those as whom the server is to run."""
    directory.chmod(0o700)
    who = account()
    if who:
        _own(directory, who.pw_uid, who.pw_gid)


def _own(directory: Path, user: int, group: int) -> None:
    if os.geteuid() != 0:
        return
    os.chown(directory, user, group, follow_symlinks=False)
    for parent, directories, files in os.walk(directory):
        for name in [*directories, *files]:
            os.chown(Path(parent, name), user, group, follow_symlinks=False)


def _locked(directory: Path) -> int | None:
    """Return the lock of this directory; None if it is taken, or the directory was removed."""
    directory.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    with suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), directory.lstat()):
            return lock
    os.close(lock)
    return None


def remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def left_behind() -> Iterator[list[Path]]:
    """Directories of runs that were killed at work, for who can end what they may have left.

    All others that nobody is at work in are removed.
    """
    locks, unfinished = list[int](), list[Path]()
    try:
        for directory in sorted(base().iterdir()):
            if len(directory.name) != _KEY_LENGTH or not _KEY.issuperset(directory.name):
                continue
            lock = _locked(directory)
            if lock is None:
                continue
            locks.append(lock)
            if (directory / "run.partial").exists():
                unfinished.append(directory)
            else:
                remove(directory)
        yield unfinished
    finally:
        for lock in locks:
            os.close(lock)
