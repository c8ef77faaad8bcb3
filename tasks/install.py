"""Put a script on the host that does there what predeploy does: by hand, and from cron."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..config import errors
from ..remote import recipes
from ._gate.by_hand import text
from ._host.command import Call, command
from ._show.report import tell, warn

if TYPE_CHECKING:
    from ._host.host import Host

_HINT = """\
  by hand    {script} [VERSION]    (settings: {script} --help)
  from cron  0 3 * * * told=$({script} nightly 2>&1) || echo "$told"
             This line prints only if the backup failed, and cron mails what it prints."""


@command(remove="remove it from the host again")
def install(call: Call, remove: bool = False) -> None:
    """Put predeploy on the host as a script: by hand, and from cron."""
    with call.session() as host:
        if host.settings.proof in recipes.DRILLED and not remove:
            raise errors.ConfigurationError(
                f"BACKUP_PROOF={host.settings.proof}: the script on the host makes no test restore",
                remedy=(
                    f"BACKUP_PROOF=read for it; and from here, say, {host.command('verify')}"
                    f" --sample=1 --proof={host.settings.proof}"
                ),
            )
        if remove:
            report = host.must("install", recipes.uninstalling())
            done = "removed" if report.of("installed") else "was not there:"
            tell(f"{done} {report.of('uninstall')['script']} on {host.name}")
        else:
            put(host)


def put(host: Host) -> None:
    from ..config.version import package
    from ..remote.by_hand.standalone import stamped

    content = stamped(text(host.settings), package()).encode()
    sending = recipes.installing(host.settings, content)
    report = host.must("install", sending, payload=[content])
    told, login = report.of("install"), report.of("login")
    done = {"yes": "installed", "no": "already up to date:"}[told.word("changed", "yes", "no")]
    tell(f"{done} {told['script']} on {host.name}\n{_HINT.format(script='~/remote-backup.sh')}")
    if login.word("login", "yes", "no") == "no":
        warn(_no_login(host, login["said"]))


def _no_login(host: Host, said: str) -> str:
    told = f"from cron the script would not get into the database: {said}"
    if "password" not in said:
        return told
    settings = host.settings
    place = "*" if settings.db_host.startswith("/") else settings.db_host  # or it is a socket
    fields = (place, str(settings.db_port), settings.db_name, settings.db_user)
    line = ":".join(re.sub(r"[\\:]", r"\\\g<0>", field) for field in fields)
    return (
        f"{told}\n  What to do: add this line to ~/.pgpass on {host.name}, with the password of"
        f" {settings.db_user} as its end, and give chmod 600 ~/.pgpass:\n  {line}:PASSWORD"
    )
