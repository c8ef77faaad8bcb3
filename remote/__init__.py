"""What happens on the host: the connection, the one door, and one *.sh file per step."""

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    """Load `steps` when one is asked for: every task names it, and `fab --list` runs none."""
    spec = find_spec(f"{__name__}.{name}") if name == "steps" else None
    if spec is None or spec.loader is None:
        raise AttributeError(name)
    spec.loader = LazyLoader(spec.loader)
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    globals()[name] = module
    return module
