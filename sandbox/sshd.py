"""SSH servers that live as long as a `with` block, on 127.0.0.1, and leave nothing behind."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from .keys import private_text, public_line
from .serving import running
from .workspace import free_port, unprivileged

UID = 48101  # of the login user; the next one is that of `snoop`, who may only look

_CONFIG = """\
{extra_config}
Port {port}
ListenAddress 127.0.0.1
HostKey {directory}/host_ed25519
HostKey {directory}/host_ecdsa
HostKey {directory}/host_rsa
AuthorizedKeysFile {directory}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitUserRC no
PidFile none
UseDNS no
MaxStartups 100
"""
_SFTP = "Subsystem sftp internal-sftp\n"
# Without root one logs in as oneself: then home and shell are changed on the way in.
_OWN_ACCOUNT = """\
ForceCommand cd && exec {login_shell} -c "$SSH_ORIGINAL_COMMAND"
"""
# PerSourcePenalties came with OpenSSH 9.8, and slows down whoever tests wrong keys.
_START = """\
"$sshd" -t -f "$config" -o PerSourcePenalties=no 2>/dev/null && set -- -o PerSourcePenalties=no
exec "$sshd" -D -e -f "$config" "$@"
"""
# In a private mount namespace: nobody else sees these accounts.
_MOUNTS = """\
set -e
for file in passwd shadow group; do mount --bind "$accounts/$file" "/etc/$file"; done
run=/run
if [ -d /run/sshd ]; then run=/run/sshd; fi
mount -t tmpfs -o mode=0755 tmpfs "$run"
mkdir -p /run/sshd
set +e
"""


@dataclass(frozen=True)
class SshServer:
    host: str
    port: int
    user: str
    home: Path
    uid: int
    known_hosts_line: str
    private_key: str = field(repr=False)
    pid: int


def available() -> bool:
    """Say whether OpenSSH's sshd is here and, for root, whether mounts can be kept private."""
    if _sshd() is None:
        return False
    if os.geteuid() != 0:
        return True
    probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/run"]
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run(probe, capture_output=True, check=False).returncode
    )


@contextmanager
def openssh(  # noqa: PLR0913 - each has a name
    directory: Path,
    *,
    login_shell: str = "/bin/sh",
    extra_config: str = "",
    user: str = "hawk",
    home_name: str = "",
    path: str = "",
) -> Iterator[SshServer]:
    """Run OpenSSH's sshd in a new directory below `directory`, which others can traverse.

    As root, `user` (and `snoop`) exist in the server's mount namespace only; else the login is
    one's own, with another home. Of two lines in sshd_config the first wins: `extra_config`.
    `home_name` is that of the last part of the home directory; `path` is where programs are found.
    """
    sshd = _sshd()
    if sshd is None:
        raise RuntimeError("OpenSSH's sshd is not installed (Debian: openssh-server)")
    place, private_key, host_key = _prepare(directory)
    try:
        root = os.geteuid() == 0
        account = user if root else pwd.getpwuid(os.geteuid()).pw_name
        uid = UID if root else os.geteuid()
        home = _home(place, home_name or account, uid)
        port = free_port()
        config = _CONFIG.format(extra_config=extra_config, port=port, directory=place)
        if "subsystem" not in extra_config.lower():
            config += _SFTP
        environment = {"PATH": path} if path else {}
        if root:
            _write_accounts(place / "etc", account, home, login_shell)
        else:
            config += _OWN_ACCOUNT.format(login_shell=login_shell)
            environment["HOME"] = str(home)
        if environment:  # in one line, as the first of several wins
            pairs = (f'"{name}={value}"' for name, value in environment.items())
            config += f"SetEnv {' '.join(pairs)}\n"
        (place / "sshd_config").write_text(config)
        script = (_MOUNTS if root else "") + _START
        command = ["unshare", "--mount", "sh", "-c", script] if root else ["sh", "-c", script]
        variables = {"sshd": sshd, "config": f"{place}/sshd_config", "accounts": f"{place}/etc"}
        with running(command, place, port, variables) as pid:
            line = f"[127.0.0.1]:{port} {host_key}"
            yield SshServer("127.0.0.1", port, account, home, uid, line, private_key, pid)
    finally:
        shutil.rmtree(place)


@contextmanager
def asyncssh_server(directory: Path, *, user: str = "hawk") -> Iterator[SshServer]:
    """Run a server made with asyncssh, for machines without OpenSSH's; root becomes `nobody`."""
    place, private_key, host_key = _prepare(directory)
    try:
        uid = unprivileged().get("user", os.geteuid())
        home = _home(place, user, uid)
        port = free_port()
        command = [sys.executable, "-m", "sandbox.asyncssh_server", "--directory", str(place)]
        command += ["--port", str(port), "--home", str(home), "--user", user, "--uid", str(uid)]
        variables = {"PYTHONPATH": str(Path(__file__).parents[1])}
        with running(command, place, port, variables) as pid:
            line = f"[127.0.0.1]:{port} {host_key}"
            yield SshServer("127.0.0.1", port, user, home, uid, line, private_key, pid)
    finally:
        shutil.rmtree(place)


def _sshd() -> str | None:
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _prepare(directory: Path) -> tuple[Path, str, str]:
    """Return a new directory with host keys, the login's private key, and the public host key."""
    place = Path(tempfile.mkdtemp(prefix="sshd-", dir=directory))
    place.chmod(0o755)
    host_keys: dict[str, PrivateKeyTypes] = {
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
        "ecdsa": ec.generate_private_key(ec.SECP256R1()),
        "rsa": rsa.generate_private_key(65537, 2048),
    }
    for kind, key in host_keys.items():
        file = place / f"host_{kind}"
        file.touch(mode=0o600)
        file.write_text(private_text(key))
    login = ed25519.Ed25519PrivateKey.generate()
    (place / "authorized_keys").write_text(public_line(login) + "\n")
    return place, private_text(login), public_line(host_keys["ed25519"])


def _home(place: Path, name: str, uid: int) -> Path:
    home = place / "home" / name
    home.mkdir(parents=True)
    home.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(home, uid, uid)
    return home


def _write_accounts(etc: Path, user: str, home: Path, shell: str) -> None:
    """Write the machine's accounts and ours; the password `*` bars passwords, but not keys."""
    snoop = _home(etc.parent, "snoop", UID + 1)
    entries = {
        "passwd": [
            f"{user}:x:{UID}:{UID}::{home}:{shell}",
            f"snoop:x:{UID + 1}:{UID + 1}::{snoop}:/bin/sh",
            "sshd:x:102:65534::/run/sshd:/usr/sbin/nologin",
        ],
        "shadow": [f"{name}:*:19000:0:99999:7:::" for name in (user, "snoop", "sshd")],
        "group": [f"{user}:x:{UID}:", f"snoop:x:{UID + 1}:"],
    }
    etc.mkdir(mode=0o755)
    for name, ours in entries.items():
        file = etc / name
        theirs = Path("/etc", name).read_text().splitlines()
        taken = {line.split(":")[0] for line in theirs}
        new = [line for line in ours if line.split(":")[0] not in taken]
        file.touch(mode=0o640 if name == "shadow" else 0o644)
        file.write_text("\n".join([*theirs, *new]) + "\n")
