"""What a person types: decide, call steps, print."""

from invoke.collection import Collection

from .backup import backup
from .connection import connection
from .doctor import doctor
from .history import history
from .init import init
from .install import install
from .logs import logs
from .pin import pin, unpin
from .predeploy import predeploy
from .restore import restore
from .rollback import rollback_on_failure
from .rotate import rotate
from .status import status
from .verify import verify

__all__ = [
    "backup",
    "connection",
    "doctor",
    "history",
    "init",
    "install",
    "logs",
    "namespace",
    "pin",
    "predeploy",
    "restore",
    "rollback_on_failure",
    "rotate",
    "status",
    "unpin",
    "verify",
]

namespace = Collection(
    predeploy,
    restore,
    backup,
    verify,
    rotate,
    history,
    status,
    logs,
    pin,
    unpin,
    init,
    doctor,
    install,
)
