"""What this machine believes of the manifest of an archive that a host has given to it.

A test restore here is made by the steps that a host runs, in a server whose superuser could run
programs as we can. So what a host writes must not become a statement of that superuser's.
"""

import locale
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from ...config.errors import UnprovenError

_NAME: Final = "[A-Za-z0-9_.@=;, -]{0,200}"
_TEXT: Final = r"(?:'(?:[^'\\\x00-\x1f\x7f]|'')*'|E'(?:[^'\\\x00-\x1f\x7f]|''|\\\\)*')"
# As locale.sql writes it, from PostgreSQL 14 to 18.
_LOCALE: Final = re.compile(
    rf"ENCODING '([A-Za-z0-9_]{{1,40}})' LC_COLLATE '({_NAME})' LC_CTYPE '({_NAME})'"
    rf"((?: LOCALE_PROVIDER (?:libc|builtin BUILTIN_LOCALE '{_NAME}'|icu ICU_LOCALE '{_NAME}'))?"
    rf"(?: ICU_RULES {_TEXT})?)"
)


class Believed(NamedTuple):
    manifest: bytes
    notes: list[str]


def rewrite(archive: Path) -> list[str]:
    """Leave in its manifest what a host may tell to this machine; return notes on what is not."""
    manifest = archive.with_suffix(".manifest")
    told = believed(manifest.read_bytes(), archive.name, _is_known)
    manifest.write_bytes(told.manifest)
    return told.notes


def _is_known(name: str) -> bool:
    """A name that does not fit in is not known here."""
    if not re.fullmatch(r"[\w.@,+-]{1,100}", name, re.ASCII):
        return False
    before = locale.setlocale(locale.LC_COLLATE)
    try:
        locale.setlocale(locale.LC_COLLATE, name)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_COLLATE, before)
    return True


def believed(manifest: bytes, name: str, is_known: Callable[[str], bool]) -> Believed:
    """Raise UnprovenError (13) where it does not hold what a dump of ours would have put there.

    `is_known` says whether this machine has a locale: instead of another, C.UTF-8 or C is taken.
    """
    if b"\0" in manifest:
        raise _refusal(name, "holds a character that no manifest has")
    notes = list[str]()
    lines = manifest.decode(errors="surrogateescape").split("\n")
    several = [line.removeprefix("locale=") for line in lines if line.startswith("locale=")]
    told = [_LOCALE.fullmatch(each) for each in several]
    if len(told) > 1 or None in told:
        raise _refusal(name, "does not tell in the words of a dump how the database sorts")
    kept = [line for line in lines if not line.startswith(("as_superuser=", "locale="))]
    # It may create in every schema there: so the way back is tried here with all schemas open.
    opened = ["opens_schemas=yes"] if "as_superuser=yes" in lines else []
    if opened:
        notes.append(
            "the host says that the archive is of a superuser: on this machine it is restored"
            " without such rights"
        )
    for place in filter(None, told):
        missing = {each for each in (place[2], place[3]) if not is_known(each)}
        instead = "C.UTF-8" if place[1] == "UTF8" and is_known("C.UTF-8") else "C"
        collate, ctype = (instead if each in missing else each for each in (place[2], place[3]))
        kept.insert(
            0,
            f"locale=ENCODING '{place[1]}' LC_COLLATE '{collate}' LC_CTYPE '{ctype}'{place[4]}",
        )
        if missing:
            notes.append(
                f"this machine does not know the locale {', '.join(sorted(missing))}: the test"
                f" restore sorts as {instead}"
            )
    text = "\n".join(["as_superuser=no", *opened, *kept])
    return Believed(text.encode(errors="surrogateescape"), notes)


def _refusal(name: str, why: str) -> UnprovenError:
    return UnprovenError(
        f"the manifest of {name} {why}: it is not tried on this machine",
        remedy="see on the host who has changed it; do not trust this archive.",
    )
