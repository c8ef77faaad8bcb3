"""The namespace that `fab` loads."""

from fabric_predeploy.tasks import namespace

__all__ = ["namespace"]
