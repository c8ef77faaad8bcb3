"""What somebody who may create in a schema does, to answer for each name in our queries.

Which names those are is read off the product: each word and each operator in its SQL and shell, of
which PostgreSQL has a function, an operator, a type or a relation. See overloads.sql.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.postgres import Postgres, literal

REMOTE = Path(__file__).parents[2] / "remote"
# What SQL looks up where it is written with a word: IN, CASE, USING, NULLIF, LIKE, BETWEEN.
WRITTEN_AS_WORDS = {"=", "<>", "~~", "!~~", "~~*", "!~~*", "<=", ">="}
# The prefix of a line in the server's log: session, application, user, database.
LOGGED = {"log_statement": "all", "log_line_prefix": "%c|%a|%u|%d|"}
OURS = "fabric-predeploy"
PIN = "SET search_path = pg_catalog, pg_temp; SET row_security = off;"
# pg_dump and pg_restore pin theirs in a way of their own.
THEIR_PIN = "SELECT pg_catalog.set_config('search_path', '', false);"


def _text(*suffixes: str) -> str:
    paths = (path for path in sorted(REMOTE.rglob("*.*")) if path.suffix in suffixes)
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def used() -> set[str]:
    text = _text(".sql", ".sh")
    operators = set(re.findall(r"[-+*/<>=~!@#%^&|`?]+", text))
    return set(re.findall(r"[a-z_][a-z0-9_]*", text)) | operators | WRITTEN_AS_WORDS


def called() -> set[str]:
    """Those of them that have arguments, in statements: SQL has some in files of the shell, too."""
    text = _text(".sql") + "\n".join(re.findall(r"(?:tell_psql|ask) .*", _text(".sh")))
    operators = set(re.findall(r"(?<=[\s\w)'\]])[-+*/<>=~!@#%^&|`?]+(?=[\s\w('])", text))
    return set(re.findall(r"([a-z_][a-z0-9_]*) ?\(", text)) | operators | WRITTEN_AS_WORDS


def plant(pg: Postgres, role: str, database: str, *, better: bool = False) -> list[str]:
    """Let that role make them all in `public`; return what it could make."""
    with_arguments = called()
    words = ", ".join(
        f"({literal(word)}, {word in with_arguments})" for word in sorted(used() | with_arguments)
    )
    told = pg.run_as(
        role,
        f"CREATE TEMP TABLE used (word, called) AS VALUES {words};\n"
        f"\\set better {better}\n" + Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"),
        database,
    )
    return [line.removeprefix("made ") for line in told.splitlines() if line.startswith("made ")]


@dataclass(frozen=True)
class Session:
    """One of ours, as a server's log tells of it."""

    user: str
    database: str
    first: str


class ServerLog:
    """What one or several servers have logged; from where it was looked at last."""

    def __init__(self, *files: Path) -> None:
        self.files = files
        self._seen = dict.fromkeys(files, 0)

    def forget(self) -> None:
        self._seen = {file: file.stat().st_size for file in self.files if file.exists()}

    def lines(self) -> Iterable[str]:
        for file in self.files:
            if file.exists():
                text = file.read_bytes()[self._seen.get(file, 0) :]
                yield from text.decode("utf-8", errors="replace").splitlines()

    def marks(self) -> list[str]:
        """Each name of a query of ours that somebody else has answered for."""
        marks = (re.search(rf" MARK {OURS} (.*)$", line) for line in self.lines())
        return sorted({mark[1] for mark in marks if mark})

    def sessions(self) -> dict[str, Session]:
        """By their number, with the first statement of each."""
        found: dict[str, Session] = {}
        for line in self.lines():
            number, _, rest = line.partition("|")
            application, _, rest = rest.partition("|")
            user, _, rest = rest.partition("|")
            database, _, rest = rest.partition("|")
            statement = re.match(r"LOG:  (?:statement|execute [^:]*): (.*)", rest)
            if application == OURS and statement:
                found.setdefault(number, Session(user, database, statement[1]))
        return found

    def unpinned(self) -> list[Session]:
        """Before the pin of ours, nothing but a function that is named with its schema."""
        ours = f"SELECT FROM pg_catalog.current_setting('fabric_predeploy.session'); {PIN} "
        return [
            each
            for each in self.sessions().values()
            if not each.first.startswith(ours) and each.first != THEIR_PIN
        ]
