"""What MkDocs needs to see the root's pages beside those of docs/: README is the first page.

Links between pages are written for whoever reads them as files, as in `../SECURITY.md`. On the site
all pages are in one directory. A file that a page links to is on the site, too.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+)(?=[)#])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for name in PAGES:
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    for page in list(files.documentation_pages()):
        text = Path(str(page.abs_src_path)).read_text(encoding="utf-8")
        for name in map(_on_the_site, LINK.findall(text)):
            if name not in files.src_uris and (ROOT / name).is_file():
                files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    return LINK.sub(lambda link: _on_the_site(link[0]), markdown)


def _on_the_site(link: str) -> str:
    return link.removeprefix("../").removeprefix("docs/")
