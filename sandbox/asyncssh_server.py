"""An SSH server for machines without OpenSSH's: public keys, commands, nothing else.

Run by sandbox/sshd.py as `python -m sandbox.asyncssh_server`.
"""

import argparse
import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import asyncssh


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--uid", type=int, required=True)
    given = parser.parse_args()
    host_keys = [asyncssh.read_private_key(file) for file in given.directory.glob("host_*")]
    authorized = asyncssh.read_authorized_keys(str(given.directory / "authorized_keys"))
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        account = {"user": given.uid, "group": given.uid, "extra_groups": []}
    environment = {
        "HOME": str(given.home),
        "USER": given.user,
        "LOGNAME": given.user,
        "SHELL": "/bin/sh",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }

    async def serve() -> None:
        server = await asyncssh.listen(
            "127.0.0.1",
            given.port,
            server_host_keys=host_keys,
            authorized_client_keys=authorized,
            process_factory=lambda process: _run(
                process, cwd=given.home, env=environment, **account
            ),
            encoding=None,
            allow_pty=False,
            agent_forwarding=False,
        )
        await server.wait_closed()

    asyncio.run(serve())


async def _run(session: "asyncssh.SSHServerProcess[bytes]", **surroundings: Any) -> None:
    if session.command is None:
        session.stderr.write(b"commands only\n")
        session.exit(1)
        return
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        "sh",
        *("-c", session.command),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        start_new_session=True,
        **surroundings,
    )
    await session.redirect(child.stdin, child.stdout, child.stderr)
    status = await child.wait()
    await session.stdout.drain()
    if status < 0:
        session.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))
    else:
        session.exit(status)


if __name__ == "__main__":
    main()
