"""The test restore in a server of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.faults.disk import FILL
from tests.faults.fault import Fault
from tests.faults.means import Inject, disk, stubbed
from tests.faults.scene import Scene

GROUP = "The test restore"

SERVER = "$(head -n 1 {directory}/run.partial/cluster/data/postmaster.pid)"


def drilling(**scripts: str) -> Inject:
    """With the programs of a server there; `{directory}` is BACKUP_DIR."""

    @contextmanager
    def inject(scene: Scene) -> Iterator[None]:
        for name in {"initdb", "postgres"} - scripts.keys():
            (scene.bin / name).symlink_to(scene.pg.bin_dir / name)
        here = str(scene.backup_dir)
        bodies = {name: body.replace("{directory}", here) for name, body in scripts.items()}
        with stubbed(**bodies)(scene):
            yield

    return inject


def filling(body: str) -> Inject:
    """When the data are to be restored, this happens first."""
    first = f'case "$*" in *--dbname=*--jobs=*) {body} ;; esac'
    return drilling(pg_restore=first + '; exec {program} "$@"')


@contextmanager
def full(scene: Scene) -> Iterator[None]:
    with disk(scene, "size=300m"), filling(FILL)(scene):
        yield


fault = partial(Fault, group=GROUP, arguments=("--proof=restored",))
FAULTS = [
    fault(
        "initdb fails",
        codes=(10,),
        inject=drilling(initdb="echo 'initdb: error: invalid locale' >&2; exit 1"),
        says=r"initdb could not make a server for the test restore: initdb: error: invalid locale",
    ),
    fault(
        "the server of its own does not start",
        codes=(10,),
        inject=drilling(postgres="echo 'FATAL:  could not map shared memory' >&2; exit 1"),
        says=r"the server for the test restore did not start: FATAL:  could not map shared memory",
    ),
    fault(
        "its server is killed in the middle (SIGKILL)",
        codes=(13,),
        inject=filling(f"kill -KILL {SERVER}"),
        says=r"the test restore of the dump failed: pg_restore ended with exit code 1",
    ),
    fault(
        "the disk is full in the middle",
        codes=(13,),
        inject=full,
        says=r"no space is left in \S+ for the test restore of the dump",
        needs=("root",),
    ),
    fault(
        "pg_restore is killed in the middle (SIGKILL)",
        codes=(13,),
        inject=filling("kill -KILL $$"),
        says=r"the test restore of the dump failed: pg_restore ended with exit code 137",
    ),
]
