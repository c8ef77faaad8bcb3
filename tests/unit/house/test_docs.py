"""What the pages and the help texts must not lag behind."""

import importlib.util
import inspect
import re

import pytest
from fabric_predeploy.config import errors
from fabric_predeploy.config.settings import VARIABLES
from fabric_predeploy.tasks import namespace

from tests.pages import GUIDE, PAGES, ROOT, page

PRODUCT = ("tasks", "remote", "config")
DOCS = [path for path in GUIDE if path.parent.name == "docs"]
TASKS = namespace.tasks.values()


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_stands_on_the_page_of_settings(variable):
    assert re.search(rf"`{variable}[`=]", page("settings"))


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_stands_in_the_shipped_profile(variable):
    assert variable in (ROOT / "config" / "siteground.env").read_text(encoding="utf-8")


@pytest.mark.parametrize("failure", errors.PredeployError.__subclasses__())
def test_every_exit_code_stands_in_the_table_of_exit_codes(failure):
    assert f"| {failure.exit_code} | " in page("exit-codes")


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_every_task_stands_in_the_table_of_commands_and_has_help_for_every_flag(task):
    assert f"| `fab -H siteground {task.name}" in page("README")
    assert task.__doc__
    flags = list(inspect.signature(task.body).parameters)[1:]
    assert {name.replace("-", "_") for name in task.help} == set(flags)


def generator():
    spec = importlib.util.spec_from_file_location("pages", ROOT / ".ci" / "pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.stem)
def test_no_page_lags_behind_the_code_that_parts_of_it_are_made_of(path):
    text = path.read_text(encoding="utf-8")
    assert generator().written(text) == text, "run `make docs`"


def test_the_shipped_profile_does_not_lag_behind_the_table_of_settings():
    text = (ROOT / "config" / "siteground.env").read_text(encoding="utf-8")
    assert generator().profile(text) == text, "run `make docs`"


def test_the_code_writes_settings_exit_codes_and_commands():
    text = "".join(path.read_text(encoding="utf-8") for path in DOCS)
    assert set(re.findall(r"<!-- ([\w-]+): written by make docs -->", text)) == {*generator().PARTS}


def test_a_message_that_names_a_page_names_one_that_is_there():
    files = [path for name in PRODUCT for path in (ROOT / name).rglob("*.*")]
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in files
        if path.suffix in {".py", ".sh", ".sql", ".awk", ".env"}
    )
    named = set(re.findall(r"docs/[\w-]+\.md", text))
    assert "docs/obstacles.md" in named
    assert all((ROOT / name).exists() for name in named)
    assert "README" not in text  # it is short: what a message means stands on a page


def links():
    for path in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                yield pytest.param(path, target, id=f"{path.name}:{target}")


def anchor_of(heading):
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize(("path", "target"), links())
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(path, target):
    name, _, anchor = target.partition("#")
    file = path.parent / name if name else path
    assert file.exists()
    if anchor:
        headings = re.findall(r"^#+ (.*)", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in map(anchor_of, headings)


@pytest.mark.parametrize("path", GUIDE, ids=lambda path: path.stem)
def test_a_test_runs_each_block_of_commands(path):
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"(.*)\n```(?:sh|python|yaml)\n(.*)", text)
    for before, first in blocks:
        marked = re.fullmatch(r"<!-- .*: executed by (\S+) -->", before)
        # deploy.yml in short is held against the whole; the second file of a chain is in the first.
        if not marked and "in short" not in first and not first.startswith("# fabfile.py"):
            pytest.fail(f"no test runs the block {first!r}")
        if marked:
            assert (ROOT / marked[1]).exists()


def test_the_way_back_fits_on_a_sheet_of_paper():
    lines = page("restore").splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 125


def test_readme_is_read_in_a_few_minutes():
    assert len(page("README").splitlines()) <= 160


def test_every_test_that_the_threat_model_names_is_there():
    written = "\n".join(each.read_text(encoding="utf-8") for each in (ROOT / "tests").rglob("*.py"))
    there = set(re.findall(r"^def (test_\w+)", written, re.MULTILINE))
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8")))
    assert named
    assert named <= there
