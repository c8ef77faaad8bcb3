"""What runs on the sandbox's host, and waiting for it to change."""

import time
from contextlib import suppress
from pathlib import Path

from sandbox.serving import descendants


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


def remote_processes(project):
    """What runs in the home of the sandbox's user: all of it is there because of us.

    A nap of a second, whose shell was killed, ends by itself.
    """
    deadline = time.monotonic() + 2
    found = _remote_processes(project)
    while b"sleep 1 " in found and time.monotonic() < deadline:
        time.sleep(0.05)
        found = _remote_processes(project)
    return found


def _remote_processes(project):
    found = [command_line(pid).replace(b"\0", b" ") for pid in at_home(f"{project.ssh.home}\0")]
    return [command for command in found if command]  # an empty one has ended already


def at_home(beginning):
    """The processes whose HOME begins so; the children of a server hide their environment."""
    home = f"HOME={beginning}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if home in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def sessions(project):
    """The sshd processes of logins at the sandbox's own server: another may have the same user."""
    login = f"sshd: {project.ssh.user}@notty".encode()
    ours = descendants(project.ssh.pid)
    return [pid for pid in ours if login in command_line(pid)]


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended since it was listed, or does so at this moment
        return b""
