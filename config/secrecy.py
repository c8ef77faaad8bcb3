"""What must not be committed, and what must not be shown."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

_LONGEST_SHOWN: Final = 60
_KEY: Final = re.compile(r"BEGIN [A-Z ]*PRIVATE KEY")
_URL_WITH_PASSWORD: Final = re.compile(r"://[^\s/:@]*:[^\s/@]+@")


def shown(text: str) -> str:
    """Quote a value for a message, unless it looks like a secret set by mistake."""
    if _KEY.search(text) or _URL_WITH_PASSWORD.search(text):
        return "(not shown: it looks like a secret)"
    return repr(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…")


def leaks(text: str, secret_variables: Iterable[str]) -> Iterator[str]:
    """Name what a committed file gives away, even in a comment; never the secret itself."""
    for variable in sorted(secret_variables):
        assignment = rf"^[#\s]*(export\s+)?'?{variable}'?[ \t]*=[ \t]*(\"[^\"]|'[^']|[^\s\"'#])"
        if re.search(assignment, text, re.MULTILINE):
            yield variable
    if _KEY.search(text):
        yield "a private key"
    if _URL_WITH_PASSWORD.search(text):
        yield "a password in a URL"
