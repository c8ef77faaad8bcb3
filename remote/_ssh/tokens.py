"""The %-tokens, `~` and ${NAME} of ssh_config, and what they stand for on the way to one host."""

import getpass
import hashlib
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...config.errors import ConfigurationError
from ...config.machine import environment_without_secrets

_TOKEN: Final = re.compile("%(.?)")
_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Goal:
    """`original` is the name that was asked for, `alias` is HostKeyAlias."""

    original: str
    host: str
    port: int
    user: str
    alias: str = ""
    jump: str = ""

    @property
    def tokens(self) -> Mapping[str, str]:
        here = socket.gethostname()
        link = f"{here}{self.host}{self.port}{self.user}{self.jump}"
        return {
            "%": "%",
            "C": hashlib.sha1(link.encode()).hexdigest(),  # noqa: S324 - as ssh does
            "d": home(),
            "h": self.host,
            "i": str(os.getuid()),
            "j": self.jump,
            "k": self.alias or self.original,
            "L": here.split(".")[0],
            "l": here,
            "n": self.original,
            "p": str(self.port),
            "r": self.user,
            "T": "NONE",
            "u": local_user(),
        }


def home() -> str:
    return os.path.expanduser("~")  # noqa: PTH111 - Path raises where there is no home


def local_user() -> str:
    """Without an entry in passwd, Python has no name, and ssh would not start at all."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def expanded(text: str, keyword: str, tokens: Mapping[str, str]) -> str:
    """Replace the tokens; raise ConfigurationError (exit code 2) for a token that ssh has not."""

    def replacement(found: "re.Match[str]") -> str:
        if found[1] in tokens:
            return tokens[found[1]]
        raise ConfigurationError(
            f"ssh_config: {keyword} {text} has {found[0]}, which is no token",
            remedy=f"write one of %{' %'.join(sorted(tokens))}.",
        )

    return _TOKEN.sub(replacement, text)


def file_name(text: str, keyword: str, tokens: Mapping[str, str]) -> str:
    """Replace the tokens, the variables and the `~` of the name of a file."""
    return os.path.expanduser(with_variables(expanded(text, keyword, tokens), keyword))  # noqa: PTH111


def with_variables(text: str, keyword: str) -> str:
    environment = environment_without_secrets()

    def replacement(found: "re.Match[str]") -> str:
        if found[1] in environment:
            return environment[found[1]]
        raise ConfigurationError(
            f"ssh_config: {keyword} {text} needs {found[1]}, which is not set",
            remedy="set that variable, or write the name of the file in full.",
        )

    return _VARIABLE.sub(replacement, text)


def below_home(name: str) -> Path:
    return Path(home(), name)
