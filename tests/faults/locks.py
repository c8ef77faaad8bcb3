"""One run at a time: what becomes of the others, and of a lock whose holder is gone."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from tests.faults.fault import Fault
from tests.faults.scene import Run, Scene
from tests.processes import wait_for

GROUP = "Several runs, and locks"


@contextmanager
def another_at_work(scene: Scene) -> Iterator[None]:
    """In the midst of its dump; and it comes to a good end."""
    scene.hold("dump")
    other = scene.start("predeploy", "--version=v2.1.0")
    scene.await_stage("dump", other)
    yield
    scene.release("dump")
    assert other.end().returncode == 0


@contextmanager
def another_left_alone(scene: Scene) -> Iterator[None]:
    scene.hold("dump")
    other = scene.start("predeploy", "--version=v2.1.0")
    scene.await_stage("dump", other)
    other.process.kill()
    wait_for((scene.backup_dir / "run.partial" / "alone").exists, 60)
    yield
    scene.release("dump")
    scene.await_quiet()


@contextmanager
def another_to_wait_for(scene: Scene) -> Iterator[None]:
    scene.watch("flock")
    scene.settings["BACKUP_LOCK_WAIT"] = "60"
    with another_at_work(scene):
        yield


def let_the_other_end(scene: Scene, run: Run) -> None:
    """Once this one has met its lock."""
    wait_for(lambda: "-s -n 9" in scene.calls("flock"), 60)
    scene.release("dump")
    run.end()


def killed(stage: str) -> Callable[[Scene], AbstractContextManager[None]]:
    """A run before, of which nothing is left on the host but its files."""

    @contextmanager
    def left_its_files(scene: Scene) -> Iterator[None]:
        for _ in range(3):  # on a busy machine, one that is killed last may clear up before
            scene.hold(stage)
            other = scene.start("predeploy", "--version=v2.1.0", BACKUP_RECONNECT="0")
            scene.await_stage(stage, other)
            scene.kill_all()
            assert other.end().returncode != 0
            scene.release(stage)
            scene.await_quiet()  # what was forked at that very moment has outlived it
            if list(scene.backup_dir.glob("*.partial")):
                break
        assert list(scene.backup_dir.glob("*.partial"))
        yield

    return left_its_files


@contextmanager
def no_locks(scene: Scene) -> Iterator[None]:
    """As flock(1) ends on some network file systems."""
    scene.stub("flock", "#!/bin/sh\necho 'flock: 9: No locks available' >&2\nexit 71\n")
    yield
    scene.stub("flock", '#!/bin/sh\nexec {program} "$@"\n')


@contextmanager
def many_are_kept(scene: Scene) -> Iterator[None]:
    """However many runs succeed, nothing is to be rotated."""
    scene.settings["MAX_BACKUPS"] = "20"
    yield


def at_once(number: int) -> Callable[[Scene, Run], None]:
    """Each ends well, or is told that another is at work; and what it says of itself is true."""

    def others(scene: Scene, run: Run) -> None:
        runs = [scene.start("predeploy", f"--version=v2.{n}.0") for n in range(1, number)]
        codes = [each.end().returncode for each in (*runs, run)]
        assert set(codes) <= {0, 11}, [each.end().stderr for each in (*runs, run)]
        assert 0 in codes
        assert len(scene.archives()) == 3 + codes.count(0)
        for each in runs:
            assert ("archive=" in each.outputs()) == (each.end().returncode == 0)
            assert each.end().returncode == 0 or "another run is at work" in each.end().stderr

    return others


def in_turn(number: int) -> Callable[[Scene, Run], None]:
    def others(scene: Scene, run: Run) -> None:
        versions = (f"--version=v2.{n}.0" for n in range(1, number))
        runs = [scene.start("predeploy", version, "--lock-wait=60") for version in versions]
        assert {each.end().returncode for each in (*runs, run)} == {0}
        assert len(scene.archives()) == 3 + number

    return others


fault = partial(Fault, group=GROUP)
FAULTS = [
    fault(
        "another run is at work",
        codes=(11,),
        inject=another_at_work,
        says=r"another run is at work: predeploy for",
    ),
    fault(
        "another run is at work, whose client is gone",
        codes=(11,),
        inject=another_left_alone,
        says=r"its client is gone since \S+, and unless that comes back it stops",
    ),
    fault(
        "another run is at work, and ends while BACKUP_LOCK_WAIT lets us wait",
        codes=(0,),
        where=many_are_kept,
        inject=another_to_wait_for,
        during=let_the_other_end,
        says="waiting up to 60 s for another run: predeploy for",
    ),
    *[
        fault(
            f"the run before was killed in its stage {stage}, with all that it had begun",
            codes=(0,),
            inject=killed(stage),
            says="Proven readable",
            needs=("root",),
        )
        for stage in ("dump", "verify", "publish")
    ],
    fault(
        "the disk knows no locks",
        codes=(10,),
        inject=no_locks,
        says=r"flock cannot lock in \S+ \(exit code 71\)",
        unrecorded=True,
    ),
    fault(
        "two runs at once",
        rare=True,
        codes=(0, 11),
        where=many_are_kept,
        during=at_once(2),
        says="",
    ),
    fault(
        "ten runs at once",
        codes=(0, 11),
        where=many_are_kept,
        during=at_once(10),
        says="",
    ),
    fault(
        "three runs at once, with BACKUP_LOCK_WAIT",
        rare=True,
        codes=(0,),
        where=many_are_kept,
        arguments=("--lock-wait=60",),
        during=in_turn(3),
        says="Proven readable",
    ),
]
