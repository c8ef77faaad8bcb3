"""The package and its version, which stands in pyproject.toml alone."""

import re
import subprocess
import sys
from importlib.metadata import version

from tests.pages import ROOT

PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
(VERSION,) = re.findall(r'(?m)^version = "(\d+\.\d+\.\d+)"$', PYPROJECT)


def test_the_installed_package_and_the_command_line_say_the_same_version():
    assert version("fabric-predeploy") == VERSION
    command = [sys.executable, "-m", "fabric_predeploy", "--version"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, encoding="utf-8")
    assert f"fabric-predeploy {VERSION}" in done.stdout


def test_no_other_file_of_the_product_assigns_the_version():
    assigned = re.compile(rf"__version__ *=|[\"']{re.escape(VERSION)}[\"']")
    files = [path for name in ("config", "remote", "tasks") for path in (ROOT / name).rglob("*.*")]
    files = [path for path in files if path.suffix in {".py", ".sh", ".sql", ".awk", ".env"}]
    files += [ROOT / "__init__.py", ROOT / "__main__.py", ROOT / "fabfile.py"]
    assert [p.name for p in files if assigned.search(p.read_text(encoding="utf-8"))] == []
