"""Words to GitHub's runner: it reads what we mean, and obeys nothing else."""

import html
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from fabric_predeploy.config.errors import PreflightError, Problem
from fabric_predeploy.config.github import github
from fabric_predeploy.config.harmless import harmless, harmless_lines
from fabric_predeploy.config.parsers import one_line
from fabric_predeploy.config.settings import SPECS
from fabric_predeploy.config.spec import Spec
from fabric_predeploy.tasks._show import github as told
from fabric_predeploy.tasks._show.report import note, tell, warn
from hypothesis import given
from hypothesis import strategies as some

from tests.integration.runner import Command, Runner, parsed

ODD = some.text(some.sampled_from("%:,;[]#=\\ \r\n\t\u2028\xa0053DAabé")) | some.text()
SECRETS = {name: None for name, spec in SPECS.items() if spec.secret}


@pytest.fixture(autouse=True)
def _no_runner(monkeypatch):
    for variable in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(name="runner")
def _runner(monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    def read():
        output, errors = capsys.readouterr()
        return Runner().reads(errors, output)

    return read


def spoken(speak, *arguments):
    """Where hypothesis calls again and again, a fixture for each call is not to be had."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_ACTIONS", "true")
        patch.setattr(sys, "stderr", io.StringIO())
        speak(*arguments)
        return sys.stderr.getvalue()


@given(ODD, ODD.filter(lambda text: text == text.strip() and not text.startswith("=")))
def test_the_runner_reads_the_message_and_the_title_and_no_terminal_obeys_them(message, title):
    line = spoken(told.annotate, "error", message, title)

    assert line.count("\n") == 1
    title = harmless(title)
    expected = Command("error", harmless_lines(message), {"title": title} if title else {})
    assert parsed(line.removesuffix("\n")) == expected


@given(ODD)
def test_nothing_that_is_merely_printed_is_obeyed(text):
    printed = spoken(lambda: note(text))

    words = {*"aA05", "group"}
    for line in printed.replace("\r", "\n").split("\n"):
        assert parsed(line, words) is None


@pytest.mark.parametrize(
    "line", ["::group::x", " \t::error title=a::b", "all ##[group]x", "a\r::group::x"]
)
def test_lines_that_would_be_obeyed_are_shown_instead(runner, line):
    assert Runner().reads(line).obeyed
    tell(f"before\n{line}\nafter")

    heard = runner()
    assert heard.obeyed == []
    assert heard.log[0] == "before"
    assert heard.log[-1] == "after"


@given(some.dictionaries(ODD, ODD))
def test_data_that_is_printed_keeps_its_meaning(data):
    assert json.loads(spoken(lambda: note(json.dumps(data, indent=2)))) == data


def test_without_a_runner_everything_is_printed_as_it_is(capsys):
    tell("::group::x ##[group]")
    warn("50%: a, b")
    told.mask(SimpleNamespace(**{**SECRETS, "db_password": "secret"}))
    with told.folded("log"):
        tell("inside")

    assert capsys.readouterr() == ("::group::x ##[group]\ninside\n", "WARNING: 50%: a, b\n")


def test_a_log_is_folded_and_nothing_in_it_obeyed_even_if_it_ends_within_a_line(runner):
    with told.folded("predeploy on 100% host"):
        sys.stderr.write("::error::from the host\n::::\n##[group]x\n::endgroup::\nno end")
    warn("after")

    heard = runner()
    assert [command.name for command in heard.obeyed] == [
        "group",
        "stop-commands",
        "endgroup",
        "warning",
    ]
    assert heard.obeyed[0].data == "predeploy on 100% host"
    assert len(heard.obeyed[1].data) > 20
    assert "::error::from the host" in heard.log


def test_the_word_that_ends_a_fold_is_another_each_time(runner):
    for _ in range(2):
        with told.folded("log"):
            pass

    first, second = runner().told("stop-commands")
    assert first != second


def test_a_fold_ends_with_an_exception_too(runner):
    with pytest.raises(KeyError), told.folded("log"):
        raise KeyError

    assert runner().obeyed[-1].name == "endgroup"


KEY = """-----BEGIN RSA PRIVATE KEY-----\r
Proc-Type: 4,ENCRYPTED\r
DEK-Info: AES-128-CBC,0123\r
\r
  MIIEowIBAAKCAQEAvHh5\r
QmFzZTY0IGxpbmU+/w==\r
Qw==\r
-----END RSA PRIVATE KEY-----\r
"""


def test_each_line_of_a_key_is_masked_but_not_what_every_key_has(runner):
    told.mask(SimpleNamespace(**{**SECRETS, "ssh_private_key": KEY}))

    assert runner().masks == ["MIIEowIBAAKCAQEAvHh5", "QmFzZTY0IGxpbmU+/w=="]


@pytest.mark.parametrize("secret", ["a%0Ab", "%25", " '\"$x` ", "::x::", "é\u2028%"])
def test_a_secret_is_masked_as_it_is(runner, secret):
    told.mask(SimpleNamespace(**{**SECRETS, "db_password": secret, "ssh_key_passphrase": "p,:%"}))

    assert runner().masks == ["p,:%", secret]


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_setting_is_masked(runner, name):
    told.mask(SimpleNamespace(**{**SECRETS, name: "hunter2-hunter2"}))

    assert runner().masks == ["hunter2-hunter2"]


def test_a_secret_setting_that_is_added_is_masked_without_another_word(runner, monkeypatch):
    monkeypatch.setitem(SPECS, "ping_token", Spec("PING_TOKEN", one_line, secret=True))
    monkeypatch.setitem(SPECS, "ping_name", Spec("PING_NAME", one_line))

    told.mask(SimpleNamespace(**SECRETS, ping_token="hunter2", ping_name="shown"))

    assert runner().masks == ["hunter2"]


def test_a_secret_of_blanks_is_not_masked_as_the_runner_would_complain(runner):
    told.mask(SimpleNamespace(**{**SECRETS, "db_password": "  "}))

    assert runner().masks == []


def test_a_failure_that_passes_several_sessions_is_told_once(runner, tmp_path, monkeypatch):
    summary = tmp_path / "summary"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    message = "predeploy on demo: 100% full (exit 10)\n  - <b>|`\n  What to do: a, b\n::group::x"
    with pytest.raises(PreflightError) as raised, told.failures_told(), told.failures_told():
        raise PreflightError(
            "predeploy on demo: 100% full", problems=[Problem("<b>|`")], remedy="a, b\n::group::x"
        )

    (error,) = runner().told("error")
    assert error == Command("error", message, {"title": "exit code 10: preflight"})
    page = summary.read_text(encoding="utf-8")
    assert page.count("preflight") == 1
    assert html.unescape(page.split("<pre>")[1].split("</pre>")[0]) == message
    assert "\n\\::group::x" in raised.value.message


def test_what_is_no_expected_failure_passes_untold(runner):
    with pytest.raises(KeyError), told.failures_told():
        raise KeyError

    assert runner().obeyed == []


@given(some.text(some.characters(exclude_categories=["C"], include_characters="\r\n\t")))
def test_text_in_a_table_is_shown_as_it_is_and_is_nothing_else(text):
    shown = told.escaped(text)

    assert html.unescape(shown) == harmless_lines(text)
    assert not set(shown) & set("\n|`<>*_[]\\~!:@\"'")


def test_a_file_that_cannot_be_written_is_a_warning(runner, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "absent" / "summary"))
    told.output({"archive": "x"})
    told.summarise("# page")

    first, second = runner().told("warning")
    assert f"GITHUB_OUTPUT ({tmp_path}) could not be written: Is a directory" in first.data
    assert "GITHUB_STEP_SUMMARY" in second.data


def test_what_others_have_written_stays(tmp_path, monkeypatch):
    file = tmp_path / "output"
    file.write_text("theirs=1\n")
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    told.output({"ours": "a\r\nb=\u2028c  d \udcff"})

    assert file.read_text() == "theirs=1\nours=a b= c d \\udcff\n"


def test_only_the_word_true_means_github():
    assert not github({"GITHUB_ACTIONS": "false"}).commands
    assert not github({}).commands
    assert github({"GITHUB_ACTIONS": "true"}).commands
    assert github({"GITHUB_OUTPUT": ""}).output is None
    assert github({"GITHUB_STEP_SUMMARY": "/a"}).summary == Path("/a")
