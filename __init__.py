"""Pre-deployment PostgreSQL backups over SSH that one can really roll back to."""

import inspect

import invoke

# patchwork holds a team at Fabric 2.7 and invoke 1.7, which asks tasks for their arguments in a way
# that refuses annotations and that Python 3.11 no longer has.
if invoke.__version__.startswith("1."):  # type: ignore[attr-defined]
    inspect.getargspec = inspect.getfullargspec  # type: ignore[assignment]
