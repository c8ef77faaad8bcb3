"""The proof of an archive, and a test restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._door.script import Step
from ._dumping import content
from ._texts import sql_of

if TYPE_CHECKING:
    from ...config.settings import Settings


def verify(proof: str, archive: str = "") -> Step:
    """Without an archive: the dump that an earlier step of the same run has taken."""
    return Step("verify", {"proof": proof, "archive": archive})


def place(settings: Settings, here_major: int = 0) -> Step:
    """Where `drill` is to restore; before the dump, as it may take a second to be ready.

    With the proof `auto` there need not be a place. `here_major` is the newest version of the
    server programs on the client's machine, which may stand in for the host.
    """
    is_free = settings.proof == "auto"
    return Step(
        "place",
        {
            "drill": settings.drill or "",
            "drill_db": settings.drill_db or "",
            "most_bytes": str(settings.drill_most_bytes) if is_free else "",
            "here_major": str(here_major) if is_free else "",
        },
    )


def compare(proof: str) -> Step:
    """How `drill` compares; it goes before it."""
    equal = proof == "equal"
    sql = {"compare_sql": sql_of("compare") if equal else ""}
    return Step("compare", {"proof": proof, **content(hashes=equal), **sql})


def apart() -> Step:
    """What `drill` makes by name in a server of its own; it goes before it."""
    return Step(
        "apart", {f"{name}_sql": sql_of(name) for name in ("apart", "drill_create", "drill_limit")}
    )


def drill(settings: Settings) -> Step:
    """Of what `verify` has looked at; after `back`, `beside`, `compare` and `apart`."""
    return Step(
        "drill",
        {
            "drill_db_sql": sql_of("drill_db") if settings.drill_db else "",
            "again_sql": sql_of("again"),
            "again_rows": str(settings.drill_again_rows),
            "drill_timeout_seconds": str(settings.drill_timeout_seconds),
        },
    )


def defer(proof: str) -> Step:
    """After `publish`: what it has published counts once `record` has told of that proof."""
    return Step("defer", {"proof": proof})


def record(name: str, sha256: str, proof: str, known_proof: str, because: str = "") -> Step:
    """What a test restore elsewhere has shown; or `because` of what it has not."""
    return Step(
        "record",
        {
            "archive": name,
            "sha256": sha256,
            "proof": proof,
            "known_proof": known_proof,
            "because": because,
        },
    )
