"""What a person types: decide, call steps, print."""

from invoke.collection import Collection

from .backup import backup
from .history import history
from .predeploy import predeploy
from .rotate import rotate
from .verify import verify

__all__ = ["backup", "history", "namespace", "predeploy", "rotate", "verify"]

namespace = Collection(predeploy, backup, verify, rotate, history)
