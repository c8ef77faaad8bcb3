"""A new step is two files and its test: tried in a copy of the checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
STEP = """#!/bin/sh
# Tell whose files are in the directory of archives.
: "${client:?}" "${db_user:?}"
# after lock: log_stamp
# tells: greeting
# fails: 16
# shows: greeting

fact greeting "$client greets $db_user at $log_stamp"
rm -rf "${backup_path:?}"
false
"""
RECIPE = """

def greeting(settings: Settings, client: str) -> list[Step]:
    return [rules.lock(settings, create=True), step("greet", settings, client=client)]
"""
TEST = """
from fabric_predeploy.remote import recipes
from fabric_predeploy.remote._door import contract
from fabric_predeploy.remote.steps import shown

def test_the_step_greets_and_breaks_with_the_code_that_it_says(host):
    report = host.run(*recipes.greeting(host.settings, "fab"))
    assert report.code == 16
    assert 'the step greet ended' in report.of("result")["reason"]
    assert shown("greet") == "greeting"
"""


def copied(to: Path) -> Path:
    checkout = to / "fabric_predeploy"
    shutil.copytree(
        ROOT, checkout, ignore=shutil.ignore_patterns(".git", ".venv", ".cache", "docs")
    )
    return checkout


def tried(checkout: Path, *tests: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(checkout.parent)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    return subprocess.run(
        [*command, "-k", "not bash and not busybox", *tests],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def added(checkout: Path, step: str = STEP) -> None:
    (checkout / "remote/steps/look/greet.sh").write_text(step)
    recipes = checkout / "remote/recipes.py"
    recipes.write_text(recipes.read_text() + RECIPE)
    (checkout / "tests/steps/test_greet.py").write_text(TEST)


def test_a_step_runs_with_its_file_and_a_recipe_alone(tmp_path):
    checkout = copied(tmp_path)
    added(checkout)
    done = tried(checkout, "tests/steps/test_greet.py")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "1 passed" in done.stdout
