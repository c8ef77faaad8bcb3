"""history: what is there, what it weighs, and what goes next."""

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.integration.many import add_archives

NOW = datetime.now(timezone.utc)
COUNTING = """
import atexit, paramiko, sys
opened, original = [], paramiko.Transport.open_session
def counted(*args, **kwargs):
    opened.append(1)
    return original(*args, **kwargs)
paramiko.Transport.open_session = counted
atexit.register(lambda: print('requests', len(opened), file=sys.stderr))
"""


def history(project, *options, **changes):
    done = project.fab("-H", "demo", "history", *options, **changes)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def many(project):
    names = add_archives(project.backup_dir, 3000, NOW)
    return project, names


def test_an_archive_is_told_with_its_age_size_duration_proof_and_version(project):
    project.predeploy("v1.0.0")

    lines = history(project, COLUMNS="200").stdout.splitlines()

    (archive,) = project.archives()
    took = json.loads(history(project, "--json").stdout)[0]["dump_seconds"]
    assert lines[0].startswith("pricehawk pre-deploy, database shop  ")
    assert lines[1].split()[:5] == ["AGE", "SIZE", "CHANGE", "TOOK", "PROOF"]
    assert lines[2].split()[1:] == [
        f"{archive.stat().st_size / 1000:.1f}",
        "kB",
        "-",
        str(took),
        "s",
        "read",
        "-",
        "-",
        "v1.0.0",
        archive.name,
    ]
    assert lines[-1].startswith(f"1 archive, {archive.stat().st_size / 1000:.1f} kB in ")
    assert " GB free" in lines[-1]


def test_in_80_columns_no_line_is_longer_and_every_name_is_whole(project):
    names = add_archives(project.backup_dir, 3, NOW)

    lines = history(project, COLUMNS="80").stdout.splitlines()

    assert [line.strip() for line in lines if line.endswith(".dump")] == names
    assert max(map(len, lines[:-2])) <= 80


def test_3000_archives_are_told_in_one_request(many):
    project, names = many
    fabfile = project.directory / "fabfile.py"
    fabfile.write_text(COUNTING + fabfile.read_text())

    done = history(project, "--limit=2")

    assert "requests 1\n" in done.stderr
    told = [line.split()[-1] for line in done.stdout.splitlines() if line.endswith(".dump")]
    assert told == names[-2:]
    assert "3000 archives, 300.0 kB in " in done.stdout
    assert "(the newest 2 are shown)" in done.stdout


def test_data_of_the_newest_alone_still_tell_how_they_differ_from_those_before(project):
    add_archives(project.backup_dir, 3, NOW - timedelta(hours=1))

    (entry,) = json.loads(history(project, "--json", "--limit=1").stdout)

    assert entry["version"] == "v1.2.0"
    assert entry["change_bytes"] == 0
    assert 3600 <= entry["age_seconds"] < 7200
    assert entry["expires_next"] is False


def test_sizes_are_drawn_in_what_the_reader_knows(project):
    add_archives(project.backup_dir, 2, NOW)

    assert "shop  ██" in history(project, PYTHONIOENCODING="utf-8").stdout
    assert "shop  ##" in history(project, PYTHONIOENCODING="ascii").stdout


def test_data_are_json_for_a_reader_that_knows_ascii_alone(project):
    add_archives(project.backup_dir, 1, NOW, warning="é")

    (entry,) = json.loads(history(project, "--json", PYTHONIOENCODING="ascii").stdout)

    assert entry["warnings"] == ["é"]


def test_data_stay_data_where_the_log_was_closed(project):
    add_archives(project.backup_dir, 1, NOW)
    damaged = next(project.backup_dir.glob("*.dump"))
    damaged.write_bytes(b"")
    fab = Path(sys.executable).with_name("fab")

    done = subprocess.run(
        ["sh", "-c", '"$0" -H demo history --json 2>&-', fab],
        cwd=project.directory,
        env=project.environment(),
        capture_output=True,
        check=True,
    )

    assert json.loads(done.stdout)[0]["intact"] is False


def test_what_is_damaged_or_cannot_be_read_is_named(project):
    damaged, spoilt, _ = add_archives(project.backup_dir, 3, NOW)
    (project.backup_dir / damaged).write_bytes(b"x")
    (project.backup_dir / spoilt).with_suffix(".manifest").write_text("format=1\n")

    done = history(project)

    assert [line for line in done.stdout.splitlines() if " damaged " in line and damaged in line]
    assert f"{damaged} is damaged: 1 of 100 bytes are there" in done.stderr
    assert f"{spoilt} is not listed: its manifest cannot be read" in done.stderr
    assert done.stderr.count(spoilt) == 1
    assert spoilt not in done.stdout


def test_what_the_next_predeploy_removes_is_told_and_it_removes_that(project):
    names = add_archives(project.backup_dir, 3, NOW - timedelta(hours=1))
    project.fab("-H", "demo", "pin", f"--file={names[0]}")

    done = history(project, MAX_BACKUPS="2")

    marked = [line.split()[-1] for line in done.stdout.splitlines() if " goes next " in line]
    assert marked == [names[1]]
    assert "the next predeploy removes 1: beyond the newest 2" in done.stdout
    entries = json.loads(history(project, "--json", MAX_BACKUPS="2").stdout)
    assert [entry["expires_next"] for entry in entries] == [False, True, False]
    assert entries[1]["expires_reason"] == "beyond the newest 2"
    assert project.predeploy("v2", MAX_BACKUPS="2").returncode == 0
    left = [path.name for path in project.archives()]
    assert names[1] not in left
    assert {names[0], names[2]} < set(left)


@pytest.mark.parametrize("limit", ["0", "-1", "many", ""])
def test_a_limit_that_is_no_number_is_exit_2(project, limit):
    done = project.fab("-H", "demo", "history", f"--limit={limit}")
    assert done.returncode == 2
    assert "--limit" in done.stderr
