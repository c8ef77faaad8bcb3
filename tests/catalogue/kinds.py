"""Every kind of object that PostgreSQL's CREATE commands make, in every form, each in its schema.

An entry of a file in kinds/ begins with `-- @ name | TYPE | signature | flags`: the type and the
signature name the object in ALTER and DROP. The statements below make the object. `-- @ use` begins
what others can build upon the object, `-- @ change` how a deploy alters the object. `:s` is the
schema of the entry, `:n` a name that the database has once.

The flag `15+` says the first version that has the kind; `superuser`, that only a superuser can make
it; `no-rename`, `no-schema`, `no-owner` and `no-drop`, that there is no such change.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILES = Path(__file__).parent / "kinds"
WITHOUT_SCHEMA = ("PUBLICATION", "SERVER", "USER MAPPING", "SCHEMA", "EXTENSION", "LARGE OBJECT")
WITHOUT_SCHEMA += ("LANGUAGE", "EVENT TRIGGER", "CAST")


@dataclass(frozen=True)
class Kind:
    name: str
    type: str
    signature: str
    flags: frozenset[str]
    make: str
    use: str = ""
    change: str = ""

    @property
    def schema(self) -> str:
        return f"k_{self.name}"

    @property
    def since(self) -> int:
        return next((int(flag[:-1]) for flag in self.flags if flag.endswith("+")), 14)

    @property
    def object(self) -> str:
        return f"{self.type} {self.placed(self.signature)}"

    def placed(self, sql: str) -> str:
        """That SQL with the names of this kind."""
        return re.sub(r":n\b", f"n_{self.name}", re.sub(r":s\b", self.schema, sql))

    def can(self, what: str) -> bool:
        return f"no-{what}" not in self.flags


@cache
def all_kinds() -> tuple[Kind, ...]:
    found = []
    for path in sorted(FILES.glob("*.sql")):
        for entry in path.read_text(encoding="utf-8").split("-- @ ")[1:]:
            head, _, body = entry.partition("\n")
            if head in ("use", "change"):
                found[-1][head] = body
            else:
                name, type_, signature, *flags = (each.strip() for each in head.split(" | "))
                several = frozenset(flag.strip() for flag in ",".join(flags).split(",") if flag)
                made = {"name": name, "type": type_, "signature": signature, "flags": several}
                found.append({**made, "make": body})
    return tuple(Kind(**each) for each in found)


def kinds_of(major: int, *, superuser: bool = False) -> list[Kind]:
    """What a plain role can make with that version; and what a superuser can make."""
    there = [kind for kind in all_kinds() if kind.since <= major]
    return [kind for kind in there if superuser or "superuser" not in kind.flags]
