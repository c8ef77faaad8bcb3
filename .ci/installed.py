"""Install a wheel into a fresh environment, and use it there: `make dist`.

A checkout has every file, so nothing in a checkout shows that a file is missing in the wheel. This
compares the wheel with the checkout, and then works as a team does: with a fabfile of three lines.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
ROOMS = ("config", "remote", "tasks")
FABFILE = "from fabric_predeploy.tasks import namespace\n"
USED = """
from importlib.metadata import version
from fabric_predeploy.remote._door import contract
from fabric_predeploy.tasks import namespace

print(version("fabric-predeploy"), len(namespace.task_names))
for path in sorted(contract.files().values()):
    print(path.name, len(path.read_bytes()))
"""


def main(wheel: Path) -> None:
    check_files(wheel)
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        programs = install(wheel, directory / "environment")
        (directory / "fabfile.py").write_text(FABFILE, encoding="utf-8")
        listed = run(programs / "fab", "--list", cwd=directory)
        told = run(programs / "python", "-c", USED, cwd=directory)
        run(programs / "fab", "--help", "predeploy", cwd=directory)
    here = run(sys.executable, "-c", USED, cwd=ROOT)
    if told != here:
        sys.exit(f"The wheel is not this checkout. Installed:\n{told}\nHere:\n{here}")
    commands = sum(line.startswith("  ") for line in listed.splitlines())
    if commands != int(told.split()[1]):
        sys.exit(f"fab --list does not show each command:\n{listed}")
    print(f"{wheel.name} is installed and used: {commands} commands are listed")


def check_files(wheel: Path) -> None:
    """Each file that the product is made of is in the wheel, and is the same there."""
    tracked = run("git", "ls-files", *ROOMS, "__init__.py", "__main__.py", "py.typed", cwd=ROOT)
    with ZipFile(wheel) as packed:
        inside = set(packed.namelist())
        for name in tracked.splitlines():
            there = f"fabric_predeploy/{name}"
            if there not in inside:
                sys.exit(f"{wheel.name} lacks {name}: see [tool.setuptools] in pyproject.toml")
            if packed.read(there) != (ROOT / name).read_bytes():
                sys.exit(f"{wheel.name} has another {name} than this checkout")


def install(wheel: Path, environment: Path) -> Path:
    uv = Path(sys.executable).with_name("uv")
    run(uv, "venv", "--quiet", "--python", sys.executable, environment, cwd=ROOT)
    python = environment / "bin" / "python"
    run(uv, "pip", "install", "--quiet", "--python", python, wheel.resolve(), cwd=ROOT)
    return python.parent


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, check=False, encoding="utf-8"
    )
    if done.returncode:
        sys.exit(f"{command[0]} ended with exit code {done.returncode}:\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]))
