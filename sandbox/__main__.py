"""Command line of the sandbox: `python -m sandbox demo`, `python -m sandbox serve`."""

import argparse
import os
import signal
import sys

from .demo import DEFAULT_MAJOR, demo, serve
from .shop import DEMO_ROWS
from .wheels import DOWNLOADABLE
from .workspace import SandboxError


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="A throwaway host with SSH and PostgreSQL."
    )
    commands = parser.add_subparsers(dest="command", metavar="demo | serve")
    for name, purpose in (
        ("demo", "show the gate on it, then remove it"),
        ("serve", "keep it until Ctrl-C and print how to use it"),
    ):
        command = commands.add_parser(name, help=purpose)
        command.add_argument("--rows", type=_positive, default=DEMO_ROWS, help="of price_history")
        command.add_argument("--version", type=int, default=DEFAULT_MAJOR, choices=DOWNLOADABLE)
    chosen = parser.parse_args()
    if chosen.command is None:
        parser.print_help()
        return 0
    os.umask(0o022)  # the accounts of the sandbox must get into its directories
    for ending in (signal.SIGTERM, signal.SIGHUP):  # unwind, so that everything is removed
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    try:
        if chosen.command == "demo":
            return demo(rows=chosen.rows, major=chosen.version)
        serve(rows=chosen.rows, major=chosen.version)
    except KeyboardInterrupt:
        return 130
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
