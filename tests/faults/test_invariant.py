"""What the invariant is there to notice, it does notice."""

from contextlib import contextmanager

import pytest

from tests.faults.fault import Fault
from tests.faults.invariant import check
from tests.project import PASSWORD


def with_a_changed_archive(scene):
    archive = min(scene.backup_dir.glob("*.manifest"))
    archive.write_text(archive.read_text() + "\n")


def with_a_lost_archive(scene):
    min(scene.backup_dir.glob("*.dump")).unlink()


def with_an_unfinished_file_of_others(scene):
    (scene.backup_dir / "notes.partial").touch()


def with_a_role(scene):
    scene.pg.superuser("CREATE ROLE left_behind")


def with_a_secret(scene):
    (scene.backup_dir / "notes").write_text(PASSWORD)


def with_a_status_that_is_too_good(scene):
    """Of the run before, where this one should have left its own."""
    scene.settings["DB_BIN_DIR"] = "/nowhere"
    kept = (scene.backup_dir / "status").read_text()
    scene.at_last = lambda: (scene.backup_dir / "status").write_text(kept)


@pytest.mark.parametrize(
    "harm",
    [
        with_a_changed_archive,
        with_a_lost_archive,
        with_an_unfinished_file_of_others,
        with_a_role,
        with_a_secret,
        with_a_status_that_is_too_good,
    ],
    ids=lambda harm: harm.__name__,
)
def test_a_run_does_not_pass(scene, harm):
    scene.at_last = lambda: None

    @contextmanager
    def inject(scene):
        harm(scene)
        yield
        scene.at_last()

    try:
        with pytest.raises(AssertionError):
            check(scene, Fault("harm", "none", codes=(0, 10), says="", inject=inject))
    finally:
        scene.pg.superuser("DROP ROLE IF EXISTS left_behind")
