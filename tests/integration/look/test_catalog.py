"""verify, rotate and history on real archives, damaged ones among them."""

import json
import os
import subprocess

import pytest

from tests.project import READABLE


def in_the_middle(data):
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]


DAMAGES = {
    "a flipped bit": in_the_middle,
    "cut in half": lambda data: data[: len(data) // 2],
    "cut by one byte": lambda data: data[:-1],
    "emptied": lambda data: data[:0],
    "replaced": lambda data: bytes(len(data)),
    "grown": lambda data: data + b"x",
    "a bit of its header": lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
}


def history(project):
    return json.loads(project.fab("-H", "demo", "history", "--json").stdout)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_archive_is_exit_13_and_no_longer_counts(project, damage):
    project.predeploy("v1")
    (archive,) = project.archives()
    archive.write_bytes(damage(archive.read_bytes()))

    done = project.fab("-H", "demo", "verify")

    assert done.returncode == 13
    assert "damaged" in done.stderr
    (entry,) = history(project)
    assert entry["proof"] == "failed"


def test_all_archives_are_verified_though_the_first_is_damaged(project):
    for version in ("v1", "v2", "v3"):
        project.predeploy(version)
    first = project.archives()[0]
    first.write_bytes(in_the_middle(first.read_bytes()))

    done = project.fab("-H", "demo", "verify", "--all")

    assert done.returncode == 13
    assert first.name in done.stderr
    assert done.stdout.count("proven (read)") == 2


def test_an_archive_is_found_by_a_part_of_its_name_and_an_ambiguous_part_is_exit_14(project):
    project.predeploy("v1.9")
    project.predeploy("v1.10")

    assert project.fab("-H", "demo", "verify", "--file=v1.10").returncode == 0
    ambiguous = project.fab("-H", "demo", "verify", "--file=v1")
    assert ambiguous.returncode == 14
    assert "v1.9" in ambiguous.stderr
    assert project.fab("-H", "demo", "verify", "--file=v2").returncode == 14


def test_backup_alone_gives_the_grade_written_and_verify_raises_it(project):
    assert project.fab("-H", "demo", "backup", "--version=v1").returncode == 0
    assert [entry["proof"] for entry in history(project)] == ["written"]

    assert project.fab("-H", "demo", "verify").returncode == 0
    assert [entry["proof"] for entry in history(project)] == ["read"]


def test_a_weaker_verification_does_not_take_back_a_better_proof(project):
    project.predeploy("v1")

    assert project.fab("-H", "demo", "verify", "--proof=written").returncode == 0
    assert [entry["proof"] for entry in history(project)] == ["read"]


def test_the_sixth_archive_pushes_the_oldest_out_and_v1_10_is_newer_than_v1_9(project):
    for version in ("v1.8", "v1.9", "v1.10"):
        project.predeploy(version)

    done = project.fab("-H", "demo", "predeploy", "--version=v1.11", "--keep=3")

    assert done.returncode == 0
    assert [entry["version"] for entry in history(project)] == ["v1.9", "v1.10", "v1.11"]
    assert "v1.8" in done.stdout
    assert "beyond the newest 3" in done.stdout
    assert not list(project.backup_dir.glob("*v1.8*"))


def test_a_dry_run_tells_what_a_run_removes_and_removes_nothing(project):
    for version in ("v1", "v2", "v3"):
        project.predeploy(version)

    before = {path: path.read_bytes() for path in project.backup_dir.iterdir()}
    told = project.fab("-H", "demo", "rotate", "--keep=1", "--dry-run").stdout
    assert {path: path.read_bytes() for path in project.backup_dir.iterdir()} == before
    done = project.fab("-H", "demo", "rotate", "--keep=1").stdout

    assert told.replace("would remove", "removed") == done
    assert [path.name.split("-")[3] for path in project.archives()] == ["v3"]


def test_a_rotation_by_hand_looks_at_the_newest_archive_before_others_go_for_it(project):
    for version in ("v1", "v2", "v3"):
        project.predeploy(version)
    newest = project.archives()[-1]
    newest.write_bytes(in_the_middle(newest.read_bytes()))

    done = project.fab("-H", "demo", "rotate", "--keep=1")

    assert done.returncode == 13
    assert newest.name in done.stderr
    assert len(project.archives()) == 3
    assert project.fab("-H", "demo", "rotate", "--keep=1").returncode == 0
    assert [path.name.split("-")[3] for path in project.archives()] == ["v2", "v3"]


OTHER_RUN = """#!/bin/sh
flock {lock} sh -c 'while [ -e {held} ]; do sleep 0.1; done' </dev/null >/dev/null 2>&1 9>&- &
exec {program} "$@"
"""


def test_a_rotation_that_another_run_gets_ahead_of_is_exit_11(project):
    """It has looked at the newest archive, and is about to remove others."""
    for version in ("v1", "v2"):
        project.predeploy(version)
    programs = project.ssh.home / f"programs-{project.backup_dir.name}"
    programs.mkdir()
    held, lock, real = programs / "held", project.backup_dir / "lock", project.pg.bin_dir
    held.touch()
    for name in ("pg_dump", "psql"):
        (programs / name).symlink_to(real / name)
    stub = OTHER_RUN.format(lock=lock, held=held, program=real / "pg_restore")
    (programs / "pg_restore").write_text(stub)
    (programs / "pg_restore").chmod(0o755)

    there = project.with_profile(DB_BIN_DIR=str(programs))
    done = there.fab("-H", "demo", "rotate", "--keep=1")
    held.unlink()

    assert done.returncode == 11
    assert "another run is at work" in done.stderr
    assert len(project.archives()) == 2


def test_other_databases_projects_and_foreign_files_are_left_alone(project):
    project.predeploy("v1")
    project.fab("-H", "demo", "predeploy", "--version=v1", BACKUP_PROJECT="other")
    foreign = project.backup_dir / "by-hand.dump"
    foreign.write_bytes(b"mine")

    project.fab("-H", "demo", "predeploy", "--version=v2", "--keep=1")

    assert foreign.read_bytes() == b"mine"
    assert [entry["project"] for entry in history(project)] == ["other", "pricehawk"]


@pytest.mark.skipif(os.geteuid() != 0, reason="making a file unremovable needs root")
def test_a_rotation_that_fails_is_loud_and_recorded_but_does_not_fail_the_gate(project):
    project.predeploy("v1")
    (first,) = project.archives()
    inside = ["nsenter", f"--target={project.ssh.pid}", "--mount"]
    subprocess.run([*inside, "mount", "--bind", first, first], check=True)
    try:
        done = project.fab("-H", "demo", "predeploy", "--version=v2", "--keep=1")
        alone = project.fab("-H", "demo", "rotate", "--keep=1")
    finally:
        subprocess.run([*inside, "umount", first], check=True)

    assert done.returncode == 0
    assert f"{READABLE} pricehawk-pre-deploy-v2" in done.stdout
    assert "WARNING: the archive is made and proven, but the rotation failed" in done.stderr
    assert first.name in done.stderr
    assert project.status()["result"] == "success"
    assert first.name in project.status()["rotation"]
    assert alone.returncode == 16


def test_two_runs_within_a_second_do_not_collide(project):
    runs = [
        project.start("-H", "demo", "predeploy", "--version=v1", "--lock-wait=30") for _ in range(3)
    ]
    for run in runs:
        run.communicate(timeout=60)

    assert [run.returncode for run in runs] == [0, 0, 0]
    assert len(project.archives()) == 3


def test_the_latest_is_that_of_the_same_project_and_database(project):
    project.predeploy("v1")
    project.fab("-H", "demo", "predeploy", "--version=v2", BACKUP_PROJECT="other")

    assert "pricehawk-pre-deploy-v1" in project.fab("-H", "demo", "verify").stdout


def test_nothing_to_verify_is_exit_14_not_a_green_run(project):
    for which in (["--all"], [], ["--file=v1"], ["--file="]):
        assert project.fab("-H", "demo", "verify", *which).returncode == 14
    assert project.fab("-H", "demo", "verify", "--all", "--file=v1").returncode == 2


def test_a_mistyped_directory_is_not_a_rotation_that_found_nothing(project):
    assert project.fab("-H", "demo", "rotate").returncode == 10


def test_a_reader_that_goes_away_does_not_fail_the_gate(project):
    run = project.start("-H", "demo", "predeploy", "--version=v1")
    run.stdout.close()
    _, errors = run.communicate(timeout=60)

    assert "Traceback" not in errors
    assert run.returncode == 0


def test_history_without_a_directory_is_empty_and_makes_none(project):
    done = project.fab("-H", "demo", "history")

    assert done.returncode == 0
    assert f"no archives in {project.backup_dir}" in done.stdout
    assert not project.backup_dir.exists()
