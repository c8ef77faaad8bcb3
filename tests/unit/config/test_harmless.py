"""Whatever is told, no terminal obeys it, and it hides nothing from whoever reads it."""

import io
import json
import sys
import unicodedata

import pytest
from fabric_predeploy.config.errors import PredeployError, PreflightError
from fabric_predeploy.config.harmless import harmless, harmless_json, harmless_lines
from fabric_predeploy.tasks._show import github
from fabric_predeploy.tasks._show.progress import Log, Progress, Stage
from fabric_predeploy.tasks._show.prompt import typed
from fabric_predeploy.tasks._show.report import note, tell, tell_data, warn
from hypothesis import given
from hypothesis import strategies as some

ORDERS = {
    "escape": "\x1b[2J\x1b]52;c;cm0K\x07",
    "carriage return": "ours\rtheirs",
    "C1": "\x9b31m\x9d0;title\x9c",
    "backspace and DEL": "yes\b\b\bno\x7f",
    "NUL": "a\0b",
    "direction": "\u202ereversed\u202c \u2066isolated\u2069 \u200e\u200f\u061c",
    "hidden": "a\u200b\u200c\u200d\u2060\ufeff\u00adb\U000e0041",
    "separators": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "no text": "\ud83d \ufffe",
    "GitLab's section": "section_start:1560896352:x\r\x1b[0Khidden",
}
# Controls, formats, private and unassigned, surrogates, separators: all but a blank.
HARMFUL = {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp", "Zs"}
DOORS = {
    "tell": tell,
    "note": note,
    "warn": warn,
    "data": lambda text: tell_data({text: [text]}),
    "log": lambda text: Log().write(f"{text}\n"),
    "prompt": typed,
    "stage": lambda text: tell(str(Stage(text))),
}
anything = some.text() | some.text(some.sampled_from("".join(ORDERS.values())))


def is_harmless(text):
    return not any(unicodedata.category(each) in HARMFUL for each in text if each not in "\n\t ")


@pytest.fixture(autouse=True)
def _no_runner(monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_no_order_to_a_terminal_comes_through_any_door(door, order, capsys, monkeypatch):
    monkeypatch.setattr("fabric_predeploy.tasks._show.prompt.select.select", lambda *_: [[0]])
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))

    door(f"before {order} after")

    printed = "".join(capsys.readouterr())
    assert is_harmless(printed)
    assert "before" in printed
    assert "after" in printed


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_no_order_to_a_terminal_comes_with_an_error(order):
    assert is_harmless(PreflightError(order, why=order, more=order, remedy=order).message)
    assert PredeployError("two\nlines").message == "two\nlines (exit 1)"


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_none_reaches_the_page_or_the_outputs_of_a_job(order, tmp_path, monkeypatch):
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.setenv(name, str(tmp_path / name))

    github.output({"proof": order})
    github.summarise(github.escaped(order))

    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert is_harmless(text)
        assert len(text.splitlines()) == 1


@given(anything)
def test_all_that_is_no_printable_character_is_spelt_out(text):
    assert is_harmless(harmless(text))
    assert harmless(text).isprintable() or "\t" in text
    assert harmless_lines(text).count("\n") == text.count("\n")
    assert harmless_lines(harmless_lines(text)) == harmless_lines(text)


@given(some.dictionaries(anything, anything))
def test_data_keeps_its_meaning(data):
    told = harmless_json(json.dumps(data, indent=2, ensure_ascii=False))

    assert is_harmless(told)
    assert json.loads(told) == data


def test_printable_text_of_any_language_stays_as_it_is():
    assert harmless("Größe 价格 цена 🦅 naïve") == "Größe 价格 цена 🦅 naïve"


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_a_step_that_the_host_names_is_harmless_on_the_live_line_too(order):
    progress = Progress({})
    progress.follow("begin", order)

    assert is_harmless(str(progress.stage))
