"""What doctor finds: one line for each check, in an order of its own, for people and programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from ...config.errors import PredeployError
from ...config.harmless import harmless_lines
from .._show.stream import columns

CHECKS: Final = (
    "settings",
    "version",
    "dns",
    "port",
    "host key",
    "login",
    "shell",
    "rc files",
    "tools",
    "directory",
    "lock",
    "last run",
    "script",
    "programs",
    "database",
    "rights",
    "roles",
    "space",
    "clock",
    "dump",
    "proof",
    "way back",
    "extensions",
    "relations",
)
_MANY: Final = 5
_WIDTH: Final = 100
_MARGIN: Final = 6 + max(map(len, CHECKS)) + 2


@dataclass(frozen=True)
class Finding:
    """`result` is ok, warn, fail, or skipped where an earlier check ended it."""

    check: str
    result: str
    detail: str
    remedy: str = ""


def ok(check: str, detail: str) -> Finding:
    return Finding(check, "ok", detail)


def warned(check: str, detail: str, remedy: str) -> Finding:
    return Finding(check, "warn", detail, remedy)


def failed(check: str, detail: str, remedy: str = "") -> Finding:
    return Finding(check, "fail", detail, remedy)


def told(check: str, error: PredeployError) -> Finding:
    """The finding that an error is."""
    problems = [": ".join(filter(None, problem)) for problem in error.problems]
    lines = [": ".join(filter(None, (error.what, error.why))), *problems, error.more]
    detail = "\n".join(line.strip() for each in lines for line in each.splitlines())
    return failed(check, detail, textwrap.dedent(f"  {error.remedy}").strip())


def listed(items: Sequence[str]) -> str:
    more = len(items) - _MANY
    return "\n".join([*items[:_MANY], *([f"… and {more} more"] if more > 0 else [])])


def complete(findings: Iterable[Finding]) -> list[Finding]:
    """In the order of the checks, and with those that were not come to."""
    there = list(findings)
    seen = {each.check for each in there}
    there += [Finding(check, "skipped", "not reached") for check in CHECKS if check not in seen]
    return sorted(there, key=lambda each: CHECKS.index(each.check))


def as_data(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [asdict(each) for each in findings]


def as_text(findings: Sequence[Finding]) -> str:
    """What one may want to copy, a remedy, is not broken into lines."""
    skipped = [each.check for each in findings if each.result == "skipped"]
    lines = [line for each in findings if each.result != "skipped" for line in _lines(each)]
    if skipped:
        lines += _column("-     ", "not reached", ", ".join(skipped))
    return "\n".join(lines)


def _lines(finding: Finding) -> list[str]:
    lines = _column(f"{finding.result:<6}", finding.check, harmless_lines(finding.detail))
    indent = " " * _MARGIN
    for number, line in enumerate(harmless_lines(finding.remedy).splitlines()):
        lines.append(f"{indent}{'        ' if number else 'remedy: '}{line}".rstrip())
    return lines


def _column(result: str, check: str, detail: str) -> list[str]:
    """Cut at blanks alone, as names and paths are to be recognised."""
    width = min(columns() or _WIDTH, _WIDTH) - _MARGIN
    wrapped = [
        part
        for line in detail.splitlines()
        for part in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
    ]
    heads = [f"{result}{check}".ljust(_MARGIN), *[" " * _MARGIN] * len(wrapped)]
    return [f"{head}{part}" for head, part in zip(heads, wrapped, strict=False)]
