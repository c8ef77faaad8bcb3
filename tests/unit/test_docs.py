"""What README and help texts must not lag behind."""

import inspect
import re
from pathlib import Path

import pytest
from fabric_predeploy.config import errors
from fabric_predeploy.config.settings import VARIABLES
from fabric_predeploy.tasks import namespace

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TASKS = namespace.tasks.values()


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_stands_in_the_table_of_settings(variable):
    assert re.search(rf"^\|.*`{variable}`.*\|$", README, re.MULTILINE)


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_stands_in_the_shipped_profile(variable):
    assert variable in (ROOT / "config" / "siteground.env").read_text(encoding="utf-8")


@pytest.mark.parametrize("failure", errors.PredeployError.__subclasses__())
def test_every_exit_code_stands_in_the_table_of_exit_codes(failure):
    assert f"| {failure.exit_code} | " in README


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_every_task_stands_in_the_table_of_commands_and_has_help_for_every_flag(task):
    assert f"| `fab -H siteground {task.name}" in README
    assert task.__doc__
    flags = list(inspect.signature(task.body).parameters)[1:]
    assert {name.replace("-", "_") for name in task.help} == set(flags)


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#:]+)\)", README))
def test_every_link_leads_to_a_file(path):
    assert (ROOT / path).exists()


def test_every_test_that_the_threat_model_names_is_there():
    written = "\n".join(each.read_text(encoding="utf-8") for each in (ROOT / "tests").rglob("*.py"))
    there = set(re.findall(r"^def (test_\w+)", written, re.MULTILINE))
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8")))
    assert named
    assert named <= there
