"""From the text of one setting to its value; a ValueError says what the text must be instead.

The script on the host has shell functions of the same names, for the parsers of its settings.
"""

import os
import re
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

MAX_LINE_LENGTH: Final = 4096
# Control characters, line and paragraph separators, and what was no UTF-8 (lone surrogates).
_NOT_IN_A_LINE: Final = frozenset({"Cc", "Zl", "Zp", "Cs"})
# Patterns are compiled when they are used: `fab --list` needs the table, and parses nothing.
# OpenSSH's own rule for user names: they may reach a ProxyCommand.
_USER: Final = r"""(?!-)[^\s'"`$;&<>|(){}]{1,255}"""
_HOST: Final = r"[\w\[:][\w.:%\[\]-]{0,252}"
_NAME_PART: Final = "[A-Za-z0-9][A-Za-z0-9._+-]*"
_LONGEST_VERSION: Final = 100
_COMPRESS: Final = r"none|gzip:[1-9]|zstd:([1-9]|1[0-9]|2[0-2])"
_PART: Final = r"""(?:"[^"]+"|[a-z0-9_$*?]+)"""
_TABLES: Final = rf"{_PART}\.{_PART}(?:\s*,\s*{_PART}\.{_PART})*"
_KNOWN_HOST: Final = r"\s*(@\S+\s+)?[^\s#]\S*\s+(ssh|ecdsa|sk)-\S+\s+[A-Za-z0-9+/]{16,}=*(\s|$)"


def one_line(text: str) -> str:
    if text.endswith(("\n", "\r")):
        raise ValueError("must be one line, but ends with a line break")
    if any(unicodedata.category(character) in _NOT_IN_A_LINE for character in text):
        raise ValueError("must be one line of UTF-8 without control characters")
    if len(text) > MAX_LINE_LENGTH:
        raise ValueError(f"must have at most {MAX_LINE_LENGTH} characters")
    return text


def key_text(text: str) -> str:
    if any(unicodedata.category(character) == "Cs" for character in text):
        raise ValueError("must be UTF-8 text")
    return text


def known_hosts(text: str) -> str:
    if not any(re.match(_KNOWN_HOST, line) for line in text.splitlines()):
        raise ValueError("must hold known_hosts lines, each a host, a key type and a key")
    return key_text(text)


def whole(minimum: int, maximum: int) -> Callable[[str], int]:
    return partial(_whole, minimum, maximum)


def _whole(minimum: int, maximum: int, text: str) -> int:
    if re.fullmatch("[0-9]{1,9}", text) and minimum <= int(text) <= maximum:
        return int(text)
    raise ValueError(f"must be a whole number from {minimum} to {maximum}")


def seconds(text: str) -> int:
    """Read a length of time: 90m, 26h, 7d."""
    if not re.fullmatch("[1-9][0-9]{0,5}[smhd]", text):
        raise ValueError("must be a number of s, m, h or d, such as 90m, 26h or 7d")
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3_600, "d": 86_400}[text[-1]]


def amount(text: str) -> int:
    """Read a number of bytes: 500MB, 1GB."""
    if not re.fullmatch("[1-9][0-9]{0,5}(kB|MB|GB|TB)", text):
        raise ValueError("must be a number of kB, MB, GB or TB, such as 500MB or 1GB")
    return int(text[:-2]) * {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}[text[-2:]]


def choice(*values: str) -> Callable[[str], str]:
    return partial(_choice, *values)


def _choice(*values_and_text: str) -> str:
    *values, text = values_and_text
    if text not in values:
        raise ValueError(f"must be {', '.join(values[:-1])} or {values[-1]}")
    return text


def name_part(max_length: int) -> Callable[[str], str]:
    """Accept what no shell, path or option could mistake: it becomes part of a file name."""
    return partial(_name_part, max_length)


def _name_part(max_length: int, text: str) -> str:
    if not re.fullmatch(_NAME_PART, text) or len(text) > max_length:
        raise ValueError(
            f"must be at most {max_length} characters, of the kind A-Z a-z 0-9 . _ + -, "
            "and begin with a letter or a digit"
        )
    return text


def version_name(text: str) -> str:
    """Make a name part of what people call a version: `release/2024.1` becomes `release-2024.1`."""
    slug = slug_of(one_line(text))
    if text.startswith("-") or not slug or len(text) > _LONGEST_VERSION:
        raise ValueError(
            f"must be at most {_LONGEST_VERSION} characters, begin with no dash, and hold a"
            " letter or a digit"
        )
    return slug


def slug_of(text: str) -> str:
    """Return "" where nothing is left. What is a name part already stays as it is."""
    if re.fullmatch(_NAME_PART, text):
        return text
    return re.sub(r"[^A-Za-z0-9._+]+", "-", text).lstrip("._+-").rstrip("-")


def compression(text: str) -> str:
    if not re.fullmatch(_COMPRESS, text):
        raise ValueError("must be zstd:1 to zstd:22, gzip:1 to gzip:9, or none")
    return text


def table_patterns(text: str) -> str:
    if not re.fullmatch(_TABLES, one_line(text)):
        raise ValueError(
            "must be names such as schema.table, with commas between them; * and ? stand for any"
            " letters and for one, and a name with other than a-z 0-9 _ $ goes into double quotes"
        )
    return text


def as_expression(patterns: str) -> str:
    """Return the regular expression, for PostgreSQL, of SCHEMA.TABLE in those patterns."""
    wild = {"*": "[^.]*", "?": "[^.]"}
    parts = re.findall(rf"({_PART})(\.|\s*,\s*|$)", patterns)
    found = ""
    for part, end in parts:
        quoted = part.startswith('"')
        name = part.strip('"') if quoted else part
        found += "".join(
            each if each.isalnum() else (wild.get(each) if not quoted else None) or f"\\{each}"
            for each in name
        )
        found += "\\." if end == "." else "|"
    return f"^({found.rstrip('|')})$"


def host(text: str) -> str:
    """Accept a host, an address, an ssh_config alias or a profile: never a path or an option."""
    if not re.fullmatch(_HOST, text):
        raise ValueError("must be a host name, an address, an ssh_config alias or a profile")
    try:
        text.encode("idna")  # what looking it up would do: no empty part, none over 63 characters
    except UnicodeError:
        raise ValueError("must be a host name, and cannot be one as it stands") from None
    return text


def user(text: str) -> str:
    if not re.fullmatch(_USER, one_line(text)):
        raise ValueError("must be a user name: no space, no leading dash, no shell character")
    return text


def remote_directory(text: str) -> str:
    """Return `~`, `~/…` or an absolute path; what is relative to the remote home becomes `~/…`."""
    parts = [part for part in one_line(text).split("/") if part not in {"", "."}]
    if ".." in parts:
        raise ValueError("must not contain '..'")
    if text.startswith("/"):
        if not parts:
            raise ValueError("must not be the root directory")
        return "/" + "/".join(parts)
    if text == "~" or text.startswith("~/"):
        return "/".join(parts)
    if text.startswith("~"):
        raise ValueError("must not begin with ~user: only ~/ is expanded; write the absolute path")
    return "/".join(["~", *parts])


def local_file(text: str) -> Path:
    """Expand `~`; whether the file is there is a question for `readable`."""
    try:
        return Path(one_line(text)).expanduser()
    except RuntimeError:
        raise ValueError("names a home directory that does not exist here") from None


def readable(path: Path) -> Path:
    # Asked, not opened: a file descriptor from a shell's <(…) can be read only once.
    if not os.path.exists(path):  # noqa: PTH110 - pathlib's raises where the path cannot be searched
        raise ValueError("must be a file on this machine, but there is none")
    if path.is_dir():
        raise ValueError("must be a file, but is a directory")
    if not os.access(path, os.R_OK):
        raise ValueError("must be a file that you may read, but permission is denied")
    return path
