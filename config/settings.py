"""Everything that can be set: one table, from which loading, messages and documentation derive."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from .address import address_host
from .parsers import (
    amount,
    choice,
    compression,
    host,
    key_text,
    known_hosts,
    local_file,
    name_part,
    one_line,
    remote_directory,
    table_patterns,
    user,
    version_name,
    whole,
)

_A_DAY_SECONDS: Final = 86_400
_MAX_KEPT: Final = 10_000


@dataclass(frozen=True)
class Spec:
    variable: str
    parse: Callable[[str], Any]
    flag: str
    secret: bool


def _setting(
    variable: str,
    parse: Callable[[str], Any],
    default: Any = MISSING,
    *,
    flag: str = "command line",
    secret: bool = False,
) -> Any:
    spec = Spec(variable, parse, flag, secret)
    return field(default=default, repr=not secret, metadata={"spec": spec})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one run knows. None means: let ssh_config, the host or the agent decide.

    `backup_dir` and `db_bin_dir` are absolute or begin with `~`, which is the remote home.
    `sources` says for each variable where its value came from.
    """

    # RUF009 below: `_setting` is a `field()`, which ruff cannot see where the type is a Path.

    profile: str = _setting("PREDEPLOY_HOST", host, flag="-H")
    ssh_host: str = _setting("SSH_HOST", address_host)
    ssh_port: int | None = _setting("SSH_PORT", whole(1, 65_535), None, flag="-H")
    ssh_user: str | None = _setting("SSH_USER", user, None, flag="-H")
    ssh_private_key: str | None = _setting("SSH_PRIVATE_KEY", key_text, None, secret=True)
    ssh_key_file: Path | None = _setting("SSH_KEY_FILE", local_file, None)  # noqa: RUF009
    ssh_key_passphrase: str | None = _setting("SSH_KEY_PASSPHRASE", one_line, None, secret=True)
    ssh_certificate: str | None = _setting("SSH_CERTIFICATE", key_text, None)
    ssh_known_hosts: str | None = _setting("SSH_KNOWN_HOSTS", known_hosts, None)
    ssh_known_hosts_file: Path | None = _setting("SSH_KNOWN_HOSTS_FILE", local_file, None)  # noqa: RUF009
    shell_timeout_seconds: int = _setting("SSH_SHELL_TIMEOUT", whole(1, _A_DAY_SECONDS), 15)
    db_name: str = _setting("DB_NAME", one_line)
    db_user: str = _setting("DB_USER", one_line)
    db_password: str | None = _setting("DB_PASSWORD", one_line, None, secret=True)
    db_host: str = _setting("DB_HOST", one_line, "localhost")
    db_port: int = _setting("DB_PORT", whole(1, 65_535), 5432)
    db_bin_dir: str | None = _setting("DB_BIN_DIR", remote_directory, None)
    backup_dir: str = _setting("BACKUP_DIR", remote_directory, "~/backups/postgres/pre-deployment")
    max_backups: int = _setting("MAX_BACKUPS", whole(1, _MAX_KEPT), 5, flag="--keep")
    keep_days: int | None = _setting("BACKUP_KEEP_DAYS", whole(1, _MAX_KEPT), None)
    keep_daily: int | None = _setting("BACKUP_KEEP_DAILY", whole(1, _MAX_KEPT), None)
    keep_weekly: int | None = _setting("BACKUP_KEEP_WEEKLY", whole(1, _MAX_KEPT), None)
    keep_monthly: int | None = _setting("BACKUP_KEEP_MONTHLY", whole(1, _MAX_KEPT), None)
    project: str = _setting("BACKUP_PROJECT", name_part(50), "pricehawk")
    version: str | None = _setting("BACKUP_VERSION", version_name, None, flag="--version")
    git_commit: str | None = None
    version_note: str = field(default="", compare=False)  # that it is another than was given
    proof: str = _setting(
        "BACKUP_PROOF",
        choice("auto", "written", "read", "restored", "equal"),
        "auto",
        flag="--proof",
    )
    content: str = _setting("BACKUP_CONTENT", choice("counts", "hash"), "counts")
    exclude_tables: str | None = _setting("BACKUP_EXCLUDE_TABLES", table_patterns, None)
    drill: str | None = _setting("BACKUP_DRILL", choice("cluster", "database", "runner"), None)
    drill_db: str | None = _setting("BACKUP_DRILL_DB", one_line, None)
    drill_most_bytes: int = _setting("BACKUP_DRILL_MAX", amount, 10**9)
    drill_again_rows: int = _setting("BACKUP_DRILL_AGAIN", whole(0, 10**9), 1000)
    drill_timeout_seconds: int = _setting("BACKUP_DRILL_TIMEOUT", whole(1, _A_DAY_SECONDS), 3600)
    rehearsal: str = _setting(
        "BACKUP_REHEARSAL", choice("warn", "require", "off"), "require", flag="--rehearsal"
    )
    shrink_bytes_percent: int = _setting("BACKUP_SHRINK_BYTES", whole(0, 100), 50)
    shrink_rows_percent: int = _setting("BACKUP_SHRINK_ROWS", whole(0, 100), 90)
    compress: str | None = _setting("BACKUP_COMPRESS", compression, None)
    lock_timeout_seconds: int = _setting(
        "BACKUP_LOCK_TIMEOUT", whole(1, _A_DAY_SECONDS), 30, flag="--lock-timeout"
    )
    lock_wait_seconds: int = _setting(
        "BACKUP_LOCK_WAIT", whole(0, _A_DAY_SECONDS), 0, flag="--lock-wait"
    )
    reconnect_seconds: int = _setting("BACKUP_RECONNECT", whole(0, _A_DAY_SECONDS), 120)
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def least_proof(self) -> str:
        """The grade that an archive must have in any case."""
        return "read" if self.proof == "auto" else self.proof

    @property
    def drilled(self) -> str:
        """The grade that a test restore, where one is made, must come to."""
        return "restored" if self.proof == "auto" else self.proof

    @property
    def hashes(self) -> bool:
        """Whether a dump takes what the proof `equal` compares."""
        return self.content == "hash" or self.proof == "equal"


SPECS: Final[Mapping[str, Spec]] = {
    item.name: item.metadata["spec"] for item in fields(Settings) if "spec" in item.metadata
}
REQUIRED: Final = tuple(
    SPECS[item.name].variable
    for item in fields(Settings)
    if item.name in SPECS and item.default is MISSING
)
VARIABLES: Final = tuple(spec.variable for spec in SPECS.values())
# What makes sense there without a client: it does not know the version, and does not come back.
# The script that is put there makes no test restore, and either takes hashes or does not.
ON_THE_HOST: Final[Mapping[str, str]] = {
    name: spec.variable
    for name, spec in SPECS.items()
    if spec.variable.startswith(("DB_", "BACKUP_", "MAX_"))
    and not spec.secret
    and spec.variable
    not in ("BACKUP_VERSION", "BACKUP_RECONNECT", "BACKUP_CONTENT", "BACKUP_EXCLUDE_TABLES")
    and not spec.variable.startswith("BACKUP_DRILL")
}
SECRET_VARIABLES: Final = frozenset(spec.variable for spec in SPECS.values() if spec.secret)
