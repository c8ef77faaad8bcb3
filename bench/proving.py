"""What proof costs: hashes beside the dump, a test restore before it is published, many tables."""

from collections.abc import Iterator

from .host import Host
from .report import Row
from .restoring import Measured

COUNT_TARGET = 0.1
HASH_TARGET = 0.5
EQUAL_TARGET = 1.6
DRILL_TARGET = 1.3
MANY_TARGET = 2.0
TABLES = 5000
TABLES_AT_ONCE = 500  # locks of one transaction


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
    yield drilling(here, database, what, in_turns)


def drilling(here: Host, database: str, what: str, in_turns: Measured) -> Row:
    times = in_turns(
        lambda: here.predeploy(database, here.ssh.port, "--proof=restored"),
        lambda: here.dump_and_restore_by_hand(database),
    )
    name = "predeploy to restored, against pg_dump and pg_restore -j2 by hand"
    return Row(f"{name}, {what}", *times, "s", DRILL_TARGET)


def many_tables(here: Host, in_turns: Measured) -> Row:
    here.pg.superuser("CREATE DATABASE tables OWNER shop")
    for first in range(0, TABLES, TABLES_AT_ONCE):
        tables = "".join(
            f"CREATE TABLE t{n} (id serial PRIMARY KEY, name text, at timestamptz DEFAULT now());"
            for n in range(first, first + TABLES_AT_ONCE)
        )
        here.pg.run_as("shop", tables, "tables")
    here.pg.superuser("VACUUM ANALYZE", "tables")
    times = in_turns(
        # The way back of so many tables needs more locks than a stock server has room for.
        lambda: here.predeploy("tables", here.ssh.port, "--rehearsal=warn"),
        lambda: here.dump_only("tables"),
    )
    return Row(f"{TABLES} tables, {here.name}", *times, "s", MANY_TARGET)
