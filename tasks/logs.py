"""Show what a run has logged on the host."""

from __future__ import annotations

from ..remote import recipes
from ._host.choosing import chosen
from ._host.command import Call, command
from ._show.report import note, tell
from ._show.units import size


@command(file="of the run that has made this archive: name, unique part, or latest")
def logs(call: Call, file: str | None = None) -> str:
    """Show the log of the last run, or of the one that made an archive."""
    from ..remote.catalog import read

    with call.session() as host:
        archive = ""
        if file is not None:
            catalog = read(host.must("logs", recipes.listing()))
            archive = chosen(host, "logs", catalog, file).name
        told = host.must("logs", recipes.telling_log(archive)).must("logs")
        note(f"{told['log']} in {host.settings.backup_dir} on {host.name}:")
        left_out = told.whole("bytes") - recipes.LOG_BYTES
        if left_out > 0:
            note(f"(its first {size(left_out)} are left out)")
        text = "\n".join(told.all("line"))
        tell(text)
        return text
