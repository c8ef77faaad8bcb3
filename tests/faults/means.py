"""What faults are made of: programs that are others, small disks, sessions that are in the way."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypedDict

from sandbox.postgres import SUPERUSER
from tests.faults.fault import nothing
from tests.faults.scene import Run, Scene
from tests.integration.gate.test_interrupts import wait_for

Inject = Callable[[Scene], AbstractContextManager[None]]
Happens = Callable[[Scene, ExitStack], object]


class Midst(TypedDict):
    inject: Inject
    during: Callable[[Scene, Run], None]


def stubbed(**scripts: str | None) -> Inject:
    """Programs of the host that are others: the body of a shell script, or None for no program.

    In it, `{program}` is the program itself, and `$file` what `--file` names.
    """

    @contextmanager
    def inject(scene: Scene) -> Iterator[None]:
        for name, body in scripts.items():
            if body is None:
                (scene.bin / name).unlink()
            else:
                scene.stub(name, _FILE + body)
        yield
        scene._programs.restore()

    return inject


_FILE = """#!/bin/sh
for argument; do
    case $argument in --file=*) file=${argument#--file=} ;; esac
done
"""


def dumping(body: str) -> Inject:
    """A pg_dump that does this instead of a dump; what preflight asks of it, it answers."""
    real = 'exec {program} "$@"'
    return stubbed(pg_dump=f'case "$*" in *--snapshot*) {body} ;; *) {real} ;; esac\n')


# A real pg_dump whose reader stands still, so that it does, too, in the middle of its dump.
_STILL = """
mkfifo {here}.pipe
{program} "$@" --file={here}.pipe --compress=none --no-sync &
exec 8<{here}.pipe
head -c 4096 <&8 >"$file"
: >{here}.began
while [ ! -e {here}.go ]; do sleep 0.05; done
cat <&8 >>"$file"
exec 8<&-
wait $!
"""


def in_the_midst_of_the_dump(happens: Happens, prepare: Inject = nothing) -> Midst:
    """Of a fault: what happens once a part of the dump is written, and before the rest is.

    It is given what is to be closed after the run, too.
    """
    after: list[ExitStack] = []

    @contextmanager
    def inject(scene: Scene) -> Iterator[None]:
        with prepare(scene), dumping(_STILL)(scene), ExitStack() as stack:
            after.append(stack)
            yield

    def during(scene: Scene, run: Run) -> None:
        wait_for((scene.bin / "pg_dump.began").exists)
        happens(scene, after.pop())
        (scene.bin / "pg_dump.go").touch()

    return {"inject": inject, "during": during}


def with_settings(**settings: str | None) -> Inject:
    @contextmanager
    def inject(scene: Scene) -> Iterator[None]:
        before = dict(scene.settings)
        scene.settings.update(settings)
        yield
        scene.settings = before

    return inject


# The database


@contextmanager
def session(scene: Scene, sql: str, *, waits: bool = False) -> Iterator["subprocess.Popen[str]"]:
    """Another's session that has run this SQL, or waits to; it ends with the block."""
    where = f"host={scene.pg.data_dir.parent} port={scene.pg.port} user={SUPERUSER}"
    where += f" dbname={scene.settings['DB_NAME']} application_name=migration"
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    with subprocess.Popen(
        [scene.pg.bin_dir / "psql", "--no-psqlrc", "--quiet", where],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean,
        text=True,
    ) as psql:
        psql.stdin.write(f"{sql};\n\\echo done\n")
        psql.stdin.flush()
        if waits:
            wait_for(lambda: somebody_waits(scene))
        else:
            assert psql.stdout.readline() == "done\n"
        try:
            yield psql
        finally:
            end_sessions(scene, "application_name = 'migration'")
            with suppress(BrokenPipeError):
                psql.communicate("\\q\n", timeout=10)


def somebody_waits(scene: Scene) -> bool:
    return scene.pg.superuser("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0"


def end_sessions(scene: Scene, which: str) -> None:
    scene.pg.superuser(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {which}")  # noqa: S608


# Disks


def as_root(scene: Scene, *command: str | Path) -> str:
    """Run a program where the host's mounts are seen: the sandbox keeps them to itself."""
    enter = ["nsenter", f"--target={scene.ssh.pid}", "--mount", *command]
    done = subprocess.run(enter, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def disk(scene: Scene, *options: str) -> Iterator[None]:
    """A small disk for BACKUP_DIR, with all that is there; it is gone with the block."""
    here = scene.backup_dir
    away = here.with_name(f"{here.name}.away")
    here.rename(away)
    here.mkdir()
    owner = f"uid={scene.ssh.uid},gid={scene.ssh.uid},mode=0700"
    as_root(scene, "mount", "-t", "tmpfs", "-o", ",".join([owner, *options]), "tmpfs", here)
    try:
        as_root(scene, "cp", "-a", f"{away}/.", f"{here}/")
        yield
        copy = 'rm -rf "$1"/* && rm -f "$0/ballast" && cp -a "$0/." "$1/"'
        as_root(scene, "sh", "-c", copy, here, away)
    finally:
        as_root(scene, "umount", here)
        here.rmdir()
        away.rename(here)
