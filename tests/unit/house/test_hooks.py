"""What git runs before a commit, and what a person may ask of make."""

import os
import re
import shutil
import subprocess

import pytest
import yaml

from tests.pages import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
(PHONY,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
(LINT,) = re.findall(r"^lint: (.*?) ##", MAKEFILE, re.MULTILINE)
CONFIG = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
HOOKS = [hook for repo in CONFIG["repos"] for hook in repo["hooks"]]


def test_the_hooks_are_the_parts_of_lint_and_need_nothing_from_elsewhere():
    assert [repo["repo"] for repo in CONFIG["repos"]] == ["local"]
    assert [hook["entry"] for hook in HOOKS] == [f"make {part}" for part in LINT.split()]
    assert {hook["language"] for hook in HOOKS} == {"system"}


@pytest.mark.parametrize(
    ("file", "parts"),
    [
        ("tasks/predeploy.py", {"style", "types"}),
        ("tests/unit/house/test_hooks.py", {"style", "types"}),
        ("pyproject.toml", {"style", "types"}),
        ("remote/steps/dump/dump.sh", {"shell"}),
        (".shellcheckrc", {"shell"}),
        (".github/workflows/deploy.yml", {"workflow"}),
        ("docs/restore.md", set()),
    ],
)
def test_a_commit_is_held_up_only_by_what_looks_at_its_files(file, parts):
    assert (ROOT / file).exists()
    assert {hook["id"] for hook in HOOKS if re.search(hook["files"], file)} == parts


def git(checkout, *command):
    # Where git itself runs the tests, it has told them which repository is meant. A program that
    # coverage starts with cannot use yaml (see test_site.py).
    ours = {name: value for name, value in os.environ.items() if name[:4] not in ("GIT_", "COVE")}
    names = ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL")
    environment = {**ours, **{f"GIT_{name}": "somebody@example.com" for name in names}}
    environment["PRE_COMMIT_HOME"] = str(checkout.parent / "pre-commit")
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, check=False, encoding="utf-8"
    )


def test_a_commit_that_lint_refuses_is_not_made(tmp_path):
    if not (ROOT / ".venv" / "bin" / "pre-commit").exists():
        pytest.skip("pre-commit is not installed beside these tests")
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("Makefile", ".pre-commit-config.yaml", "pyproject.toml", ".gitignore"):
        shutil.copy(ROOT / name, checkout)
    for suffix in ("", "-lib", "-demo", "-dev", "-test"):
        (checkout / f"requirements{suffix}.txt").touch()
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "bin").symlink_to(ROOT / ".venv" / "bin")
    for name in (".demo-is-ready", ".dev-is-ready"):  # in this order, each newer than those above
        (checkout / ".venv" / name).touch()
    git(checkout, "git", "init", "--quiet")
    installed = git(checkout, "make", "hooks")
    assert installed.returncode == 0, installed.stderr

    (checkout / "notes.txt").write_text("No hook looks at this file.\n", encoding="utf-8")
    git(checkout, "git", "add", "notes.txt")
    assert git(checkout, "git", "commit", "--message", "Take notes").returncode == 0

    (checkout / "odd.py").write_text('"""Odd."""\n\nimport os\n', encoding="utf-8")
    git(checkout, "git", "add", "odd.py")
    refused = git(checkout, "git", "commit", "--message", "Be odd")
    assert refused.returncode == 1
    assert "F401" in refused.stdout + refused.stderr
    assert git(checkout, "git", "log", "--format=%s").stdout == "Take notes\n"


def test_help_tells_each_target_in_a_line():
    done = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    lines = done.stdout.splitlines()
    told = dict(re.fullmatch(r"make (\w+) +(\w.*)", line).groups() for line in lines)
    assert list(told) == PHONY.split()
    assert max(map(len, lines)) <= 100


def test_a_target_that_people_type_is_no_file():
    typed = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert typed == {*PHONY.split()}
