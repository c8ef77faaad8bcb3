"""What other programs of this machine can see of fab: no secret, also where they run as we do."""

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

_SET_DUMPABLE: Final = 4  # of prctl
_ENVIRONMENT_BEGINS, _ENVIRONMENT_ENDS = 47, 48  # in /proc/PID/stat, behind the program's name


def keep(variables: Iterable[str]) -> None:
    """Let nobody but root read these variables out of this process, nor anything else.

    Linux shows with which environment a program was started, in /proc/PID/environ, to every
    program of the same user. Taking a variable away does not change what is shown there. So each
    moves: Python's own copy stays, as a team's tasks in this process read `os.environ`, too, and
    what was given to us is wiped. Besides, Linux is told not to show this process at all: neither
    environment nor memory nor open files. So no debugger can be attached, and no core is dumped.
    """
    if sys.platform != "linux":
        return
    import ctypes

    _wipe(ctypes, variables)
    ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def _wipe(ctypes: Any, variables: Iterable[str]) -> None:
    """The C library copies what is set anew, so nothing points to the old place any more."""
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    begin, end = (int(fields[place]) for place in (_ENVIRONMENT_BEGINS, _ENVIRONMENT_ENDS))
    if not begin < end:  # the kernel does not tell
        return
    for variable in variables:
        if variable in os.environ:
            os.environ[variable] = os.environ[variable]
        given = ctypes.string_at(begin, end - begin)
        for found in re.finditer(rb"(?:\A|\0)" + os.fsencode(variable) + rb"=([^\0]*)", given):
            ctypes.memset(begin + found.start(1), 0, len(found[1]))
