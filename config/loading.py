"""From command line, environment and files to Settings, before anything is contacted."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from . import privacy, profiles, version
from .address import address
from .errors import ConfigurationError, Problem
from .parsers import readable, slug_of
from .profiles import Source
from .secrecy import shown
from .settings import REQUIRED, SECRET_VARIABLES, SPECS, VARIABLES, Settings
from .spec import Spec

UNVERSIONED: Final = "unversioned"
_COMMAND_LINE: Final = "command line"
_PROFILE: Final = SPECS["profile"]
_IN_PROFILES: Final = frozenset(VARIABLES) - {_PROFILE.variable}
# Two ways to say one thing: the higher level wins, and one level may use only one of them.
_EITHER: Final = (
    ("SSH_PRIVATE_KEY", "SSH_KEY_FILE"),
    ("SSH_KNOWN_HOSTS", "SSH_KNOWN_HOSTS_FILE"),
)


class Given(NamedTuple):
    text: str
    origin: str
    level: int


def load(
    profile: str | None,
    overrides: Mapping[str, str] | None = None,
    *,
    draft: str | None = None,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Settings:
    """Return the settings of a profile, or of an ordinary host where no profile has that name.

    Command line (`overrides`, by variable name) > environment > profile > .env > default; an empty
    string is not set. Raise ConfigurationError (exit code 2) that names every problem at once.
    `draft` is the text of a profile that is not written yet, and stands for it.
    """
    directory = directory or Path.cwd()
    if environ is None:
        privacy.keep(SECRET_VARIABLES)
    command_line = Source(_COMMAND_LINE, _command_line(profile, overrides or {}))
    environment = Source("environment", os.environ if environ is None else environ)
    dotenv = profiles.dotenv(directory)
    problems = dotenv.problems

    name = _profile_name((command_line, environment, dotenv), directory, problems)
    if draft is None:
        file = profiles.profile(name.text, directory, _IN_PROFILES, SECRET_VARIABLES)
    else:
        file = profiles.draft(draft, f"config/{name.text}.env", _IN_PROFILES, SECRET_VARIABLES)
    problems.extend(file.problems if file else [])
    levels = [command_line, environment, *([file] if file else []), dotenv]

    given = {"SSH_HOST": name, **_collect(levels, problems), _PROFILE.variable: name}
    problems.extend(_split_host(given))
    unversioned = _derive_version(given, directory)
    problems.extend(_missing(given, file, name, directory))
    problems.extend(_example(given, file))
    values = _parse(given, directory, problems)
    if problems:
        raise _refusal(f"The settings for {shown(name.text)} cannot be used", problems)
    sources = {v: given[v].origin if v in given else "default" for v in VARIABLES}
    return Settings(
        **values,
        git_commit=version.commit(directory),
        version_note=_note(given["BACKUP_VERSION"], values["version"], unversioned),
        sources=MappingProxyType(sources),
    )


def _command_line(profile: str | None, overrides: Mapping[str, str]) -> dict[str, str]:
    unknown = overrides.keys() - _IN_PROFILES
    if unknown:
        raise ValueError(f"no such settings: {', '.join(sorted(unknown))}")
    return {**overrides, _PROFILE.variable: profile or ""}


def _profile_name(levels: Sequence[Source], directory: Path, problems: Iterable[str]) -> Given:
    name = _given(_PROFILE, levels)
    if name is None:
        known = ", ".join(profiles.existing(directory))
        missing = (
            "name a profile or a host: fab's -H, or PREDEPLOY_HOST in the environment or .env"
            f" (profiles: {known})"
        )
        raise _refusal("There is no host to go to", [missing, *problems])
    try:
        _PROFILE.parse(name.text)
    except ValueError as error:
        wrong = _sentence(_PROFILE, name, error)
        raise _refusal("There is no host to go to", [wrong, *problems]) from None
    return name


def _given(spec: Spec, levels: Sequence[Source]) -> Given | None:
    for number, level in enumerate(levels):
        if text := level.values.get(spec.variable):
            origin = spec.flag.name if level.origin == _COMMAND_LINE else level.origin
            return Given(text, origin, number)
    return None


def _collect(levels: Sequence[Source], problems: list[str]) -> dict[str, Given]:
    found = ((spec.variable, _given(spec, levels)) for spec in SPECS.values())
    given = {variable: value for variable, value in found if value is not None}
    for pair in _EITHER:
        if not given.keys() >= set(pair):
            continue
        first, second = (given[variable] for variable in pair)
        if first.level == second.level:
            problems.append(
                f"{' and '.join(pair)} are both set (from {first.origin}): set only one"
            )
        del given[pair[1] if first.level < second.level else pair[0]]
    return given


def _split_host(given: dict[str, Given]) -> Iterator[str]:
    """SSH_HOST may name user and port, too; what a higher level says of them wins."""
    host = given["SSH_HOST"]
    try:
        found = address(host.text)
    except ValueError:
        return  # which the setting's own parser tells
    given["SSH_HOST"] = host._replace(text=found.host)
    for variable, value in (("SSH_USER", found.user), ("SSH_PORT", found.port)):
        if value is None:
            continue
        other = given.get(variable)
        if other and other.level == host.level and other.text != str(value):
            yield (
                f"SSH_HOST = {shown(host.text)} and {variable} = {shown(other.text)} (from"
                f" {other.origin}) say different things: set only one"
            )
        if other is None or other.level > host.level:
            given[variable] = Given(str(value), f"SSH_HOST, {host.origin}", host.level)


def _derive_version(given: dict[str, Given], directory: Path) -> str:
    """Ask git where nothing is given; return why it has no answer, if so."""
    if "BACKUP_VERSION" in given:
        return ""
    described = version.describe(directory)
    if described.text and slug_of(described.text):
        given["BACKUP_VERSION"] = Given(described.text, "git describe", 0)
        return ""
    given["BACKUP_VERSION"] = Given(UNVERSIONED, "nothing else", 0)
    return described.complaint or "git describe says nothing"


def _note(given: Given, value: str, unversioned: str) -> str:
    if unversioned:
        return (
            f"archives are named {UNVERSIONED}, as git describe gives no version here"
            f" ({unversioned}): give --version or BACKUP_VERSION to tell them apart"
        )
    if value != given.text:
        return f"the version {shown(given.text)} (from {given.origin}) is {value} in names"
    return ""


def _missing(
    given: Mapping[str, Given], file: Source | None, name: Given, directory: Path
) -> Iterator[str]:
    missing = [variable for variable in REQUIRED if variable not in given]
    if missing and file is None:
        looked = " and ".join(str(path) for path in profiles.places(name.text, directory))
        known = ", ".join(profiles.existing(directory)) or "none"
        yield f"there is no profile {shown(name.text)} (profiles: {known}; looked for {looked})"
    places = f"{file.origin}, .env or the environment" if file else ".env or the environment"
    for variable in missing:
        yield f"{variable} is not set: set it in {places}"


def _example(given: Mapping[str, Given], file: Source | None) -> Iterator[str]:
    """RFC 2606 keeps .example for examples: the shipped profile is one until it is filled in."""
    host = given["SSH_HOST"]
    if file and host.origin == file.origin and host.text.endswith(".example"):
        yield (
            f"{file.origin} is only an example: copy it to config/ in the repository that you"
            " deploy from, and fill in SSH_HOST, SSH_USER, DB_NAME and DB_USER"
        )


def _parse(given: Mapping[str, Given], directory: Path, problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, spec in SPECS.items():
        if spec.variable not in given:
            continue
        try:
            value = spec.parse(given[spec.variable].text)
            values[name] = readable(directory / value) if isinstance(value, Path) else value
        except ValueError as error:
            problems.append(_sentence(spec, given[spec.variable], error))
    return values


def _sentence(spec: Spec, given: Given, error: ValueError) -> str:
    value = "" if spec.secret else f" = {shown(given.text)}"
    return f"{spec.variable}{value} (from {given.origin}) {error}"


def _refusal(headline: str, problems: Iterable[str]) -> ConfigurationError:
    told = [*map(Problem, problems)]
    lines = "".join(f"\n  - {problem}" for problem in told)
    return ConfigurationError(message=f"{headline}; nothing was contacted:{lines}", problems=told)
