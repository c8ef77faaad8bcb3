"""At random moments of runs somebody who takes part is killed, or the connection is cut.

`make fuzz SEED=7 ROUNDS=500`; `ROUNDS=41-41` plays one round again.
"""

import os
import random
import shutil
from pathlib import Path

import pytest

from sandbox.postgres import create_owner, postgres
from sandbox.sshd import available, openssh
from sandbox.wheels import embedded
from sandbox.workspace import workspace
from tests.integration.cutting import way_to
from tests.project import PASSWORD, Project

from .arena import DATABASE, OWNER, PREDEPLOY, TASKS, Arena
from .blows import drawn
from .fight import Fight
from .holding import Holding

pytestmark = pytest.mark.skipif(not available(), reason="kills the processes of OpenSSH's sshd")

SEED = os.environ.get("FUZZ_SEED", "1")
ROUNDS = os.environ.get("FUZZ_ROUNDS", "5")
BOUND_SECONDS = 60
STORIES = Path(__file__).parents[2] / ".cache" / "fuzz"


def numbers():
    first, _, last = ROUNDS.rpartition("-")
    return range(int(first or 1), int(last) + 1)


@pytest.fixture(scope="module")
def arena(tmp_path_factory):
    directory = tmp_path_factory.mktemp("project")
    (directory / "config").mkdir()
    (directory / "fabfile.py").write_text("from fabric_predeploy.tasks import namespace\n")
    with (
        workspace() as ground,
        postgres(embedded(), ground, settings={"fsync": "off"}) as pg,
        openssh(ground) as ssh,
        way_to(ssh) as way,
    ):
        create_owner(pg, role=OWNER, password=PASSWORD, database=DATABASE)
        backup_dir = ssh.home / "b0"
        profile = {
            "SSH_HOST": ssh.host,
            "SSH_PORT": str(ssh.port),
            "SSH_USER": ssh.user,
            "DB_NAME": DATABASE,
            "DB_USER": OWNER,
            "DB_HOST": pg.host,
            "DB_PORT": str(pg.port),
            "DB_BIN_DIR": str(pg.bin_dir),
            "BACKUP_DIR": str(backup_dir),
        }
        secrets = {
            "SSH_PRIVATE_KEY": ssh.private_key,
            "SSH_KNOWN_HOSTS": ssh.known_hosts_line,
            "DB_PASSWORD": PASSWORD,
        }
        yield Arena(Project(directory, pg, ssh, secrets, backup_dir, profile), way)


@pytest.mark.parametrize("number", numbers())
def test_whoever_dies_in_the_middle_nothing_false_is_told_and_nothing_harmed(
    arena, number, record_property
):
    rng = random.Random(f"{SEED} {number}")  # noqa: S311 - to be had again
    name = rng.choice(list(TASKS))
    task, usual = TASKS[name], arena.learn(name)
    blows = [drawn(rng, usual["stages"]) for _ in range(rng.choice([1, 1, 1, 2, 3]))]

    project = arena.renew(task)
    run = arena.start(project, task)
    fight = Fight(arena.host, arena.way, run, blows, usual, project.backup_dir / "run.report")
    ended = fight.go_on(rng, BOUND_SECONDS)
    if run.poll() is None:
        run.kill()
    output, errors = run.communicate()
    record_property("fuzz", (name, run.returncode, len(fight.struck), len(blows)))

    holding = Holding(arena, project, task)
    if not ended:
        holding.say(f"after {BOUND_SECONDS} s the run is still at work: {arena.host.ours()}")
    client_was_hit = any(blow.whom == "client" for blow in fight.struck)
    holding.after(run.returncode, output, errors, client_was_hit=client_was_hit)
    following = arena.start(project, PREDEPLOY)
    told = following.communicate(timeout=60)[1]
    holding.after_next(following.returncode, told, fight.sockets)

    told_of = [
        f"make fuzz SEED={SEED} ROUNDS={number}-{number}: {name}, exit code {run.returncode}",
        *(f"- {wrong}" for wrong in holding.wrong),
        "Dealt:",
        *fight.story,
        "Not dealt:",
        *map(str, fight.pending),
        "Told:",
        errors,
        output,
        "Told by the next run:",
        told,
        *holding.logs(),
    ]
    if holding.wrong:  # a run of hours tells only at its end
        STORIES.mkdir(parents=True, exist_ok=True)
        (STORIES / f"{SEED}-{number}.txt").write_text("\n".join(told_of), encoding="utf-8")
        arena.holds = None  # so that the next round does not find what this one has left
    assert not holding.wrong, "\n".join(told_of)
    shutil.rmtree(project.backup_dir)
