"""The package `remote`, whose lists of steps are loaded when they are used."""

import subprocess
import sys

THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from fabric_predeploy.tasks import namespace

recipes = sys.modules["fabric_predeploy.tasks.verify"].recipes
assert "fabric_predeploy.remote.recipes" not in sys.modules
together = Barrier(8)

def ask(_):
    together.wait()
    return recipes.listing()[0].name

with ThreadPoolExecutor(8) as pool:
    assert set(pool.map(ask, range(8))) == {"catalog"}
"""


def test_threads_that_ask_for_the_recipes_at_once_each_get_them():
    done = subprocess.run(
        [sys.executable, "-c", THREADS], capture_output=True, check=False, encoding="utf-8"
    )
    assert (done.returncode, done.stderr) == (0, "")
