"""What `status` has found: as text, as data, and as a monitor reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._show.units import age, size
from .health import LEVELS

if TYPE_CHECKING:
    from .found import Status


def as_text(found: Status) -> str:
    first, *others = found.health.why
    lines = [f"{'good' if found.health.good else 'NOT GOOD'} on {found.host}: {first}"]
    lines += [f"  also     {each}" for each in others]
    lines += [f"  problem  {each}" for each in found.last.problems]
    if found.last.facts.get("remedy"):
        lines.append(f"  to do    {found.last.facts['remedy']}")
    if found.newest:
        newest = found.newest
        lines.append(f"  newest   {newest.name}, {newest.proof}, {age(found.age_seconds)} old")
    else:
        lines.append("  newest   no archive of this project and database is proven")
    if found.free_bytes is not None:
        lines.append(f"  space    {size(found.free_bytes)} free, {found.archives} archives")
    if found.last.facts.get("log"):
        lines.append(f"  log      {found.last.facts['log']}: {found.logs}")
    return "\n".join(lines)


def as_data(found: Status) -> dict[str, object]:
    last, code = found.last, found.last.facts.get("code", "")
    run: dict[str, object] = {**last.facts, "problems": list(last.problems)}
    if re.fullmatch("[0-9]{1,3}", code):
        run["code"] = int(code)
    newest = found.newest
    return {
        "good": found.health.good,
        "level": LEVELS[found.health.level],
        "why": list(found.health.why),
        "at_work": last.at_work or None,
        "last": run if last.facts else None,
        "newest_proven": newest
        and {
            "archive": newest.name,
            "age_seconds": int(found.age_seconds),
            "bytes": newest.bytes,
            "proof": newest.proof,
        },
        "archives": found.archives,
        "free_bytes": found.free_bytes,
    }


def line(level: int, text: str) -> str:
    """What comes after a bar would be numbers to a monitor, and what after a line break is lost."""
    return f"{LEVELS[level]} - {' '.join(text.split()).replace('|', '/')}"


def measured(found: Status, max_age_seconds: int | None) -> str:
    """As monitors draw it: name=value with its unit, and the limits."""
    numbers = [f"archives={found.archives};;;0"]
    if found.newest:
        numbers += [
            f"age={found.age_seconds:.0f}s;;{max_age_seconds or ''};0",
            f"size={found.newest.bytes}B;;;0",
        ]
    if found.free_bytes is not None:
        numbers.append(f"free={found.free_bytes}B;;;0")
    return " ".join(numbers)
