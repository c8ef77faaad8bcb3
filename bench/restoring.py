"""The way back: fab restore against pg_restore by hand into an empty database, of one archive."""

from collections.abc import Callable, Iterator

from .host import Host
from .report import Row

TRANSACTION_TARGET = 1.15
SWAP_TARGET = 1.1
PLAN_CHANNELS = 3
TABLES = 500
Pairs = tuple[list[float], list[float]]
Measured = Callable[[Callable[[], None], Callable[[], None]], Pairs]


def restoring(here: Host, database: str, what: str, in_turns: Measured) -> Iterator[Row]:
    here.predeploy(database, here.ssh.port)
    times = in_turns(
        lambda: here.restore(database, "--mode=transaction"),
        lambda: here.restore_by_hand(database, "--single-transaction"),
    )
    yield Row(f"restore by transaction, {what}", *times, "s", TRANSACTION_TARGET)
    here.pg.superuser("ALTER ROLE shop CREATEDB")
    times = in_turns(
        lambda: here.restore(database, "--mode=swap", "--terminate"),
        lambda: here.restore_by_hand(database, "--jobs=2"),
    )
    here.pg.superuser("ALTER ROLE shop NOCREATEDB")
    yield Row(f"restore by swap, {what}", *times, "s", SWAP_TARGET)


def planning(here: Host) -> Row:
    """Count what sshd is asked to run for the plan of a database of many tables."""
    here.pg.superuser("CREATE DATABASE many OWNER shop")
    tables = "".join(f"CREATE TABLE t{n} (id int PRIMARY KEY);" for n in range(TABLES))
    here.pg.run_as("shop", tables, "many")
    here.predeploy("many", here.ssh.port)
    before = here.channels()
    here.restore("many", "--plan")
    used = float(here.channels() - before)
    return Row(f"exec channels of the plan of {TABLES} tables", [used], [1.0], "", PLAN_CHANNELS)
