"""What `ssh` itself makes of ssh_config, where only ssh can tell."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from typing import Any, Final

from ...config.errors import ConfigurationError
from ...config.machine import environment_without_secrets
from .ssh_config_lines import LISTS, ConfigFile
from .tokens import home

_SSH_SECONDS: Final = 30


def answer_of_ssh(
    host: str, undecided: str, files: Sequence[ConfigFile], login: str | None
) -> dict[str, Any]:
    """Ask `ssh -G`, where ssh would read the very files that we do."""
    first = files[0].path
    file = ["-F", str(first)] if len(files) == 1 else []
    user = ["-l", login] if login else []
    why = "there is no ssh client here to ask"
    if not file and home() != pwd.getpwuid(os.getuid()).pw_dir:
        why = "ssh would not read this file, as HOME is not the home directory of the account"
    else:
        try:
            done = subprocess.run(
                ["ssh", "-G", *file, *user, "--", host],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                env=environment_without_secrets(),
                timeout=_SSH_SECONDS,
                check=False,
            )
            if done.returncode == 0:
                return _answered(done.stdout)
            why = f"ssh itself says: {' '.join(done.stderr.split())[:300]}"
        except (OSError, subprocess.TimeoutExpired):
            pass
    raise ConfigurationError(
        f"ssh_config: whether `{undecided}` matches could not be found out: {why}",
        remedy=(
            "install OpenSSH's client, or take that Match out, or give fab another"
            " file: fab -S FILE."
        ),
    )


def _answered(text: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        if keyword in LISTS:
            options.setdefault(keyword, []).append(value)
        else:
            options[keyword] = value
    return options
