"""A sample of archives, verified by test restores."""

import time

from tests.integration.drills import EQUAL


def test_a_sample_is_of_those_whose_proof_is_the_oldest(project):
    for version in ("v1", "v2", "v3"):
        assert project.predeploy(version).returncode == 0
        time.sleep(1)
    first = project.fab("-H", "demo", "verify", "--sample=2")
    second = project.fab("-H", "demo", "verify", "--sample=1")

    assert (first.returncode, second.returncode) == (0, 0)
    assert "v1" in first.stdout
    assert "v2" in first.stdout
    assert "v3" in second.stdout
    assert project.fab("-H", "demo", "verify", "--sample=0").returncode == 2


def test_a_sample_goes_on_to_the_next_though_one_cannot_be_proven(project):
    assert project.predeploy("v1").returncode == 0
    time.sleep(1)
    assert project.predeploy("v2", BACKUP_CONTENT="hash").returncode == 0
    time.sleep(1)

    first = project.fab("-H", "demo", "verify", "--sample=1", EQUAL)
    second = project.fab("-H", "demo", "verify", "--sample=1", EQUAL)

    assert first.returncode == 14
    assert "-v1-" in first.stderr
    assert second.returncode == 0, second.stderr
    assert "-v2-" in second.stdout
