"""The page that shows how it is built names what is there, and its picture can be seen."""

import re
from xml.etree import ElementTree as ET

import pytest

from tests.pages import ROOT, page
from tests.unit.house.test_site import build

SVG = "{http://www.w3.org/2000/svg}"
PICTURE = ROOT / "docs" / "run.svg"
TEXT = page("design")
DRAWN = PICTURE.read_text(encoding="utf-8")
PATH = re.compile(r"\b(?:tasks|remote|config|tests)/[\w/.<>]+\b/?")


def test_every_path_that_the_page_and_its_picture_name_is_there():
    named = {name for name in PATH.findall(TEXT + DRAWN) if "<" not in name}
    assert "remote/_ssh/hostkeys.py" in named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_function_that_the_page_names_beside_a_file_is_in_it():
    pairs = re.findall(r"`([\w/]+/\w+\.\w+)`,? `(\w+)`", TEXT)
    pairs += [(file, name) for name, file in re.findall(r"`(\w+)` in `([\w/]+\.\w+)`", TEXT)]
    assert ("remote/_ssh/hostkeys.py", "check") in pairs
    assert ("remote/recipes.py", "proving") in pairs
    for file, name in pairs:
        assert re.search(rf"\b{name}\b", (ROOT / file).read_text(encoding="utf-8")), (file, name)


def test_every_step_that_the_picture_and_the_table_of_steps_name_is_there():
    table = TEXT.partition("## From nothing")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    named = re.findall(r"`(\w+)`", " ".join(rows))
    drawn = "".join(re.findall(r">(lock →.*|→ .*)</text>", DRAWN))
    named += re.findall(r"\w+", drawn)
    assert {"lock", "dump", "publish", "prune"} <= {*named}
    steps = {path.stem for path in (ROOT / "remote" / "steps").rglob("*.sh")}
    assert {*named} <= steps


def test_the_page_is_read_in_ten_minutes():
    assert len(TEXT.split()) <= 1600


def test_the_picture_says_in_words_what_it_shows_and_loads_nothing():
    picture = ET.fromstring(DRAWN)  # noqa: S314 - it is ours
    assert picture.tag == f"{SVG}svg"
    assert picture.findtext(f"{SVG}title") == "How a run reaches the host"
    assert len(picture.findtext(f"{SVG}desc")) > 100
    assert picture.get("role") == "img"
    named = {each.get("id") for each in picture if each.get("id")}
    assert {*picture.get("aria-labelledby").split()} <= named
    assert not re.search(r"href|url\((?!#)|<script|@import", DRAWN)


def test_each_colour_of_the_picture_has_one_for_the_dark():
    light, dark = DRAWN.partition("</style>")[0].split("@media (prefers-color-scheme: dark)")
    coloured = re.compile(r"^\s*([.\w]+) \{[^}]*?(?:fill|stroke): #", re.MULTILINE)
    assert set(coloured.findall(light)) == set(coloured.findall(dark))
    assert not re.search(r'(?:fill|stroke)="#', DRAWN)


def test_the_site_shows_the_page_with_its_picture(tmp_path):
    pytest.importorskip("mkdocs")
    done = build(ROOT, tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'src="run.svg"' in (tmp_path / "design.html").read_text(encoding="utf-8")
    assert (tmp_path / "run.svg").read_bytes() == PICTURE.read_bytes()
