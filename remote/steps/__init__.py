"""One function per <step>.sh in the folders here: it gives what the step declares first."""

from ._by_hand import install, installed, standalone, uninstall
from ._dumping import dump, gate, preflight, publish, shrink
from ._keeping import catalog, pin, prune, retention
from ._looking import LOG_BYTES, logs, look, outline, space, status
from ._proving import apart, compare, defer, drill, place, record, verify
from ._restoring import (
    analyze,
    archive,
    back,
    beside,
    drop_old,
    plan,
    rehearse,
    rehearsing,
    replay,
    restoring,
    salvage,
    swap,
)
from ._running import KEEP_LOGS, attend, awk, lock, programs, psql
from ._transferring import fetch, receive, transfer

__all__ = [
    "KEEP_LOGS",
    "LOG_BYTES",
    "analyze",
    "apart",
    "archive",
    "attend",
    "awk",
    "back",
    "beside",
    "catalog",
    "compare",
    "defer",
    "drill",
    "drop_old",
    "dump",
    "fetch",
    "gate",
    "install",
    "installed",
    "lock",
    "logs",
    "look",
    "outline",
    "pin",
    "place",
    "plan",
    "preflight",
    "programs",
    "prune",
    "psql",
    "publish",
    "receive",
    "record",
    "rehearse",
    "rehearsing",
    "replay",
    "restoring",
    "retention",
    "salvage",
    "shrink",
    "space",
    "standalone",
    "status",
    "swap",
    "transfer",
    "uninstall",
    "verify",
]
