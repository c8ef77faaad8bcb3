"""Show what is there."""

from invoke.context import Context
from invoke.tasks import task

from ..remote import steps
from ..remote.catalog import Archive, parse
from .report import as_json, as_table, tell, warn
from .session import session


@task(auto_shortflags=False, help={"json_": "print data instead of a table"})
def history(c: Context, json_: bool = False) -> tuple[Archive, ...]:
    """List the archives on the host, oldest first."""
    with session(c) as host:
        catalog = parse(host.must("history", [steps.catalog()]).facts["catalog"])
        if json_:
            tell(as_json(catalog.archives))
        elif catalog.archives:
            tell(as_table(catalog.archives))
        else:
            tell(f"no archives in {host.settings.backup_dir} on {host.name}")
        for name in catalog.unreadable:
            warn(f"{name} is left out: its manifest is not readable")
        return catalog.archives
