"""All faults, in the order in which the table has them; and the table."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.catalogue.changes import dropped, of_a_deploy
from tests.catalogue.kinds import all_kinds, kinds_of
from tests.catalogue.test_catalogue import MAJORS, OURS, alone
from tests.faults import (
    accounts,
    archives,
    clock,
    connection,
    database,
    disk,
    drills,
    foreign,
    locks,
    lost,
    programs,
    stopped,
)
from tests.faults.fault import Fault
from tests.integration.strangers.test_parameters import VALUES, WHOSE

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "faults.md"
ROWS = ROOT / ".cache" / "faults"
GROUPS: dict[str, Sequence[Fault]] = {
    connection.GROUP: connection.FAULTS,
    lost.GROUP: lost.FAULTS,
    stopped.GROUP: stopped.FAULTS,
    locks.GROUP: locks.FAULTS,
    accounts.GROUP: accounts.FAULTS,
    database.GROUP: database.FAULTS,
    programs.GROUP: programs.FAULTS,
    disk.GROUP: disk.FAULTS,
    archives.GROUP: archives.FAULTS,
    clock.GROUP: clock.FAULTS,
    foreign.GROUP: foreign.FAULTS,
    drills.GROUP: drills.FAULTS,
}
FAULTS = [fault for faults in GROUPS.values() for fault in faults]
_HEAD = """\
# What has been tried

Each line is a fault that the tests inject into a real `fab predeploy`, over a real sshd, against a
real PostgreSQL, and what came of it. This page is written by the run that has tried them all:
`make faults` (tests/faults).

After every single one of them

- neither a secret nor a traceback has been shown, nor is a secret in a file on the host;
- a run that did not exit 0 has handed nothing over to the jobs that come next (`GITHUB_OUTPUT`) and
  `fab status` does not call it good, unless its archive was there before the fault;
- an archive that is there `fab verify` proves;
- the three archives of before were the same byte for byte, but for what rotation was to remove;
- the next run exited 0, and after it no process, temporary file, lock, role, database or session of
  ours was left.

Not tried: a disk quota that is used up (EDQUOT), as the kernels of the machines that run this have
none that a test could set.

Besides these, `make thorough` tries whole databases on PostgreSQL 14 to 18: a gate that exits 0, a
change, a restore, and a superuser's `pg_dump` of before and after. A restore that is then not exact
is a failed test: the gate was a false green. `make test` tries a sample of each.

- {changes:,} changes of an object by a deploy, of {kinds} kinds of objects and {owners} pairs of
  owners, and {swaps:,} objects that come back by a swap (tests/catalogue);
- {values:,} values of settings that a role, a database or a role in a database may have
  (tests/integration/strangers/test_parameters.py).
"""
_COLUMNS = """
| fault | exit code | what is told | `fab status` then |
|---|---|---|---|
"""


def of(group: str) -> pytest.MarkDecorator:
    """For a test of each fault of a group."""
    rows = [
        pytest.param(fault, id=fault.name, marks=[pytest.mark.thorough] if fault.rare else [])
        for fault in GROUPS[group]
    ]
    return pytest.mark.parametrize("fault", rows)


def row_file(fault: Fault) -> Path:
    return ROWS / f"{FAULTS.index(fault):03}"


def joined() -> str:
    """The table: of the rows that the tests have written now, and of those that it had."""
    parts = [_HEAD.format(**_tried_of_databases())]
    for group, faults in GROUPS.items():
        rows = "\n".join(_row(fault) for fault in faults)
        parts.append(f"\n## {group}\n{_COLUMNS}{rows}\n")
    return "".join(parts)


def _tried_of_databases() -> dict[str, int]:
    several = [kinds_of(major) for major in MAJORS]
    changes = of_a_deploy().values()
    done = sum(bool(change(kind)) for kinds in several for kind in kinds for change in changes)
    swapped = sum(bool(dropped(kind)) for kinds in several for kind in alone(kinds))
    return {
        "changes": len(OURS) * done,
        "kinds": len(all_kinds()),
        "owners": len(OURS),
        "swaps": len(OURS[:-1]) * swapped,
        "values": len(WHOSE) * sum(VALUES.values()),
    }


def _row(fault: Fault) -> str:
    if row_file(fault).exists():
        return row_file(fault).read_text(encoding="utf-8")
    rows = TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else []
    return next(row for row in rows if row.startswith(f"| {fault.name} | "))
