"""What git says about the working directory, and which version of this package is at work."""

from pathlib import Path
from typing import NamedTuple

from .machine import environment_without_secrets

TIMEOUT_SECONDS = 10.0
_LONGEST = 100


class Answer(NamedTuple):
    """`complaint` is git's own reason where there is no answer."""

    text: str | None
    complaint: str = ""


def describe(directory: Path) -> Answer:
    """Name the version as `git describe --tags --always --dirty` does."""
    answer = _git(directory, "describe", "--tags", "--always", "--dirty")
    if answer.text is None:
        return answer
    return Answer(answer.text[:_LONGEST])


def commit(directory: Path) -> str | None:
    return _git(directory, "rev-parse", "--verify", "HEAD").text


def package() -> str:
    from importlib.metadata import version

    return version("fabric-predeploy")


def ignores(directory: Path, name: str) -> bool | None:
    """Tell whether git leaves that file alone; None where there is no repository, or no git."""
    answer = _git(directory, "check-ignore", "--quiet", name)
    if answer.text is not None:
        return True
    return None if answer.complaint else False


def _git(directory: Path, *arguments: str) -> Answer:
    import subprocess

    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=directory,
            env={**environment_without_secrets(), "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        return Answer(None, "git is not installed")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Answer(None, str(error))
    if done.returncode != 0:
        return Answer(None, " ".join(done.stderr.split("\n", 1)[0].split()))
    return Answer(done.stdout.strip())
