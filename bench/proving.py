"""What more proof costs: hashes beside the dump, and a test restore before it is published."""

from collections.abc import Iterator

from .host import Host
from .report import Row
from .restoring import Measured

COUNT_TARGET = 0.1
HASH_TARGET = 0.5
EQUAL_TARGET = 1.6


def proving(here: Host, database: str, what: str, in_turns: Measured) -> Iterator[Row]:
    times = in_turns(lambda: here.count_rows(database), lambda: here.dump_only(database))
    yield Row(f"counting the rows, against the dump alone, {what}", *times, "s", COUNT_TARGET)
    times = in_turns(lambda: here.hash_rows(database), lambda: here.dump_only(database))
    yield Row(f"hashing the contents, against the dump alone, {what}", *times, "s", HASH_TARGET)
    port = here.ssh.port
    times = in_turns(
        lambda: here.predeploy(database, port, "--proof=equal"),
        lambda: here.predeploy(database, port, "--proof=read"),
    )
    yield Row(f"predeploy to equal, against read, {what}", *times, "s", EQUAL_TARGET)
