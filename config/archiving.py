"""The settings that say how archives are taken, proven and kept."""

from dataclasses import dataclass
from typing import Final

from .parsers import (
    amount,
    choice,
    compression,
    name_part,
    one_line,
    remote_directory,
    table_patterns,
    version_name,
    whole,
)
from .spec import Flag, setting

_A_DAY_SECONDS: Final = 86_400
_MAX_KEPT: Final = 10_000
_NO_RULE: Final = "no such rule"


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Archives:
    """The archives."""

    backup_dir: str = setting(
        "BACKUP_DIR",
        remote_directory,
        "~/backups/postgres/pre-deployment",
        "Directory for the archives on the host. `~` is the user's home there.",
        there=True,
    )
    project: str = setting(
        "BACKUP_PROJECT", name_part(50), "pricehawk", "First part of an archive's name.", there=True
    )
    version: str | None = setting(
        "BACKUP_VERSION",
        version_name,
        None,
        "Version in an archive's name. `release/2024.1` becomes `release-2024.1`.",
        unset="`git describe --tags --always --dirty`, or `unversioned`",
        flag=Flag(
            "--version",
            ("predeploy", "backup", "doctor"),
            "name part of the archive; default: git describe",
        ),
    )
    compress: str | None = setting(
        "BACKUP_COMPRESS",
        compression,
        None,
        "Compression: `zstd:1` to `zstd:22`, `gzip:1` to `gzip:9`, or `none`.",
        unset="`zstd:1` where pg_dump has it (16 and newer), else `gzip:1`",
        there=True,
    )
    exclude_tables: str | None = setting(
        "BACKUP_EXCLUDE_TABLES",
        table_patterns,
        None,
        "Tables of extensions and of other roles that the archive leaves out, as in `cron.job,"
        " audit.*`. A table that a restore would drop is refused (exit 10).",
        unset="no table is left out",
    )


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Proof:
    """What must be proven."""

    proof: str = setting(
        "BACKUP_PROOF",
        choice("auto", "written", "read", "restored", "equal"),
        "auto",
        "Grade of proof that predeploy demands: `auto`, `written`, `read`, `restored` or `equal`."
        " `auto` means `restored` where a test restore can be made at once, and `read` elsewhere.",
        flag=Flag(
            "--proof",
            ("predeploy", "verify"),
            "grade to demand: auto, written, read, restored or equal",
        ),
        there=choice("auto", "written", "read"),  # no test restore is made there
    )
    drill_most_bytes: int = setting(
        "BACKUP_DRILL_MAX",
        amount,
        "1GB",
        "Largest database that `auto` makes a test restore of: a number of kB, MB, GB or TB.",
    )
    content: str = setting(
        "BACKUP_CONTENT",
        choice("counts", "hash"),
        "counts",
        "What the manifest keeps of each table: `counts` of the rows, or `hash`, of their contents"
        " too. The grade `equal` needs the hashes, and takes them in any case.",
    )
    drill: str | None = setting(
        "BACKUP_DRILL",
        choice("cluster", "database", "runner"),
        None,
        "Place of the test restore: `cluster`, a server of its own on the host; `database`, beside"
        " the live one; or `runner`, a server of its own on the machine that runs fab.",
        unset="the first of these that can be had; `runner` only where the server programs are"
        " there already",
    )
    drill_db: str | None = setting(
        "BACKUP_DRILL_DB",
        one_line,
        None,
        "An empty database for the test restore, where the role may not create one.",
        unset="a new database",
    )
    drill_again_rows: int = setting(
        "BACKUP_DRILL_AGAIN",
        whole(0, 10**9),
        "1000",
        "The way back is tried over the test restore. Tables with at most so many rows take part"
        " with their rows, larger ones without.",
    )
    drill_timeout_seconds: int = setting(
        "BACKUP_DRILL_TIMEOUT",
        whole(1, _A_DAY_SECONDS),
        "3600",
        "Seconds that a test restore may take. Then it is stopped and cleaned up (exit 13).",
    )
    rehearsal: str = setting(
        "BACKUP_REHEARSAL",
        choice("warn", "require", "off"),
        "require",
        "Could this role bring the archive back here? `require` fails where it could not (exit 14),"
        " `warn` warns, and `off` does not ask.",
        flag=Flag(
            "--rehearsal",
            ("predeploy",),
            "warn, require or off: could this role restore it here?",
        ),
        there=True,
    )
    shrink_rows_percent: int = setting(
        "BACKUP_SHRINK_ROWS",
        whole(0, 100),
        "90",
        "predeploy fails (exit 14) where a table has lost this percentage of its rows. 0: not"
        " asked.",
        there=True,
    )
    shrink_bytes_percent: int = setting(
        "BACKUP_SHRINK_BYTES",
        whole(0, 100),
        "50",
        "predeploy fails (exit 14) where the archive is smaller by this percentage. 0: not asked.",
        there=True,
    )


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Kept:
    """What is kept."""

    max_backups: int = setting(
        "MAX_BACKUPS",
        whole(1, _MAX_KEPT),
        "5",
        "Number of archives to keep per project, label and database.",
        flag=Flag(
            "--keep",
            ("predeploy", "rotate"),
            "archives to keep per project, label and database",
        ),
        there=True,
    )
    keep_days: int | None = setting(
        "BACKUP_KEEP_DAYS",
        whole(1, _MAX_KEPT),
        None,
        "Also keep all archives of the last N days.",
        unset=_NO_RULE,
        there=True,
    )
    keep_daily: int | None = setting(
        "BACKUP_KEEP_DAILY",
        whole(1, _MAX_KEPT),
        None,
        "Also keep the newest archive of each of the last N days that have one.",
        unset=_NO_RULE,
        there=True,
    )
    keep_weekly: int | None = setting(
        "BACKUP_KEEP_WEEKLY",
        whole(1, _MAX_KEPT),
        None,
        "Also keep the newest archive of each of the last N weeks that have one.",
        unset=_NO_RULE,
        there=True,
    )
    keep_monthly: int | None = setting(
        "BACKUP_KEEP_MONTHLY",
        whole(1, _MAX_KEPT),
        None,
        "Also keep the newest archive of each of the last N months that have one.",
        unset=_NO_RULE,
        there=True,
    )


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Waiting:
    """Waiting."""

    lock_timeout_seconds: int = setting(
        "BACKUP_LOCK_TIMEOUT",
        whole(1, _A_DAY_SECONDS),
        "30",
        "Seconds to wait for locks in the database.",
        flag=Flag(
            "--lock-timeout",
            ("predeploy", "backup", "restore"),
            "seconds to wait for locks in the database",
        ),
        there=True,
    )
    lock_wait_seconds: int = setting(
        "BACKUP_LOCK_WAIT",
        whole(0, _A_DAY_SECONDS),
        "0",
        "Seconds to wait for another run on the host to end.",
        flag=Flag(
            "--lock-wait",
            ("predeploy", "backup", "restore"),
            "seconds to wait for another run on the host",
        ),
        there=True,
    )
    reconnect_seconds: int = setting(
        "BACKUP_RECONNECT",
        whole(0, _A_DAY_SECONDS),
        "120",
        "Seconds that a run on the host goes on after a lost connection, so that fab can come back."
        " 0: it stops at once.",
    )
