"""`python -m fabric_predeploy`: what `fab` does, also where there is no fabfile.py yet."""

from importlib.metadata import version

from fabric.config import Config
from fabric.executor import Executor
from fabric.main import Fab

from .tasks import namespace

if __name__ == "__main__":
    Fab(
        name="fabric-predeploy",
        binary="python -m fabric_predeploy",
        version=version("fabric-predeploy"),
        namespace=namespace,
        executor_class=Executor,
        config_class=Config,
    ).run()
