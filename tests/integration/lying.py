"""A host that lies: what a real one told is told again, with one fact changed at a time."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from fabric_predeploy.config import loading
from fabric_predeploy.remote._door import attending, shell
from fabric_predeploy.remote._door.report import LOST, Report
from fabric_predeploy.remote._ssh import examination, link
from invoke.context import Context

Pairs = list[tuple[str, str]]
Call = Callable[[Context], Any]

LIES = {
    "nothing": "",
    "a blank": " ",
    "a command to GitHub": "##[set-output name=sha256;]forged",
    "another command": "::set-output name=archive::forged::",
    "a command behind a return": "good\r::error::forged",
    "escapes": "\x1b[2J\x1b]52;c;cm0K\x07\x9b31m\b\x7f",
    "direction marks": "\u202eforged\u2066\u200b\u2028line",
    "a section of GitLab": "section_start:1560896352:x\r\x1b[0Khidden",
    "a NUL": "a\0b",
    "no text": "\ud800\ufffd",
    "a negative number": "-5",
    "a long number": "9" * 400,
    "a number that Python refuses": "9" * 5000,
    "the largest": "9" * 18,
    "a float": "1e9",
    "digits of others": "٣²",
    "zero": "0",
    "another word": "yes",
    "two words": "1 forged.dump",
    "the end of time": "9999-12-31T23:59:59Z",
    "the beginning of time": "0001-01-01T00:00:00Z",
    "no such day": "2025-02-30T25:61:61Z",
    "much": "x" * 10_000,
}


@dataclass
class Recording:
    """What the host has told each run of a task, what it poured, and what was seen on the way."""

    call: Call
    reports: list[Report] = field(default_factory=list)
    poured: list[tuple[int, bytes]] = field(default_factory=list)
    pour: Report | None = None
    examination: Any = None

    def lies(self, every: int = 1) -> Iterator[tuple[str, "Recording"]]:
        """All of them, or each so many: another lie about each fact."""
        return islice(self._all_lies(), 0, None, every)

    def _all_lies(self) -> Iterator[tuple[str, "Recording"]]:
        for number, report in enumerate(self.reports):
            for name, facts in changed(report.facts):
                reports = [*self.reports]
                reports[number] = replace(report, facts=facts)
                yield f"run {number}, {name}", replace(self, reports=reports)


@dataclass
class Outcome:
    stdout: str
    stderr: str
    raised: BaseException | None


def changed(facts: Mapping[str, Pairs]) -> Iterator[tuple[str, dict[str, Pairs]]]:
    for step, pairs in facts.items():
        others = {name: told for name, told in facts.items() if name != step}
        yield f"{step} is not told", others
        yield f"{step} tells nothing", {**others, step: []}
        for what, told in changed_pairs(list(pairs)):
            yield f"{step}: {what}", {**others, step: told}


def changed_pairs(pairs: Pairs) -> Iterator[tuple[str, Pairs]]:
    """Of facts that are told many times, such as the rows of tables, the first and the last."""
    keys = [key for key, _ in pairs]
    for number, (key, value) in enumerate(pairs):
        if number not in (keys.index(key), len(keys) - 1 - keys[::-1].index(key)):
            continue
        before, after = pairs[:number], pairs[number + 1 :]
        yield f"{key} is dropped", [*before, *after]
        yield f"{key} is told twice", [*before, (key, value), (key, value), *after]
        yield f"{key} has another name", [*before, (f"\x1b{key}", value), *after]
        for what, lie in LIES.items():
            yield f"{key} is {what}", [*before, (key, lie), *after]
            yield f"{key} is also {what}", [*before, (key, value), (key, lie), *after]


@contextmanager
def recorded(call: Call) -> Iterator[Recording]:
    """Call it for real, and keep what the hosts told."""
    recording = Recording(call)
    run, pour, examine = attending.run, shell.pour, examination.examine

    def listening(*arguments: Any, **options: Any) -> Report:
        recording.reports.append(run(*arguments, **options))
        return recording.reports[-1]

    def catching(*arguments: Any, take: Any, **options: Any) -> Report:
        def keep(number: int, data: bytes) -> None:
            recording.poured.append((number, data))
            take(number, data)

        recording.pour = pour(*arguments, take=keep, **options)
        return recording.pour

    def looking(*arguments: Any) -> Any:
        recording.examination = examine(*arguments)
        return recording.examination

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attending, "run", listening)
        patch.setattr(shell, "pour", catching)
        patch.setattr(examination, "examine", looking)
        yield recording


class _Link:
    """To nobody: what it would carry is known already."""

    connection = Context()
    run_seconds, begin_seconds = None, 30

    def __init__(self, *_: Any) -> None:
        pass

    def ask(self) -> None:
        pass

    def renew(self) -> Context:
        return self.connection

    def is_lost(self) -> bool:
        return False


class Liar:
    """Stands in for the host: a task runs against what was recorded, and nothing else."""

    def __init__(self, patch: pytest.MonkeyPatch, directory: Path) -> None:
        self.output, self.page = directory / "output", directory / "page"
        self._recording = Recording(lambda _: None)
        self._reports: Iterator[Report] = iter(())
        self._load, self._loaded = loading.load, dict[str, Any]()
        patch.setattr(attending, "run", self._run)
        patch.setattr(shell, "pour", self._pour)
        patch.setattr(examination, "examine", lambda *_: self._recording.examination)
        patch.setattr(link, "Link", _Link)
        patch.setattr(loading, "load", self._settings)
        patch.setenv("GITHUB_ACTIONS", "true")
        patch.setenv("GITHUB_OUTPUT", str(self.output))
        patch.setenv("GITHUB_STEP_SUMMARY", str(self.page))

    def told(self, recording: Recording) -> Outcome:
        self._recording, self._reports = recording, iter(recording.reports)
        for file in (self.output, self.page):
            file.write_text("")
        stdout, stderr, raised = io.StringIO(), io.StringIO(), None
        with redirect_stdout(stdout), redirect_stderr(stderr):
            try:
                recording.call(Context())
            except BaseException as failure:  # noqa: BLE001 - what it is, is what is asked
                raised = failure
        return Outcome(stdout.getvalue(), stderr.getvalue(), raised)

    def _run(self, *_: Any, **__: Any) -> Report:
        return next(self._reports, Report({}, LOST))

    def _pour(self, *_: Any, take: Any, **__: Any) -> Report:
        for number, data in self._recording.poured:
            take(number, data)
        return self._recording.pour or Report({}, LOST)

    def _settings(self, *arguments: Any, **options: Any) -> Any:
        """As ever, but git is asked once."""
        key = repr((arguments, options))
        if key not in self._loaded:
            self._loaded[key] = self._load(*arguments, **options)
        return self._loaded[key]
