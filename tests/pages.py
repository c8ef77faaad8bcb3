"""The pages that people read: README, docs/, and the others at the root."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDE = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [*GUIDE, *(ROOT / f"{name}.md" for name in ("CHANGELOG", "CONTRIBUTING", "SECURITY"))]


def page(name):
    """Read README.md or docs/NAME.md."""
    path = ROOT / "README.md" if name == "README" else ROOT / "docs" / f"{name}.md"
    return path.read_text(encoding="utf-8")


def block(name, marker, language="sh"):
    """Return the first block of code behind the comment `<!-- MARKER: executed by … -->`."""
    pattern = rf"<!-- {re.escape(marker)}: executed by .*? -->\n```{language}\n(.*?)```"
    return re.search(pattern, page(name), re.DOTALL)[1]
