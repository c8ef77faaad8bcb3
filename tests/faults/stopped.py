"""Whoever runs fab stops it, in each stage: by Ctrl-C, by the end of a CI's job, or by force."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from tests.faults.fault import KILLED, Fault
from tests.faults.scene import STAGES, Run, Scene
from tests.processes import wait_for

GROUP = "fab is stopped"
# Their programs run in the foreground: the host heeds a signal after them.
HEEDED_LATER = ("lock", "publish", "rotate")


def held(stage: str, *, reconnect: int = 0) -> Callable[[Scene], AbstractContextManager[None]]:
    """What comes after the lock is held, too: a run that is to stop does not get past it."""

    @contextmanager
    def waits(scene: Scene) -> Iterator[None]:
        stages = [stage, "preflight"] if stage == "lock" else [stage]
        scene.settings["BACKUP_RECONNECT"] = str(reconnect)
        if stage == "rotate":
            scene.settings["MAX_BACKUPS"] = "3"
        for each in stages:
            scene.hold(each)
        yield
        for each in stages:
            scene.release(each)

    return waits


def stop_by(number: signal.Signals, stage: str) -> Callable[[Scene, Run], None]:
    def stopped(scene: Scene, run: Run) -> None:
        scene.await_stage(stage, run)
        run.signal(number)
        if stage == "lock":
            scene.release(stage)
        elif stage in HEEDED_LATER:
            wait_for(lambda: list(scene.backup_dir.glob("run.partial/stop.*")), 60)
            scene.release(stage)
        run.end()
        scene.await_quiet()

    return stopped


def leave_alone(scene: Scene, run: Run) -> None:
    """The host waits for us, and comes to its end before it gives us up."""
    scene.await_stage("dump", run)
    run.signal(signal.SIGKILL)
    run.end()
    wait_for((scene.backup_dir / "run.partial" / "alone").exists, 60)
    scene.release("dump")
    scene.await_quiet()


def kill_shell(scene: Scene, run: Run) -> None:
    """As a host does that is out of memory."""
    scene.await_stage("dump", run)
    told = (scene.backup_dir / "run.report").read_text(encoding="utf-8")
    os.kill(int(told.split("process=")[1].split()[0]), signal.SIGKILL)
    run.end()
    scene.await_quiet()


def kill_all(scene: Scene, run: Run) -> None:
    """As a host does that is switched off."""
    scene.await_stage("dump", run)
    scene.kill_all()
    run.end()


@contextmanager
def deadline(scene: Scene) -> Iterator[None]:
    scene.options = ("--command-timeout=4",)
    with held("dump")(scene):
        yield


SIGNALS = {
    "SIGINT": ((130,), "interrupted at the client"),
    "SIGTERM": ((130,), "interrupted at the client"),
    "SIGKILL": ((KILLED,), ""),
}
IN_EACH_RUN = (
    ("SIGINT", "lock"),
    ("SIGKILL", "preflight"),
    ("SIGINT", "dump"),
    ("SIGTERM", "verify"),
    ("SIGINT", "publish"),
    ("SIGKILL", "publish"),
    ("SIGTERM", "rotate"),
)
fault = partial(Fault, group=GROUP)
FAULTS = [
    *[
        fault(
            f"{name} in the stage {stage}",
            codes=codes,
            inject=held(stage),
            during=stop_by(signal.Signals[name], stage),
            says=says,
            rotates=1 if stage == "rotate" else 0,
            rare=(name, stage) not in IN_EACH_RUN,
        )
        for stage in STAGES
        for name, (codes, says) in SIGNALS.items()
    ],
    fault(
        "SIGKILL in the stage dump, and the host goes on",
        codes=(KILLED,),
        inject=held("dump", reconnect=120),
        during=leave_alone,
        says="",
    ),
    fault(
        "fab's -T has run out",
        codes=(130,),
        inject=deadline,
        says="stopped after the 4 s that fab's -T allows",
    ),
    fault(
        "the host's shell is killed",
        codes=(1,),
        inject=held("dump"),
        during=kill_shell,
        says="the shell on the host was killed during the run",
    ),
    fault(
        "all that runs on the host is killed",
        codes=(3,),
        inject=held("dump"),
        during=kill_all,
        says="the connection was lost before the end",
        needs=("root",),
    ),
]
