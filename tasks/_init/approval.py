"""Whether a host is the one that is meant: the word of a person for its key."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ...config import errors
from .._show.prompt import typed
from .._show.report import tell
from .._show.stream import is_terminal

if TYPE_CHECKING:
    from ...remote import HostKey


def approve(key: HostKey, fingerprint: str | None) -> None:
    """Raise HostError (3) for another key than the one expected; RefusedError (14) for no word."""
    shown = f"{key.family.upper()} {key.fingerprint}"
    if key.fingerprint == fingerprint or (key.jump and key.place):
        tell(f"the host key of {key.where} is {shown}, as expected")
        return
    if fingerprint and not key.jump:
        raise errors.HostError(
            f"the host key of {key.where} is {shown}, and not {fingerprint}: nothing was written",
            remedy=(
                "ask whoever runs the host for its fingerprint; someone may be between you and it."
            ),
        )
    compare = f"ssh-keygen -lf /etc/ssh/ssh_host_{key.family}_key.pub"
    if not is_terminal(sys.stdin):
        raise errors.RefusedError(
            f"the host key of {key.where} is {shown}, which nobody has"
            " confirmed; nothing was written",
            remedy=(
                f"compare it, logged in there or in the hoster's panel: {compare}\n"
                f"  Only if they are equal, give --fingerprint={key.fingerprint}"
            ),
        )
    known = f"  known already, by {key.place}\n" if key.place else ""
    tell(
        f"\nThe host key of {key.where} is {shown}\n{known}"
        f"Compare it with what the host says, logged in there or in the hoster's panel:\n"
        f"  {compare}"
    )
    answer = typed("Type yes if they are equal: ")
    while answer not in ("yes", "no", None):
        answer = typed("Type yes or no: ")
    if answer != "yes":
        raise errors.RefusedError(
            f"the host key of {key.where} is not confirmed; nothing was written",
            remedy=("compare it first; whoever runs the host can tell you its fingerprint."),
        )
