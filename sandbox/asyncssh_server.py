"""An SSH server for machines without OpenSSH's: public keys, commands, nothing else.

Run by sandbox/sshd.py as `python -m sandbox.asyncssh_server`.
"""

import argparse
import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncssh

CHUNK_BYTES = 65536


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
    assert child.stdin  # noqa: S101 - for the type checker, as below
    assert child.stdout  # noqa: S101
    assert child.stderr  # noqa: S101
    feeding = asyncio.create_task(_feed(session.stdin, child.stdin))
    await asyncio.gather(
        _carry(child.stdout, session.stdout),
        _carry(child.stderr, session.stderr),
    )
    status = await child.wait()
    feeding.cancel()
    if status < 0:
        session.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))
    else:
        session.exit(status)


async def _feed(source: "asyncssh.SSHReader[bytes]", target: asyncio.StreamWriter) -> None:
    """Carry the input to the command; it ends with the client's, or with the connection."""
    try:
        while data := await source.read(CHUNK_BYTES):
            target.write(data)
            await target.drain()
    except (OSError, asyncssh.Error):
        pass
    finally:
        target.close()


async def _carry(source: asyncio.StreamReader, target: "asyncssh.SSHWriter[bytes]") -> None:
    """Read to the end even when the client has gone, so that the command does not get stuck."""
    while data := await source.read(CHUNK_BYTES):
        with suppress(OSError, asyncssh.Error):
            target.write(data)
            await target.drain()


if __name__ == "__main__":
    main()
