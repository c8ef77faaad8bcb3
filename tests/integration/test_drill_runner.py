"""The proof by a test restore on the machine that runs fab, to which the archive is brought."""

import os
from dataclasses import replace

import pytest

from tests.integration.test_drill import grade, nothing_stays


@pytest.fixture
def here(project, ground):
    """The project on a machine with PostgreSQL's programs, and a cache that we can look into."""
    cache = ground / f"cache-{os.getpid()}-{project.backup_dir.name}"
    cache.mkdir()
    secrets = {
        **project.secrets,
        "XDG_CACHE_HOME": str(cache),
        "PATH": f"{project.pg.bin_dir}:{os.environ['PATH']}",
    }
    return replace(project, secrets=secrets).with_profile(BACKUP_DRILL="runner")


def kept(project):
    """What lies on this machine."""
    cache = project.secrets["XDG_CACHE_HOME"]
    return [name for _, _, names in os.walk(cache) for name in names]


def test_what_was_dumped_comes_back_equal_on_this_machine_before_anything_goes(here):
    for version in ("v1", "v2"):
        done = here.fab(
            "-H", "demo", "predeploy", f"--version={version}", "--proof=equal", "--keep=1"
        )
        assert done.returncode == 0, done.stderr

    assert "equal" in done.stdout
    assert [path.name.split("-")[3] for path in here.archives()] == ["v2"]
    assert grade(here) == "equal"
    assert (here.status()["result"], here.status()["proof"]) == ("success", "equal")
    assert kept(here) == []
    nothing_stays(here)
