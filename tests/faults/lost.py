"""The connection that is lost: before, in the midst of, and after each stage of a run."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from tests.faults.fault import Fault
from tests.faults.scene import STAGES, Run, Scene
from tests.integration.cutting import Way
from tests.processes import wait_for

GROUP = "Connections that are lost"


def held(
    stage: str, *, when: str = "before", reconnect: int = 120
) -> Callable[[Scene], AbstractContextManager[None]]:
    """By a way that can be cut, to a host that waits in that stage, and so long for us."""

    @contextmanager
    def on_the_way(scene: Scene) -> Iterator[None]:
        scene.way = Way(scene.ssh.port)
        scene.go_by(scene.way.port)
        scene.settings["BACKUP_RECONNECT"] = str(reconnect)
        if stage == "rotate":
            scene.settings["MAX_BACKUPS"] = "3"
        scene.watch("pg_dump")
        scene.hold(stage, when=when)
        yield
        scene.release(stage)
        scene.way.end()

    return on_the_way


def told_once(scene: Scene, run: Run) -> None:
    """Each line of the log, in order; and one dump, not a second one, has begun."""
    done = run.end()
    assert done.returncode == 0, done.stderr
    log = max(scene.backup_dir.glob("backup-*.log")).read_text(encoding="utf-8").splitlines()
    assert [line for line in done.stderr.splitlines() if line in log] == log
    assert sum("--snapshot" in call for call in scene.calls("pg_dump")) == 1


def cut(stage: str) -> Callable[[Scene, Run], None]:
    def cut_in(scene: Scene, run: Run) -> None:
        scene.await_stage(stage, run)
        scene.way.cut()
        scene.way.await_connections(2)
        scene.release(stage)
        told_once(scene, run)

    return cut_in


def cut_thrice(scene: Scene, run: Run) -> None:
    scene.await_stage("dump", run)
    for number in (2, 3, 4):
        scene.way.cut()
        scene.way.await_connections(number)
    scene.release("dump")
    told_once(scene, run)


def kill_sshd(scene: Scene, run: Run) -> None:
    scene.await_stage("dump", run)
    before = scene.sessions()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: set(scene.sessions()) - set(before), 60)
    scene.release("dump")
    told_once(scene, run)


def fall_silent(scene: Scene, run: Run) -> None:
    scene.await_stage("dump", run)
    scene.way.fall_silent()
    scene.way.await_connections(2)
    scene.release("dump")
    told_once(scene, run)


def cut_for_20_seconds(scene: Scene, run: Run) -> None:
    """The time is the fault itself."""
    scene.await_stage("dump", run)
    scene.way.close()
    time.sleep(10)
    scene.release("dump")
    time.sleep(10)
    scene.way.open()
    told_once(scene, run)


def close_way(scene: Scene, run: Run) -> None:
    """And it stays so."""
    scene.await_stage("dump", run)
    scene.way.close()
    run.end()


def cut_for_good(stage: str) -> Callable[[Scene, Run], None]:
    """From a host that does not wait for us, or does not know of us yet."""

    def cut_in(scene: Scene, run: Run) -> None:
        scene.await_stage(stage, run)
        scene.way.cut()
        run.end()

    return cut_in


def cut_after(bytes_each_way: int) -> Callable[[Scene], AbstractContextManager[None]]:
    """Each connection, when it has carried that."""

    @contextmanager
    def by_a_short_way(scene: Scene) -> Iterator[None]:
        scene.way = Way(scene.ssh.port, bytes_each_way)
        scene.go_by(scene.way.port)
        scene.settings["BACKUP_RECONNECT"] = "3"
        yield
        scene.way.end()

    return by_a_short_way


fault = partial(Fault, group=GROUP)
BACK = "WARNING: the connection was lost; the run goes on on the host"
NOT_LEARNT = "the connection was lost, and it is not known how the run ended"
IN_EACH_RUN = (("dump", "before"), ("publish", "before"), ("rotate", "after"))
AFTER = [
    fault(
        f"it is cut when the stage {stage} {when}",
        codes=(0,),
        inject=held(stage, when=position),
        during=cut(stage),
        says=BACK,
        rotates=1 if stage == "rotate" else 0,
        rare=(stage, position) not in IN_EACH_RUN,
    )
    for stage in STAGES
    for position, when in (("before", "begins"), ("after", "has ended"))
    # The run is not known yet; and psql, which the preflight begins, stays until the end.
    if (stage, position) not in (("lock", "before"), ("preflight", "after"))
]
FAULTS = [
    fault(
        "it is cut in the midst of each login",
        codes=(3,),
        inject=cut_after(800),
        says="the SSH handshake fails",
        unrecorded=True,
    ),
    fault(
        "it is cut after each login",
        codes=(3,),
        inject=cut_after(6000),
        says="for 3 s each connection was lost again before the host had told more",
        unrecorded=True,
    ),
    fault(
        "it is cut before the run is known",
        codes=(3,),
        inject=held("lock"),
        during=cut_for_good("lock"),
        says=NOT_LEARNT,
    ),
    *AFTER,
    fault(
        "the session's sshd is killed",
        codes=(0,),
        inject=held("dump"),
        during=kill_sshd,
        says=BACK,
        needs=("root",),
    ),
    fault("it is cut three times", codes=(0,), inject=held("dump"), during=cut_thrice, says=BACK),
    fault(
        "packets get lost both ways, and nobody is told",
        codes=(0,),
        inject=held("dump"),
        during=fall_silent,
        says=BACK,
    ),
    fault(
        "for 20 s in the midst of the dump there is no way",
        rare=True,
        codes=(0,),
        inject=held("dump"),
        during=cut_for_20_seconds,
        says=BACK,
    ),
    fault(
        "the way stays closed for longer than BACKUP_RECONNECT",
        codes=(3,),
        inject=held("dump", reconnect=2),
        during=close_way,
        says=NOT_LEARNT,
    ),
    *[
        fault(
            f"it is cut in the stage {stage}, with BACKUP_RECONNECT=0",
            codes=(3,),
            inject=held(stage, reconnect=0),
            during=cut_for_good(stage),
            says="the connection was lost before the end",
            rare=stage != "dump",
        )
        for stage in ("preflight", "dump", "verify")
    ],
]
