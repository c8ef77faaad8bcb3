"""What holds after every fault, and after the run that comes next."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tests.faults.fault import KILLED, Fault
from tests.faults.scene import Run, Scene
from tests.project import PASSWORD

HOST_UNHEARD = (2, 11)  # codes of runs of which the host keeps no record
_DATABASES_AND_ROLES = """
    SELECT 'database ' || datname FROM pg_database
    UNION ALL SELECT 'role ' || rolname FROM pg_roles
    UNION ALL SELECT 'prepared ' || gid FROM pg_prepared_xacts
    UNION ALL SELECT 'session of ' || usename FROM pg_stat_activity WHERE usename = 'shop'
    UNION ALL SELECT 'lock ' || locktype FROM pg_locks WHERE locktype = 'advisory'
    ORDER BY 1
"""


@dataclass(frozen=True)
class Row:
    """What has come of a fault: a line of the table."""

    fault: Fault
    told: str
    status: str

    def __str__(self) -> str:
        code = " or ".join("killed" if each == KILLED else str(each) for each in self.fault.codes)
        cells = (self.fault.name, code, self.told or "-", self.status)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def check(scene: Scene, fault: Fault) -> Row:
    """Inject the fault into a run, and have another run after it; return what is told of it."""
    with fault.where(scene):
        return _checked(scene, fault)


def _checked(scene: Scene, fault: Fault) -> Row:
    before, earlier = _of_database(scene), _unharmed(scene, fault)
    with scene.set_back(), fault.inject(scene):
        run = scene.start(*fault.command, *fault.arguments)
        if fault.during:
            fault.during(scene, run)
        done = run.end()
    told = _told(scene, fault, done.returncode, done.stdout + done.stderr)
    scene.await_quiet()
    new = _intact(scene, fault, earlier)
    status = _status(scene, fault, done.returncode, earlier)
    _no_false_success(scene, fault, run, new)
    _next_run(scene, fault, earlier)
    assert _of_database(scene) == before
    _nothing_left(scene)
    return Row(fault, told, status)


def _unharmed(scene: Scene, fault: Fault) -> dict[str, str]:
    """The earlier archives that the fault itself leaves alone."""
    all_three = scene.archives()
    assert len(all_three) == 3
    return dict(sorted(all_three.items())[: 3 - fault.harms])


def _told(scene: Scene, fault: Fault, code: int, output: str) -> str:
    assert code in fault.codes, f"exit code {code}\n{output}"
    assert "Traceback" not in output
    assert PASSWORD not in output
    assert "PRIVATE KEY" not in output
    if not fault.says:
        return ""
    found = re.search(fault.says, output, re.DOTALL)
    assert found, f"not told: {fault.says}\n{output}"
    return " ".join(scene.stable(found[0]).split())


def _intact(scene: Scene, fault: Fault, earlier: dict[str, str]) -> list[str]:
    """Every earlier archive is, byte by byte; return the names of those that are new."""
    present = scene.archives()
    gone = earlier.keys() - present.keys()
    assert gone <= set(sorted(earlier)[: fault.rotates])
    assert {name: present[name] for name in present if name in earlier} == {
        name: earlier[name] for name in earlier.keys() - gone
    }
    return sorted(name for name in present if name not in earlier and "-v1." not in name)


def _status(scene: Scene, fault: Fault, code: int, earlier: dict[str, str]) -> str:
    """Of the run that has met the fault, or of one before if the host has not heard of this one."""
    asked = scene.fab("status", "--json")
    told = json.loads(asked.stdout)
    assert asked.returncode == (0 if told["good"] else 1), asked.stderr
    if not told["good"]:
        assert code != 0 or fault.harms
        return "not good"
    if told["last"]["archive"] in earlier:
        assert fault.unrecorded or code in HOST_UNHEARD, told
        return "of the run before"
    assert told["last"]["archive"] in scene.archives()
    return "good"


def _no_false_success(scene: Scene, fault: Fault, run: Run, new: list[str]) -> None:
    """What is there, or is handed over, is proven; and it is only where the run says so."""
    done = run.end()
    for name in new:
        proven = scene.fab("verify", f"--file={name}")
        assert proven.returncode == 0, proven.stderr
    handed_over = re.findall(r"(?m)^archive=(.+)$", run.outputs())
    if done.returncode == 0 and fault.command[0] == "predeploy":
        assert handed_over
        assert set(handed_over) <= set(new)
        assert handed_over[0] in done.stdout
    else:
        assert run.outputs() == ""
        assert "roll back to" not in done.stdout
        assert "Proven readable" not in done.stdout


def _next_run(scene: Scene, fault: Fault, earlier: dict[str, str]) -> None:
    done = scene.fab("predeploy", "--version=v3.0.0")
    assert done.returncode == 0, done.stderr
    present = scene.archives()
    kept = sorted(earlier)[fault.rotates + 1 if fault.rotates else 0 :]
    assert {name: present.get(name) for name in kept} == {name: earlier[name] for name in kept}


def _of_database(scene: Scene) -> str:
    return scene.pg.superuser(_DATABASES_AND_ROLES)


def _nothing_left(scene: Scene) -> None:
    scene.await_quiet()
    assert list(scene.backup_dir.glob("**/*.partial")) == []
    assert list(scene.backup_dir.glob("**/*.new")) == []
    for path in scene.backup_dir.iterdir():
        _without_secrets(path)


def _without_secrets(path: Path) -> None:
    content = path.read_bytes()
    assert PASSWORD.encode() not in content
    assert b"PRIVATE KEY" not in content
