"""What init has to know: from flags, or asked for at a terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ...config import errors
from .._show.prompt import typed
from .._show.stream import is_terminal

# The flag, what is asked, and what an empty answer means; without that, there must be one.
_QUESTIONS: Final = {
    "PREDEPLOY_HOST": ("name", "Name of the profile, for fab -H", None),
    "SSH_HOST": ("host", "Host name, address, or alias of ssh_config", None),
    "SSH_PORT": ("port", "SSH port", "22, or what ssh_config says"),
    "SSH_USER": ("user", "User there", "yours, or what ssh_config says"),
    "DB_NAME": ("database", "Database", None),
    "DB_USER": ("db-user", "Database user, its owner", None),
}
_ONLY_FLAGS: Final = {"DB_HOST": "db-host", "DB_PORT": "db-port"}
_FINGERPRINT: Final = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


def answered(
    given: Mapping[str, str | None],
    directory: Path,
    fingerprint: str | None,
    *,
    overwrite: bool,
) -> dict[str, str]:
    """Return the settings that have a value.

    Raise ConfigurationError (2) that names all that is wrong or cannot be asked for; RefusedError
    (14) where a profile of that name is there, or an answer is not given.
    """
    values = {variable: value for variable, value in given.items() if value}
    problems = [*_wrong(values, fingerprint), *_missing(values)]
    if problems:
        lines = "".join(f"\n  - {problem}" for problem in problems)
        raise errors.ConfigurationError(message=f"init: nothing was contacted (exit 2):{lines}")
    asks = is_terminal(sys.stdin)
    for variable in _QUESTIONS:
        if variable not in values and asks:
            values |= _asked(variable)
        if variable == "PREDEPLOY_HOST":
            _refuse_existing(values[variable], directory, overwrite=overwrite)
    return values


def _wrong(values: Mapping[str, str], fingerprint: str | None) -> list[str]:
    flags = {**{variable: ask[0] for variable, ask in _QUESTIONS.items()}, **_ONLY_FLAGS}
    problems = [
        f"--{flags[variable]}={value!r} {trouble}"
        for variable, value in values.items()
        if (trouble := _trouble(variable, value))
    ]
    if fingerprint is not None and not _FINGERPRINT.fullmatch(fingerprint):
        problems.append("--fingerprint must be as ssh-keygen -l prints it: SHA256:…")
    return problems


def _missing(values: Mapping[str, str]) -> list[str]:
    if is_terminal(sys.stdin):
        return []
    flags = [
        f"--{flag}"
        for variable, (flag, _, empty) in _QUESTIONS.items()
        if variable not in values and empty is None
    ]
    return [f"there is no terminal to ask at, so give {', '.join(flags)}"] if flags else []


def _asked(variable: str) -> dict[str, str]:
    _, question, empty = _QUESTIONS[variable]
    prompt = f"{question} [{empty}]: " if empty else f"{question}: "
    while True:
        value = _answer(prompt)
        if not value and empty:
            return {}
        trouble = _trouble(variable, value) if value else "is needed"
        if not trouble:
            return {variable: value}
        prompt = f"  it {trouble}: "


def _answer(prompt: str) -> str:
    answer = typed(prompt)
    if answer is None:
        raise errors.RefusedError(
            "init: not all was answered; nothing was written",
            remedy="run it again, or give the flags of `fab --help init`.",
        )
    return answer


def _trouble(variable: str, value: str) -> str:
    """What the same parser says that will read the profile; a name also becomes a file's."""
    from ...config.parsers import name_part
    from ...config.settings import SPECS

    (spec,) = (spec for spec in SPECS.values() if spec.variable == variable)
    try:
        spec.parse(value)
        if variable == "PREDEPLOY_HOST":
            name_part(100)(value)
    except ValueError as error:
        return str(error)
    return ""


def _refuse_existing(name: str, directory: Path, *, overwrite: bool) -> None:
    from ...config.project import profile_path

    path = profile_path(directory, name)
    if not overwrite and (path.exists() or path.is_symlink()):
        raise errors.RefusedError(
            f"init: {path.relative_to(directory)} is there already; nothing was written",
            remedy=(
                f"look at it with fab -H {name} doctor, choose another name, or give --overwrite."
            ),
        )
