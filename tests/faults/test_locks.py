"""Whoever else is at work, or was."""

from tests.faults.locks import GROUP
from tests.faults.table import of


@of(GROUP)
def test_no_fault_harms_what_is_there_or_passes_for_success(fault, is_survived):
    is_survived(fault)
