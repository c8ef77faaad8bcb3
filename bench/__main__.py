"""Measure predeploy against pg_dump through ssh, typed by hand; `python -m bench`.

BENCH_RUNS: pairs per row, default 7. BENCH_ROWS: price observations in the large shop, 0 for no
large one. BENCH_ONLY: some of list,small,many,large,restore,proof. A missed target is shown, and is
no failure. Without BENCH_ONLY and BENCH_ROWS, the table is written into docs/performance.md.
"""

import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from sandbox.shop import LARGE_ROWS, SMALL_ROWS
from sandbox.sshd import available
from sandbox.wheels import downloaded, embedded, stock
from sandbox.workspace import SandboxError

from .host import OLD_PG_DUMP, Host, host, run
from .proving import drilling, many_tables, proving
from .proxy import delayed
from .report import Row, markdown, page
from .restoring import planning, restoring

CHECKOUT = Path(__file__).resolve().parents[1]
PAGE = CHECKOUT / "docs" / "performance.md"
RUNS = int(os.environ.get("BENCH_RUNS") or 7)
ROWS = int(os.environ.get("BENCH_ROWS") or LARGE_ROWS)
ONLY = (os.environ.get("BENCH_ONLY") or "list,small,many,large,restore,proof").split(",")
LIST_RUNS = max(15, RUNS)
RESTORE_RUNS = min(3, RUNS)  # each takes half a minute
LIST_TARGET = 1.15
SMALL_TARGETS = {0: 1.1, 50: 1.0, 100: 1.0}  # by round trip in milliseconds
LARGE_TARGETS = {True: (0.70, 1.12), False: (0.60, 0.95)}  # old pg_dump or not: time, size
MAX_CHANNELS = 3
BARE_FABFILE = """\
from fabric import task

@task
def check(c):
    \"\"\"Look whether all is well.\"\"\"

@task
def deploy(c):
    \"\"\"Deploy.\"\"\"
"""

Way = Callable[[], None]
Cost = tuple[float, float]  # wall and CPU seconds


def main() -> int:
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    rows: list[Row] = []
    try:
        for row in measure():
            rows.append(row)
            print(row, file=sys.stderr, flush=True)
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(markdown(rows))
    if not (os.environ.get("BENCH_ONLY") or os.environ.get("BENCH_ROWS")):
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")
    print(f"\nEvery number: {save(rows)}", file=sys.stderr)
    return 0


def measure() -> Iterator[Row]:
    if "list" in ONLY:
        yield from listing()
    sized = ("small", "many", "large", "restore", "proof")
    sizes = [size for size in sized if size in ONLY and (size in ("small", "many") or ROWS)]
    if not sizes:
        return
    if not available():
        raise SandboxError("the bench needs OpenSSH's sshd and, for root, private mounts")
    for bin_dir in (_stock_15() or downloaded(15), embedded()):
        with host(bin_dir) as here:
            if "small" in sizes:
                yield from small(here)
            if "many" in sizes:
                yield many_tables(here, turns)
            if "large" in sizes:
                yield from large(here)
            if "restore" in sizes:
                yield from restores(here)
            if "proof" in sizes:
                yield from proofs(here)


def listing() -> Iterator[Row]:
    fab = Path(sys.executable).with_name("fab")
    with tempfile.TemporaryDirectory() as bare:
        Path(bare, "fabfile.py").write_text(BARE_FABFILE)
        ours, theirs = in_turns(
            lambda: run([fab, "--list"], CHECKOUT),
            lambda: run([fab, "--list"], Path(bare)),
            LIST_RUNS,
        )
    for number, word in enumerate(("", ", CPU time")):
        what = f"`fab --list` against a bare fabfile's{word}"
        yield Row(what, [x[number] for x in ours], [x[number] for x in theirs], "s", LIST_TARGET)


def small(here: Host) -> Iterator[Row]:
    size = f"{here.fill('small', SMALL_ROWS) / 1e6:.0f} MB, {here.name}"
    yield channels(here, "small")
    for milliseconds, target in SMALL_TARGETS.items():
        way_there = delayed(here.ssh.port, milliseconds / 1000)
        with way_there if milliseconds else nullcontext(here.ssh.port) as port:
            times = compare(here, "small", port, wrapper=here.installed)
        yield Row(f"{size}, {milliseconds} ms round trip", *times, "s", target)
    yield drilling(here, "small", size, turns)
    if here.installed:
        times = compare(here, "small", here.ssh.port, wrapper=False)
        yield Row(f"{size}, 0 ms, by hand without Debian's pg_wrapper", *times, "s")


def large(here: Host) -> Iterator[Row]:
    what = f"{here.fill('large', ROWS) / 1e6:.0f} MB, {here.name}"
    target, size_target = LARGE_TARGETS[here.pg.major <= OLD_PG_DUMP]
    times = compare(here, "large", here.ssh.port, wrapper=here.installed)
    yield Row(what, *times, "s", target)
    ours, theirs = here.sizes()
    yield Row(f"size of the archive, {what}", [ours], [theirs], "MB", size_target)


def restores(here: Host) -> Iterator[Row]:
    what = f"{here.fill('back', ROWS) / 1e6:.0f} MB, {here.name}"
    yield planning(here)
    yield from restoring(here, "back", what, turns)


def proofs(here: Host) -> Iterator[Row]:
    what = f"{here.fill('proof', ROWS) / 1e6:.0f} MB, {here.name}"
    yield from proving(here, "proof", what, turns)


def turns(ours: Way, theirs: Way) -> tuple[list[float], list[float]]:
    costs = in_turns(ours, theirs, RESTORE_RUNS, pause_seconds=1.1)
    return [wall for wall, _ in costs[0]], [wall for wall, _ in costs[1]]


def compare(
    here: Host, database: str, port: int, *, wrapper: bool
) -> tuple[list[float], list[float]]:
    ours, theirs = in_turns(
        lambda: here.predeploy(database, port),
        lambda: here.by_hand(database, port, wrapper=wrapper),
        RUNS,
        pause_seconds=1.1,  # archives are ordered by their second: a run waits for one of its own
    )
    return [wall for wall, _ in ours], [wall for wall, _ in theirs]


def channels(here: Host, database: str) -> Row:
    """Count what sshd is asked to run; the naive way needs one."""

    def used(way: Way) -> list[float]:
        before = here.channels()
        way()
        return [here.channels() - before]

    port = here.ssh.port
    ours = used(lambda: here.predeploy(database, port))
    theirs = used(lambda: here.by_hand(database, port, wrapper=here.installed))
    return Row(f"exec channels, {here.name}", ours, theirs, "", MAX_CHANNELS)


def in_turns(
    ours: Way, theirs: Way, runs: int, *, pause_seconds: float = 0
) -> tuple[list[Cost], list[Cost]]:
    """Time both ways, now one first and now the other; the first pair warms caches up."""
    costs: dict[Way, list[Cost]] = {ours: [], theirs: []}
    for number in range(runs + 1):
        for way in (ours, theirs) if number % 2 else (theirs, ours):
            costs[way].append(cost(way))
        time.sleep(pause_seconds)
    return costs[ours][1:], costs[theirs][1:]


def cost(way: Way) -> Cost:
    before, started = _cpu_seconds(), time.perf_counter()
    way()
    return time.perf_counter() - started, _cpu_seconds() - before


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _stock_15() -> Path | None:
    found = stock()
    return found if found and found.parent.name == "15" else None


def save(rows: Sequence[Row]) -> Path:
    file = CHECKOUT / ".cache" / "bench" / f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    records = [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in rows]
    file.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


if __name__ == "__main__":
    sys.exit(main())
