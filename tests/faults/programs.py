"""The programs of the host: not there, too old, killed, hanging, or not saying what they did."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.faults.fault import Fault
from tests.faults.means import Inject, as_root, dumping, stubbed
from tests.faults.scene import Run, Scene
from tests.integration.gate.test_interrupts import wait_for

GROUP = "The programs on the host"

HALF = """
{program} "$@"
half=$(($(wc -c <"$file") / 2))
head -c "$half" "$file" >"$file.half"
mv "$file.half" "$file"
"""
HANGS = ": >{here}.began; exec sleep 300"
OF_ANOTHER = """
for argument; do
    shift
    case $argument in --snapshot=*) ;; *) set -- "$@" "$argument" ;; esac
done
PGDATABASE=postgres exec {program} "$@"
"""
WARNS = 'echo "pg_dump: warning: could not resolve dependency loop" >&2; exec {program} "$@"'
OLD = 'case $1 in --version) echo "pg_dump (PostgreSQL) 13.23" ;; *) exec {program} "$@" ;; esac'


def restoring(body: str) -> Inject:
    """A pg_restore that does this where it is to decode the dump."""
    real = 'exec {program} "$@"'
    return stubbed(pg_restore=f'case "$*" in *--file=/dev/null*) {body} ;; *) {real} ;; esac')


@contextmanager
def killed_psql(scene: Scene) -> Iterator[None]:
    """That of our conversation, by its number, when pg_dump begins."""
    kill = 'kill -KILL "$(tail -n 1 "${0%/*}/psql.pid")"; exec {program} "$@"'
    with (
        stubbed(psql='echo $$ >>{here}.pid; exec {program} "$@"')(scene),
        dumping(kill)(scene),
    ):
        yield


@contextmanager
def without_flock(scene: Scene) -> Iterator[None]:
    """It is no program any more, wherever the host looks for it."""
    where = as_root(scene, "sh", "-c", "readlink -f $(command -v flock)").strip()
    as_root(scene, "mount", "--bind", "/dev/null", where)
    try:
        yield
    finally:
        as_root(scene, "umount", where)


def stop_it(scene: Scene, run: Run) -> None:
    wait_for((scene.bin / "pg_dump.began").exists)
    run.signal(signal.SIGTERM)


fault = partial(Fault, group=GROUP)
NOT_FOUND = r"pg_dump, pg_restore and psql were not found together in \S+"
FAULTS = [
    fault("no pg_dump", codes=(10,), inject=stubbed(pg_dump=None), says=NOT_FOUND),
    fault("no pg_restore", rare=True, codes=(10,), inject=stubbed(pg_restore=None), says=NOT_FOUND),
    fault("no psql", rare=True, codes=(10,), inject=stubbed(psql=None), says=NOT_FOUND),
    fault(
        "no flock",
        codes=(10,),
        inject=without_flock,
        says=r"there is no program flock",
        unrecorded=True,
        needs=("root",),
    ),
    fault(
        "a pg_dump that is older than the server",
        codes=(10,),
        inject=stubbed(pg_dump=OLD),
        says=r"the programs here are older: 13\.23",
    ),
    fault(
        "pg_dump is killed in the middle (SIGKILL)",
        codes=(12,),
        inject=dumping(f"{HALF} kill -KILL $$"),
        says=r"pg_dump ended with exit code 137",
    ),
    fault(
        "pg_dump crashes in the middle (SIGSEGV)",
        rare=True,
        codes=(12,),
        inject=dumping(f"{HALF} ulimit -c 0; kill -SEGV $$"),
        says=r"pg_dump ended with exit code 139",
    ),
    fault(
        "pg_dump exits 0 and has written no file",
        rare=True,
        codes=(12,),
        inject=dumping("exit 0"),
        says=r"pg_dump ended well but wrote nothing",
    ),
    fault(
        "pg_dump exits 0 and has written nothing into its file",
        codes=(12,),
        inject=dumping(': >"$file"'),
        says=r"pg_dump ended well but wrote nothing",
    ),
    fault(
        "pg_dump exits 0 and has written one half",
        codes=(13,),
        inject=dumping(HALF),
        says=r"pg_restore could not decode \S+ \(exit code 1\): [^\n]+",
    ),
    fault(
        "pg_dump exits 0 and has dumped another database",
        codes=(13,),
        inject=dumping(OF_ANOTHER),
        says=r"the dump is of the database postgres, not of shop",
    ),
    fault(
        "pg_dump warns of something",
        codes=(0,),
        inject=dumping(WARNS),
        says=r"pg_dump: warning: could not resolve dependency loop",
    ),
    fault(
        "pg_dump hangs, until the deadline of fab (-T)",
        rare=True,
        codes=(130,),
        inject=dumping(HANGS),
        command=("-T", "3", "predeploy", "--version=v2.0.0"),
        says=r"stopped after the 3 s that fab's -T allows",
    ),
    fault(
        "pg_dump hangs, until the CI job is cancelled (SIGTERM)",
        codes=(130,),
        inject=dumping(HANGS),
        during=stop_it,
        says=r"interrupted",
    ),
    fault(
        "pg_restore fails",
        rare=True,
        codes=(13,),
        inject=restoring("echo 'pg_restore: error: out of memory' >&2; exit 1"),
        says=r"pg_restore could not decode \S+ \(exit code 1\): pg_restore: error: out of memory",
    ),
    fault(
        "pg_restore is killed (SIGKILL)",
        codes=(13,),
        inject=restoring("kill -KILL $$"),
        says=r"pg_restore could not decode \S+ \(exit code 137\)",
    ),
    fault(
        "psql is killed while it counts rows (SIGKILL)",
        codes=(12,),
        inject=killed_psql,
        says=r"pg_dump ended with exit code 1: pg_dump: error: query failed",
    ),
    fault(
        "the program for checksums fails",
        codes=(13,),
        inject=stubbed(sha256sum="exit 1"),
        says=r"could not be read to its end",
    ),
    fault(
        "the program for checksums says nothing",
        rare=True,
        codes=(13,),
        inject=stubbed(sha256sum="exit 0"),
        says=r"the checksum of the dump could not be taken",
    ),
]
