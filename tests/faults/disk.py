"""The disk of the host: full at any moment, read-only, taken away, or not what it was."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from tests.faults.fault import Fault
from tests.faults.means import (
    Inject,
    as_root,
    disk,
    dumping,
    in_the_midst_of_the_dump,
    stubbed,
    with_settings,
)
from tests.faults.scene import Scene

GROUP = "The disk"

# To the last byte: of what is written at the end, too.
FILL = (
    """
dd if=/dev/zero of="{directory}/ballast" bs=4k
dd if=/dev/zero of="{directory}/ballast" bs=1 count=4k oflag=append conv=notrunc
""".strip().replace("\n", " 2>/dev/null; ")
    + " 2>/dev/null"
)


def small_disk(*options: str) -> Inject:
    @contextmanager
    def inject(scene: Scene) -> Iterator[None]:
        with disk(scene, *options):
            yield

    return inject


@contextmanager
def full_before(scene: Scene) -> Iterator[None]:
    with disk(scene, "size=4m"):
        as_root(scene, "sh", "-c", FILL.format(directory=scene.backup_dir) + "; true")
        yield


def full(program: str, moment: str, *, after: bool = False) -> Inject:
    """The disk is full when that program is called so, as the shell matches it; or after that."""

    @contextmanager
    def inject(scene: Scene) -> Iterator[None]:
        fill = FILL.replace("{directory}", str(scene.backup_dir))
        call = f'{{program}} "$@"; code=$?; {fill}; exit $code'
        if not after:
            call = f'{fill}; exec {{program}} "$@"'
        body = f'case "$*" in {moment}) {call} ;; *) exec {{program}} "$@" ;; esac'
        with disk(scene, "size=4m"), stubbed(**{program: body})(scene):
            yield

    return inject


@contextmanager
def no_inode(scene: Scene) -> Iterator[None]:
    used = len([*scene.backup_dir.rglob("*")]) + 1
    with disk(scene, "size=4m", f"nr_inodes={used + 8}"):
        yield


@contextmanager
def file_size_limit(scene: Scene) -> Iterator[None]:
    """Of all that the host's sshd starts."""
    before = resource.prlimit(scene.ssh.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(scene.ssh.pid, resource.RLIMIT_FSIZE, (65536, before[1]))
    yield
    resource.prlimit(scene.ssh.pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only_mount(scene: Scene) -> Iterator[None]:
    as_root(scene, "mount", "--bind", "-o", "ro", scene.backup_dir, scene.backup_dir)
    try:
        yield
    finally:
        as_root(scene, "umount", scene.backup_dir)


@contextmanager
def read_only_mode(scene: Scene) -> Iterator[None]:
    scene.backup_dir.chmod(0o500)
    yield
    scene.backup_dir.chmod(0o700)


@contextmanager
def others_may_look(scene: Scene) -> Iterator[None]:
    scene.backup_dir.chmod(0o755)
    yield
    scene.backup_dir.chmod(0o700)


def home_is(mode: int) -> Inject:
    """Of the account: where the directory is in."""

    @contextmanager
    def inject(scene: Scene) -> Iterator[None]:
        scene.ssh.home.chmod(mode)
        yield
        scene.ssh.home.chmod(0o700)

    return inject


def replaced_by_a_neighbours(scene: Scene, after: ExitStack) -> None:
    """Who takes what is written to him."""
    away = scene.backup_dir.with_name("away")
    scene.backup_dir.rename(away)
    after.callback(away.rename, scene.backup_dir)
    scene.backup_dir.mkdir()
    scene.backup_dir.chmod(0o777)
    os.chown(scene.backup_dir, scene.ssh.uid + 1, scene.ssh.uid + 1)
    for dump in away.glob("*.partial"):
        (scene.backup_dir / dump.name).touch(0o666)
    after.callback(shutil.rmtree, scene.backup_dir)
    after.callback(assert_empty, scene.backup_dir)


def assert_empty(directory: Path) -> None:
    assert [path for path in directory.iterdir() if path.stat().st_size] == []


def deleted(scene: Scene, after: ExitStack) -> None:
    """What is there afterwards comes from a copy: the next run is to find archives."""
    kept = scene.backup_dir.with_name("kept")
    subprocess.run(["cp", "-a", scene.backup_dir, kept], check=True)
    shutil.rmtree(scene.backup_dir)
    after.callback(kept.rename, scene.backup_dir)


def replaced_by_a_link(scene: Scene, after: ExitStack) -> None:
    away, elsewhere = (scene.backup_dir.with_name(name) for name in ("away", "elsewhere"))
    scene.backup_dir.rename(away)
    after.callback(away.rename, scene.backup_dir)
    elsewhere.mkdir(mode=0o700)
    os.chown(elsewhere, scene.ssh.uid, scene.ssh.uid)
    scene.backup_dir.symlink_to(elsewhere)
    after.callback(shutil.rmtree, elsewhere)
    after.callback(scene.backup_dir.unlink)


fault = partial(Fault, group=GROUP)
FAULTS = [
    fault(
        "it is full before the run begins",
        codes=(10,),
        inject=full_before,
        says=r"there is no room for the files of a run in \S+",
        needs=("root",),
    ),
    fault(
        "it has too little space for the dump",
        codes=(10,),
        inject=small_disk("size=330k"),
        says=r"too little space in \S+:",
        needs=("root",),
    ),
    fault(
        "it is full when the lock is taken",
        rare=True,
        codes=(10,),
        inject=full("flock", "*"),
        says=r"there is no room for the files of a run in \S+",
        needs=("root",),
    ),
    fault(
        "it is full when the dump begins",
        codes=(12,),
        inject=full("pg_dump", "*--snapshot*"),
        says=r"no space is left in \S+",
        needs=("root",),
    ),
    fault(
        "it is full when the checksum is taken",
        rare=True,
        codes=(13,),
        inject=full("sha256sum", "*"),
        says=r"\S+ could not be read to its end, or there was no room for its checksum",
        needs=("root",),
    ),
    fault(
        "it is full when the manifest is written",
        codes=(12,),
        inject=full("cat", "*/run.partial/facts"),
        says=r"the archive could not be given its name: its manifest could not be written",
        needs=("root",),
    ),
    fault(
        "it is full when the archive gets its name",
        codes=(0,),
        inject=full("mv", "*.dump"),
        says=r"Proven readable",
        needs=("root",),
    ),
    fault(
        "it is full when the archive has its name, and older ones are to go",
        codes=(0,),
        inject=full("mv", "*.dump", after=True),
        arguments=("--keep=2",),
        rotates=2,
        says=r"Proven readable",
        needs=("root",),
    ),
    fault(
        "no inodes are left",
        codes=(10,),
        inject=no_inode,
        says=r"there is no room for the files of a run in \S+",
        needs=("root",),
    ),
    fault(
        "files may not grow so far (ulimit -f)",
        rare=True,
        codes=(10,),
        inject=file_size_limit,
        says=r"files may not grow over 65536 bytes here \(ulimit -f\)",
        needs=("root",),
    ),
    fault(
        "the dump comes to the limit of a file's size (ulimit -f)",
        codes=(12,),
        inject=dumping('ulimit -f 40; exec {program} "$@"'),
        says=r"pg_dump ended with exit code \d+",
    ),
    fault(
        "it is read-only",
        rare=True,
        codes=(10,),
        inject=read_only_mount,
        says=r"this account cannot write to BACKUP_DIR \S+",
        unrecorded=True,
        needs=("root",),
    ),
    fault(
        "the directory is read-only",
        codes=(10,),
        inject=read_only_mode,
        says=r"this account cannot write to BACKUP_DIR \S+",
        unrecorded=True,
    ),
    fault(
        "others may look into the directory",
        codes=(10,),
        inject=others_may_look,
        says=r"other users of the host can look into BACKUP_DIR",
    ),
    *[
        fault(
            f"{who} may write to the directory that it is in",
            codes=(10,),
            inject=home_is(mode),
            says=r"BACKUP_DIR \S+ is not safe to use: others may write to",
        )
        for who, mode in (("others", 0o703), ("a group", 0o770), ("all, with setgid,", 0o2777))
    ],
    fault(
        "the directory is no directory",
        rare=True,
        codes=(10,),
        inject=with_settings(BACKUP_DIR="/dev/null"),
        says=r"BACKUP_DIR /dev/null is not there",
        unrecorded=True,
    ),
    fault(
        "the directory is deleted in the middle of the dump",
        codes=(12,),
        **in_the_midst_of_the_dump(deleted),
        says=r"\S+ was removed, or is another now",
    ),
    fault(
        "a link to another directory takes its place in the middle of the dump",
        codes=(12,),
        **in_the_midst_of_the_dump(replaced_by_a_link),
        says=r"\S+ was removed, or is another now",
    ),
    fault(
        "that of another user takes its place in the middle of the dump",
        rare=True,
        codes=(12,),
        **in_the_midst_of_the_dump(replaced_by_a_neighbours),
        says=r"\S+ was removed, or is another now",
        needs=("root",),
    ),
]
