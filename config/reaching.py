"""The settings that lead to the host and to its database."""

from dataclasses import dataclass
from pathlib import Path

from .address import address_host
from .parsers import (
    host,
    key_text,
    known_hosts,
    local_file,
    one_line,
    remote_directory,
    user,
    whole,
)
from .spec import FABS_OWN, REQUIRED, setting

# RUF009 below: `setting` is a `field()`, which ruff cannot see where the type is a Path.


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Way:
    """The way to the host."""

    profile: str = setting("PREDEPLOY_HOST", host, REQUIRED, flag=FABS_OWN)
    ssh_host: str = setting(
        "SSH_HOST",
        address_host,
        REQUIRED,
        "Host name, address or alias of ssh_config. User and port may stand in it:"
        " `user@host:2222`, `ssh://…`. SiteGround shows host and user in Site Tools > Devs > SSH"
        " Keys Manager, which also takes your public key.",
        unset="the profile's name",
    )
    ssh_port: int | None = setting(
        "SSH_PORT",
        whole(1, 65_535),
        None,
        "Port of the SSH server. SiteGround's is 18765, and lets in keys only, no passwords.",
        unset="what ssh_config says, or 22",
        flag=FABS_OWN,
    )
    ssh_user: str | None = setting(
        "SSH_USER",
        user,
        None,
        "User on the host.",
        unset="what ssh_config says, or your local user",
        flag=FABS_OWN,
    )
    ssh_private_key: str | None = setting(
        "SSH_PRIVATE_KEY",
        key_text,
        None,
        "Text of the private key, as a CI secret. The key may be OpenSSH or PEM; it is kept in"
        " memory only.",
        unset="`SSH_KEY_FILE`",
        secret=True,
    )
    ssh_key_file: Path | None = setting(  # noqa: RUF009
        "SSH_KEY_FILE",
        local_file,
        None,
        "Path of the private key, on the machine that runs fab.",
        unset="fab's `-i`, ssh_config or the ssh agent",
    )
    ssh_key_passphrase: str | None = setting(
        "SSH_KEY_PASSPHRASE",
        one_line,
        None,
        "Passphrase of the private key. A secret, for CI or `.env`.",
        secret=True,
    )
    ssh_certificate: str | None = setting(
        "SSH_CERTIFICATE",
        key_text,
        None,
        "Text of the key's certificate, where hosts trust an authority and not the key.",
        unset="the file `KEY-cert.pub` beside the key file",
    )
    ssh_known_hosts: str | None = setting(
        "SSH_KNOWN_HOSTS",
        known_hosts,
        None,
        "Lines of a known_hosts file that say who the host is; in double quotes if more than one."
        " Not a secret. Hosts whose key is unknown or has changed are refused; `@cert-authority`"
        " and `@revoked` count. `ssh-keyscan -p 18765 ssh.pricehawk.example` prints the lines:"
        " compare the fingerprints in Site Tools.",
        unset="`SSH_KNOWN_HOSTS_FILE`",
    )
    ssh_known_hosts_file: Path | None = setting(  # noqa: RUF009
        "SSH_KNOWN_HOSTS_FILE",
        local_file,
        None,
        "Path of a known_hosts file, on the machine that runs fab.",
        unset="`~/.ssh/known_hosts`",
    )
    shell_timeout_seconds: int = setting(
        "SSH_SHELL_TIMEOUT",
        whole(1, 86_400),
        "15",
        "Seconds that the host's shell may take to begin our script. Nothing secret is sent"
        " before.",
    )


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Database:
    """The database, as seen from the host."""

    db_name: str = setting("DB_NAME", one_line, REQUIRED, "The database. Required.", there=True)
    db_user: str = setting(
        "DB_USER",
        one_line,
        REQUIRED,
        "The role that owns the database's objects. Required.",
        there=True,
    )
    db_password: str | None = setting(
        "DB_PASSWORD",
        one_line,
        None,
        "Password of that role. A secret, for CI or `.env`.",
        unset="`~/.pgpass` on the host",
        secret=True,
    )
    db_host: str = setting(
        "DB_HOST",
        one_line,
        "localhost",
        "The database's server. A pooler must keep one session for each client.",
        there=True,
    )
    db_port: int = setting("DB_PORT", whole(1, 65_535), "5432", "Port of that server.", there=True)
    db_bin_dir: str | None = setting(
        "DB_BIN_DIR",
        remote_directory,
        None,
        "Directory of pg_dump, pg_restore and psql on the host.",
        unset="found, by the server's version",
        there=True,
    )
