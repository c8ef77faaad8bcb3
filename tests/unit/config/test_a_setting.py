"""A new setting is a row of the table and a use of it: all else follows."""

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.pages import ROOT

ROWS = """
    pause_seconds: int = setting(
        "BACKUP_PAUSE",
        whole(0, 60),
        "3",
        "Seconds to pause. 0: no pause.",
        flag=Flag("--pause", ("doctor", "rotate"), "seconds to pause"),
        there=True,
    )
    ping_token: str | None = setting(
        "PING_TOKEN", one_line, None, "Token of a ping.", unset="no ping", secret=True
    )
"""
TITLE = '    """Waiting."""\n'
# The use comes before the host is contacted, as there is none.
USE = '    raise errors.RefusedError(f"a pause of {settings.pause_seconds} s")\n'
BEFORE_USE = "    from .way import of_settings, of_way\n\n"
TABLE, STEP = "config/archiving.py", "tasks/_doctor/diagnosing.py"
SECRET = "hunter2-hunter2"
PROBE = """
import json, os
from invoke import Context
from invoke.exceptions import Exit
from fabric_predeploy.config.settings import Settings
from fabric_predeploy.tasks import namespace
from fabric_predeploy.tasks._gate.by_hand import text

def told(name, **flags):
    try:
        return namespace[name](Context(), **flags)
    except Exit as ending:
        return [ending.code, ending.message]

flags = {
    name: {flag.name: flag.help for flag in task.get_arguments()}
    for name, task in namespace.tasks.items()
}
refused = told("rotate", pause="61")
by_default = told("doctor")
os.environ["BACKUP_PAUSE"] = "8"
by_environment, by_flag = told("doctor"), told("doctor", pause="7")
with open("config/web.env", "w") as profile:
    profile.write(f"PING_TOKEN={os.environ['SECRET']}")
committed = told("rotate")
script = text(Settings(profile="x", ssh_host="x", db_name="x", db_user="x", version="x"))
kept = "flags refused by_default by_environment by_flag committed script".split()
print(json.dumps({name: globals()[name] for name in kept}))
"""


class Copy:
    """A checkout that Python takes for the package, and a project that uses it."""

    def __init__(self, directory):
        self.checkout, self.project = directory / "fabric_predeploy", directory / "project"
        for room in ("config", "remote", "tasks", "docs", ".ci"):
            unwanted = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / room, self.checkout / room, ignore=unwanted)
        shutil.copy(ROOT / "__init__.py", self.checkout)
        (self.project / "config").mkdir(parents=True)

    def read(self, name):
        return (self.checkout / name).read_text(encoding="utf-8")

    def add(self, name, before, added):
        text = self.read(name)
        assert text.count(before) == 1
        (self.checkout / name).write_text(text.replace(before, before + added), encoding="utf-8")

    def changed(self):
        """Name the files that are not as in the checkout which they are from."""
        files = [path.relative_to(self.checkout) for path in self.checkout.rglob("*.*")]
        return {
            str(path)
            for path in files
            if (self.checkout / path).is_file()
            and "__pycache__" not in path.parts
            and not filecmp.cmp(self.checkout / path, ROOT / path, shallow=False)
        }

    def run(self, *arguments, **variables):
        environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        environment |= {"PYTHONPATH": str(self.checkout.parent), "HOME": str(self.project)}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.project,
            env={**environment, **variables},
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done


@pytest.fixture(name="copy", scope="module")
def _copy(tmp_path_factory):
    copy = Copy(tmp_path_factory.mktemp("copy"))
    copy.add(TABLE, TITLE, ROWS)
    copy.add(STEP, BEFORE_USE, USE)
    assert copy.changed() == {TABLE, STEP}
    return copy


@pytest.fixture(name="probe", scope="module")
def _probe(copy):
    variables = {"PREDEPLOY_HOST": "web", "DB_NAME": "x", "DB_USER": "x", "GITHUB_ACTIONS": "true"}
    return copy.run("-c", PROBE, PING_TOKEN=SECRET, SECRET=SECRET, **variables)


@pytest.fixture(name="found", scope="module")
def _found(probe):
    return json.loads(probe.stdout.splitlines()[-1])


def test_its_flag_and_the_help_are_in_the_commands_that_the_table_names(found):
    with_flag = {name: flags["pause"] for name, flags in found["flags"].items() if "pause" in flags}
    assert with_flag == dict.fromkeys(("doctor", "rotate"), "seconds to pause; default 3")


def test_its_value_is_that_of_the_flag_or_of_the_environment_or_the_default(found):
    assert found["by_flag"] == [14, "a pause of 7 s (exit 14)"]
    assert found["by_environment"] == [14, "a pause of 8 s (exit 14)"]
    assert found["by_default"] == [14, "a pause of 3 s (exit 14)"]


def test_what_its_parser_refuses_is_named_with_the_flag(found):
    code, message = found["refused"]
    assert code == 2
    assert "BACKUP_PAUSE = '61' (from --pause) must be a whole number from 0 to 60" in message


def test_a_secret_one_is_masked_and_neither_shown_nor_accepted_from_a_committed_file(found, probe):
    code, message = found["committed"]
    assert code == 2
    assert "PING_TOKEN" in message
    masked = probe.stderr.count(f"::add-mask::{SECRET}\n")
    assert masked == 3  # once for each time that the settings were loaded
    assert (probe.stdout + probe.stderr).count(SECRET) == masked


def test_the_script_on_the_host_takes_and_checks_it(found):
    for line in ("BACKUP_PAUSE=3", "whole BACKUP_PAUSE 0 60", "pause_seconds=$BACKUP_PAUSE"):
        assert re.search(rf"(?m)^(\w+=')?{re.escape(line)}'?$", found["script"]), line
    assert "PING_TOKEN" not in found["script"]


def test_make_docs_writes_it_into_the_pages_and_into_the_shipped_profile(copy, probe):
    copy.run(str(copy.checkout / ".ci" / "pages.py"))

    page = copy.read("docs/settings.md")
    assert "| `BACKUP_PAUSE` | Seconds to pause. 0: no pause. Flag: `--pause`. | `3` |\n" in page
    assert "| `PING_TOKEN` | Token of a ping. | no ping |\n" in page
    assert "`DB_PASSWORD` and `PING_TOKEN`.\n" in page
    assert "| `--pause=…` | seconds to pause; default 3 |\n" in copy.read("docs/commands.md")
    profile = copy.read("config/siteground.env")
    assert "\n\n# Seconds to pause. 0: no pause.\n#BACKUP_PAUSE=3\n" in profile
    assert "\n\n# Token of a ping.\n# Not set: no ping.\n#PING_TOKEN=\n" in profile
    written = {"docs/settings.md", "docs/commands.md", "config/siteground.env"}
    assert copy.changed() == {TABLE, STEP, *written}
