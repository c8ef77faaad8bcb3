"""The package `remote`, whose steps are loaded when they are used."""

import subprocess
import sys

THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from fabric_predeploy.tasks import namespace

steps = sys.modules["fabric_predeploy.tasks._gate.recipe"].steps
assert "fabric_predeploy.remote.steps" not in sys.modules
together = Barrier(8)

def ask(_):
    together.wait()
    return steps.prune().name

with ThreadPoolExecutor(8) as pool:
    assert set(pool.map(ask, range(8))) == {"prune"}
"""


def test_threads_that_ask_for_the_steps_at_once_each_get_them():
    done = subprocess.run(
        [sys.executable, "-c", THREADS], capture_output=True, check=False, encoding="utf-8"
    )
    assert (done.returncode, done.stderr) == (0, "")
