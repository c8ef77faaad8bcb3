"""What is installed beside secrets is pinned with hashes, listed, and asked of the advisories."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.pages import page

ROOT = Path(__file__).parents[3]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = [Requirement(line.partition("\\")[0]) for line in LOCK.splitlines() if line[0] != " "]
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")


def required(name="requirements.txt"):
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            yield from required(line.removeprefix("-r "))
        elif line and not line.startswith(("#", "-e")):
            yield Requirement(line)
    if name == "requirements.txt":
        project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        yield from map(Requirement, re.findall(r'^requires = \["(.*)"\]$', project, re.MULTILINE))


def normal(name):
    return re.sub("[-_.]+", "-", name).lower()


def applying(python):
    here = {
        "python_version": python,
        "python_full_version": f"{python}.1",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    for pin in PINS:
        if pin.marker is None or pin.marker.evaluate(here):
            (exactly,) = pin.specifier
            assert exactly.operator == "=="
            yield normal(pin.name), exactly.version


@pytest.mark.parametrize("python", PYTHONS)
def test_each_python_gets_one_version_of_each_package_and_it_is_in_line(python):
    pairs = list(applying(python))
    pinned = dict(pairs)

    assert len(pairs) == len(pinned)
    for wanted in required():
        assert wanted.specifier.contains(pinned[normal(wanted.name)]), wanted
    assert {"fabric", "invoke", "paramiko", "cryptography", "cffi", "setuptools"} <= set(pinned)


def test_each_pin_has_hashes_and_names_no_place():
    for block in re.split(r"\n(?=\S)", LOCK.rstrip("\n")):
        assert re.search(r" --hash=sha256:[0-9a-f]{64}$", block)
    assert not re.search(r"://|file:|index-url|find-links|^-|/", LOCK, re.MULTILINE)


def test_nothing_is_installed_beside_secrets_but_by_its_hash():
    workflow = (ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8")
    jobs = workflow + page("README") + page("ci")
    installs = re.findall(r"python -m (pip install .*)", jobs)

    assert len(installs) == 10
    for install in installs:
        from_a_lock = re.fullmatch(r"pip install --require-hashes --requirement \S+\.lock", install)
        # Not even what builds it is fetched; and of a team's own, a commit is what its hash says.
        itself = r"(--editable \.|git\+https://git\.example/fabric-predeploy@COMMIT)"
        assert from_a_lock or re.fullmatch(
            rf"pip install --no-deps --no-build-isolation {itself}", install
        )


def test_the_list_of_what_is_installed_is_cyclonedx_and_whole(tmp_path):
    pytest.importorskip("cyclonedx_py")
    (recipe,) = re.findall(
        r"cyclonedx-py (requirements requirements\.lock .*)",
        (ROOT / "Makefile").read_text(encoding="utf-8"),
    )
    options = recipe.replace("dist/", f"{tmp_path}/").split()
    command = [sys.executable, "-m", "cyclonedx_py", *options]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    (file,) = tmp_path.iterdir()
    listed = json.loads(file.read_text(encoding="utf-8"))
    assert listed["bomFormat"] == "CycloneDX"
    assert {(each["name"], each["version"]) for each in listed["components"]} == {
        (pin.name, next(iter(pin.specifier)).version) for pin in PINS
    }


@pytest.fixture(scope="module")
def audit():
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GOOD = {"name": "fabric", "version": "3.2.3", "vulns": []}
BAD = {**GOOD, "vulns": [{"id": "PYSEC-1", "fix_versions": ["4.0"]}]}
UNKNOWN = {"name": "invoke", "skip_reason": "not found and could not be audited: invoke"}


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (json.dumps({"dependencies": [GOOD]}), 0, "no advisory names"),
        (json.dumps({"dependencies": [GOOD, BAD]}), 1, "fabric 3.2.3: PYSEC-1, fixed in ['4.0']"),
        (json.dumps({"dependencies": [GOOD, UNKNOWN]}), 0, "could not be had (1 times), such as:"),
        (json.dumps({"dependencies": [BAD, UNKNOWN]}), 1, "PYSEC-1"),
        (json.dumps({"dependencies": []}), 0, "could not be had"),
        ("", 0, "could not be had (1 times), such as: ConnectionError: no way"),
        ("[]", 0, "could not be had"),
    ],
)
def test_an_advisory_fails_and_what_could_not_be_asked_is_said(
    audit, monkeypatch, capsys, answer, code, words
):
    done = subprocess.CompletedProcess([], 1, answer, "Traceback\nConnectionError: no way\n")
    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: done)

    assert audit.main() == code
    told = capsys.readouterr().out
    assert words in told
    assert "no advisory names" not in told or "could not" not in told
