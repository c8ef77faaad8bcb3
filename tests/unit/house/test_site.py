"""The pages as a site: MkDocs builds it, and says where a link leads nowhere."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.pages import ROOT

pytest.importorskip("mkdocs")


def build(checkout, site):
    """Build the site, as `make site` does."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    # Coverage imports our package to find its files, and then forgets what came with it. When yaml
    # is imported again, its part in C goes on with the first import's classes, and nothing loads.
    ours = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environment = {**ours, "NO_MKDOCS_2_WARNING": "true"}
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, check=False, encoding="utf-8"
    )


def test_the_site_has_each_page_and_begins_with_readme(tmp_path):
    done = build(ROOT, tmp_path)
    assert done.returncode == 0, done.stderr
    pages = {path.stem for path in [*ROOT.glob("docs/*.md"), ROOT / "SECURITY.md"]}
    assert pages <= {path.stem for path in tmp_path.glob("*.html")}
    assert "Your deploy went wrong" in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("link", ["restore.md#nowhere", "../NOWHERE.md"])
def test_a_link_that_leads_nowhere_stops_the_build(tmp_path, link):
    copy = tmp_path / "copy"
    copied = shutil.ignore_patterns(".git", ".venv", ".cache", "tests")
    shutil.copytree(ROOT, copy, ignore=copied)
    with (copy / "docs" / "setup.md").open("a", encoding="utf-8") as page:
        page.write(f"\n[a link]({link})\n")
    done = build(copy, tmp_path / "site")
    assert done.returncode == 1
    assert "nowhere" in done.stderr.lower()
