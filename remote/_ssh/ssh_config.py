"""ssh_config, read as `ssh` reads it: Include, Match, and values that say `none`.

Paramiko's own reader knows no Include, takes `ProxyJump none` for a host, and lets a Match that
it does not know match everything. Where a Match asks what only ssh can answer, ssh is asked.
"""

import os
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import fabric
import paramiko

from .match_exec import NO_DOMAINS, run
from .ssh_answer import answer_of_ssh
from .ssh_config_lines import ALONE, BETWEEN, LISTS, ConfigFile, Criterion, lines_of
from .ssh_values import meant
from .tokens import Goal, expanded, home, local_user

_CANONICAL: Final = ("yes", "true", "always")
_OF_HOSTS: Final = ("host", "originalhost")  # of Match, in any case


class _UndecidedError(Exception):
    """Only ssh can tell whether this matches."""


class Reader(paramiko.SSHConfig):  # type: ignore[misc]  # paramiko has no types
    """Fabric asks `lookup`. `user` is the one who logs in, where ssh_config does not decide it."""

    def __init__(self, files: Iterable[ConfigFile], user: str | None = None) -> None:
        super().__init__()
        self._files, self._user = list(files), user
        self._lines = [line for file in self._files for line in lines_of(file, file.path, (), 0)]
        self._asked = {each.kind for line in self._lines for each in line.criteria}
        self._ran: dict[str, bool] = {}

    def lookup(self, hostname: str) -> Any:
        try:
            options = self._looked_up(hostname)
        except _UndecidedError as undecided:
            options = answer_of_ssh(hostname, str(undecided), self._files, self._user)
        return paramiko.SSHConfigDict(meant(options))

    def _looked_up(self, original: str) -> dict[str, Any]:
        options: dict[str, Any] = {"user": self._user} if self._user else {}
        self._read(options, original, original)
        options["hostname"] = _host_name(options, original)
        name = original
        is_canonical = options.get("canonicalizehostname", "no").lower() in _CANONICAL
        if is_canonical:
            name = options["hostname"]
            if name.count(".") <= int(options.get("canonicalizemaxdots", 1)):
                domains = options.get("canonicaldomains", "").split()
                name = options["hostname"] = self.canonicalize(name, options, domains)
        # Like ssh, read a second time only where somebody wants that. Then ssh holds each name to
        # be canonical.
        if is_canonical or "final" in self._asked:
            self._read(options, original, name, final=True)
        return options

    def _read(
        self, options: dict[str, Any], original: str, name: str, *, final: bool = False
    ) -> None:
        for line in self._lines:
            if not self._matches(line.criteria, options, original, name, final=final):
                continue
            if line.keyword in LISTS:
                values = options.setdefault(line.keyword, [])
                if line.value not in values:
                    values.append(line.value)
            elif not _is_barred(line.keyword, options):
                options.setdefault(line.keyword, line.value)

    def _matches(
        self,
        criteria: tuple[Criterion, ...],
        options: Mapping[str, Any],
        original: str,
        name: str,
        *,
        final: bool,
    ) -> bool:
        # In the second reading, the name stands there as it is meant.
        host = options["hostname"] if final else _host_name(options, original)
        asked = {
            "host line": name,
            "host": host,
            "originalhost": original,
            "user": options.get("user") or local_user(),
            "localuser": local_user(),
            "tagged": options.get("tag", ""),
            "sessiontype": "exec",
        }
        undecided = ""
        for kind, patterns, negated in criteria:
            if kind in _OF_HOSTS:
                holds = any_of(patterns.lower().split(","), asked[kind].lower())
            elif kind in asked:
                holds = any_of(patterns.split(BETWEEN if kind == "host line" else ","), asked[kind])
            elif kind in ALONE:
                holds = kind == "all" or final
            elif kind == "exec":
                holds = self._succeeds(patterns, options, original, host)
            else:
                undecided = f"Match {kind} {patterns}".strip()
                continue
            if holds == negated:
                return False
        if undecided:
            raise _UndecidedError(undecided)
        return True

    def _succeeds(self, command: str, options: Mapping[str, Any], original: str, host: str) -> bool:
        goal = Goal(
            original,
            host,
            int(options.get("port", 22)),
            options.get("user") or local_user(),
            options.get("hostkeyalias", ""),
        )
        command = expanded(command, "Match exec", goal.tokens)
        if command not in self._ran:
            self._ran[command] = bool(run(command, hide="stdout", warn=True, in_stream=False).ok)
        return self._ran[command]


def any_of(patterns: Iterable[str], name: str) -> bool:
    """As ssh has it: one pattern must match, and none of those that begin with `!`."""
    found = False
    for pattern in patterns:
        matches = fnmatchcase(name, pattern.lstrip("!").replace("[", "[[]"))
        if matches and pattern.startswith("!"):
            return False
        found = found or matches
    return found


def reader(config: fabric.Config, user: str | None) -> Any:
    """Read the files that Fabric has read. An object that somebody gave to Fabric stays."""
    named, given = vars(config)["_runtime_ssh_path"], config.base_ssh_config
    names = [vars(config)["_user_ssh_path"], vars(config)["_system_ssh_path"]]
    if named is not None:
        names = [named]
    elif not config.load_ssh_configs:
        names = []
    paths = [Path(os.path.expanduser(name)) for name in names]  # noqa: PTH111
    read_by_fabric = paramiko.SSHConfig()
    for path in filter(os.path.isfile, paths):
        with path.open() as file:
            read_by_fabric.parse(file)
    # Not by their order or number: Fabric reads the files once more for each copy it makes.
    blocks, known = (vars(each)["_config"] for each in (given, read_by_fabric))
    if any(block not in [*known, NO_DOMAINS] for block in blocks):
        return given
    places = Path(home(), ".ssh"), Path("/etc/ssh")
    return Reader(map(ConfigFile, paths, places), user)


def _is_barred(keyword: str, options: Mapping[str, Any]) -> bool:
    """Of ProxyJump and ProxyCommand the first wins, but `ProxyJump none` bars no ProxyCommand."""
    if keyword == "proxyjump":
        return "proxycommand" in options
    return keyword == "proxycommand" and options.get("proxyjump", "none").lower() != "none"


def _host_name(options: Mapping[str, Any], original: str) -> str:
    return expanded(options.get("hostname") or original, "HostName", {"%": "%", "h": original})
