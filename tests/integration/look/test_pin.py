"""pin and unpin: what rotation leaves alone, by name."""

import json


def fab(project, *arguments):
    return project.fab("-H", "demo", *arguments)


def pinned(project):
    entries = json.loads(fab(project, "history", "--json").stdout)
    return [entry["version"] for entry in entries if entry["pinned"]]


def test_rotation_takes_a_pinned_archive_only_after_it_is_unpinned(project):
    for version in ("v1", "v2"):
        project.predeploy(version)

    assert fab(project, "pin", "--file=v1").returncode == 0
    assert pinned(project) == ["v1"]
    fab(project, "rotate", "--keep=1")
    assert len(project.archives()) == 2

    assert fab(project, "unpin", "--file=v1").returncode == 0
    fab(project, "rotate", "--keep=1")
    assert [path.name.split("-")[3] for path in project.archives()] == ["v2"]


def test_what_is_so_already_is_said_and_no_failure(project):
    project.predeploy("v1")
    (archive,) = project.archives()

    assert fab(project, "pin", "--file=latest").stdout == f"pinned {archive.name}\n"
    assert fab(project, "pin", "--file=latest").stdout == f"{archive.name} is pinned already\n"
    assert fab(project, "unpin", "--file=latest").stdout == f"unpinned {archive.name}\n"
    assert fab(project, "unpin", "--file=latest").stdout == f"{archive.name} is not pinned\n"


def test_a_pin_survives_a_verification_and_the_other_way_round(project):
    project.predeploy("v1")
    fab(project, "pin", "--file=v1")

    assert fab(project, "verify").returncode == 0
    assert pinned(project) == ["v1"]
    fab(project, "unpin", "--file=v1")
    assert fab(project, "verify").returncode == 0


def test_what_a_restore_has_kept_goes_once_it_is_unpinned(project):
    project.predeploy("v1")
    for _ in range(2):
        done = fab(project, "restore", "--file=v1", "--yes")
        assert done.returncode == 0, done.stderr
    older, newer = sorted(project.backup_dir.glob("*-pre-restore-*.dump"))
    fab(project, "rotate", "--keep=1")
    assert older.exists()

    assert fab(project, "unpin", f"--file={older.name}").returncode == 0
    fab(project, "rotate", "--keep=1")

    assert not older.exists()
    assert newer.exists()


def test_an_archive_must_be_named_and_be_there(project):
    project.predeploy("v1.9")
    project.predeploy("v1.10")
    for task in ("pin", "unpin"):
        assert fab(project, task).returncode == 2
        for wanted in ("v1", "v2", ""):
            done = fab(project, task, f"--file={wanted}")
            assert done.returncode == 14
            assert f"{task} on demo" in done.stderr
