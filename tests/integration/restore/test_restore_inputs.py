"""Whatever one gives `fab restore`: what it takes for an archive, asks, and refuses untouched."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.wheels import downloaded
from tests.integration.everything import plain_dump
from tests.project import OWNER, Project

DATABASE = "inputs"
SQL = "CREATE TABLE orders AS SELECT n, md5(n::text) AS t FROM generate_series(1, 5000) n"


@pytest.fixture
def shop(make_project, pg, ssh) -> Project:
    """An archive of a database of its own, and a row that was written since."""
    pg.superuser(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    pg.superuser(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    pg.run_as(OWNER, SQL, DATABASE)
    project = make_project(pg, ssh, DB_NAME=DATABASE)
    assert project.predeploy("v1.0.0").returncode == 0
    pg.run_as(OWNER, "INSERT INTO orders VALUES (0, 'since')", DATABASE)
    return project


@pytest.fixture
def untouched(shop):
    """What the test does leaves the database, and what there is of archives, as they were."""
    before = plain_dump(shop.pg, DATABASE), shop.archives()
    yield
    assert (plain_dump(shop.pg, DATABASE), shop.archives()) == before


def restore(shop, *flags, **changes):
    return shop.fab("-H", "demo", "restore", *flags, **changes)


def is_refused(shop, code, *flags, **changes):
    done = restore(shop, *flags, **changes)
    assert done.returncode == code, (flags, done.stdout, done.stderr)
    return done.stderr


def planned(shop, wanted):
    done = restore(shop, f"--file={wanted}", "--plan", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def sidecars(archive):
    return [archive.with_suffix(".manifest"), archive.with_name(f"{archive.name}.sha256")]


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def for_the_host(shop, path):
    """Files of the account that logs in, not of root."""
    if os.geteuid() == 0:
        os.chown(path, shop.ssh.uid, -1)
    return path


def test_an_archive_is_found_by_its_name_a_part_of_it_and_its_place_in_time(shop):
    assert shop.predeploy("v1.0.1").returncode == 0
    first, second = shop.archives()
    for wanted in (first.name, first.stem[-15:], "v1.0.0"):
        assert planned(shop, wanted)["archive"]["file"] == str(first)
    for wanted in ("latest", "latest@read"):
        assert planned(shop, wanted)["archive"]["file"] == str(second)

    told = is_refused(shop, 14, "--file=v1.0", "--yes")
    assert first.name in told
    assert second.name in told
    assert "read" in is_refused(shop, 14, "--file=latest@best", "--yes")
    for wanted in ("latest@equal", "v9"):
        is_refused(shop, 14, f"--file={wanted}", "--yes")
    assert shop.archives() == [first, second]


ODD_INPUTS = [
    "../../etc/passwd",
    "~/../../etc/passwd",
    "/no/such/file.dump",
    "~/no such file",
    "/",
    "./",
    "a 'b\"",
    "a\nb",
    "/a\nb",
    "-rf",
    "$(touch ~/hurt)",
    "~/$(touch ~/hurt)'\"",
    "~nobody-of-that-name/it.dump",
    "ä" * 5000,
    "/" + "ä" * 3000,
    "\udcff",
]


@pytest.mark.usefixtures("untouched")
def test_what_names_no_archive_is_refused(shop):
    for wanted in ODD_INPUTS:
        is_refused(shop, 14, f"--file={wanted}", "--yes")
    assert not (shop.ssh.home / "hurt").exists()
    assert not (shop.directory / "hurt").exists()


@pytest.mark.usefixtures("untouched")
def test_flags_that_name_no_archive_or_contradict_each_other_are_exit_2(shop):
    for flags in (
        [],
        ["--file="],
        ["--file=latest", "--undo"],
        ["--undo", "--drop-old"],
        ["--file=latest", "--mode=fast"],
        ["--file=latest", "--json"],
        ["--file=latest", "--overwrite"],
        ["--file=latest", "--to="],
        ["--file=latest", "--to=a\nb"],
        ["--file=latest", "--to=" + "ä" * 32],
        ["--file=latest", "--table=orders", "--to=other"],
        ["--file=latest", "--table=orders", "--plan"],
    ):
        assert "(exit 2)" in is_refused(shop, 2, *flags, "--yes")


def test_a_file_on_the_host_is_restored_with_and_without_its_sidecars(shop):
    archive, home = shop.archives()[0], shop.ssh.home
    before = plain_dump(shop.pg, DATABASE)
    directory = home / "it's here"
    directory.mkdir()
    for_the_host(shop, directory)
    alone = for_the_host(shop, Path(shutil.copy(archive, directory / "old one.dump")))
    plan = planned(shop, "~/it's here/old one.dump")
    assert plan["archive"]["file"] == str(alone)
    assert plan["lost"].startswith("unknown")
    assert plan["archive"]["client_version"] == shop.pg.version
    assert plan["archive"]["created"].startswith("20")

    for path in (archive, *sidecars(archive)):
        for_the_host(shop, Path(shutil.copy(path, directory / path.name)))
    assert planned(shop, f"~/it's here/{archive.name}")["lost"] == "1 row in 1 table"

    done = restore(shop, "--file=~/it's here/old one.dump", "--yes")
    assert done.returncode == 0, done.stderr
    assert plain_dump(shop.pg, DATABASE) != before
    assert restore(shop, "--undo", "--yes").returncode == 0
    assert plain_dump(shop.pg, DATABASE) == before
    shutil.rmtree(directory)


def test_a_file_from_here_is_sent_and_restored_with_and_without_its_sidecars(shop):
    archive = shop.archives()[0]
    here = shop.directory / "downloads"
    here.mkdir()
    for path in (archive, *sidecars(archive)):
        shutil.copy(path, here / path.name)
    shutil.copy(archive, here / "-an old 'one'\n.bin")
    before = plain_dump(shop.pg, DATABASE)

    plan = planned(shop, f"downloads/{archive.name}")
    assert plan["archive"]["version"] == "v1.0.0"
    assert plan["lost"] == "1 row in 1 table"
    for wanted in (str(here / archive.name), "downloads/-an old 'one'\n.bin"):
        done = restore(shop, f"--file={wanted}", "--yes")
        assert done.returncode == 0, done.stderr
        assert plain_dump(shop.pg, DATABASE) != before
        assert restore(shop, "--undo", "--yes").returncode == 0
        assert plain_dump(shop.pg, DATABASE) == before
    assert not (shop.backup_dir / "upload.partial").exists()


@pytest.mark.usefixtures("untouched")
def test_a_damaged_file_from_here_is_refused(shop):
    archive, here = shop.archives()[0], shop.directory / "it.dump"
    shutil.copy(archive, here)
    cut(here)
    assert "(exit 13)" in is_refused(shop, 13, "--file=./it.dump", "--yes")
    here.write_bytes(archive.read_bytes()[:300])
    is_refused(shop, 13, "--file=./it.dump", "--yes")

    shutil.copy(archive, here)
    checksum = here.with_name("it.dump.sha256")
    checksum.write_text(f"{'0' * 64}  it.dump\n")
    assert "not what its .sha256 says" in is_refused(shop, 13, "--file=./it.dump", "--yes")
    checksum.unlink()
    flipped(here)
    shutil.copy(sidecars(archive)[0], here.with_suffix(".manifest"))
    assert "what its .manifest says" in is_refused(shop, 13, "--file=./it.dump", "--yes")
    here.with_suffix(".manifest").unlink()

    here.write_text("CREATE TABLE plain_sql ();\n")
    assert "it.dump is SQL as text" in is_refused(shop, 14, "--file=./it.dump", "--yes")
    here.write_text("")
    is_refused(shop, 14, "--file=./it.dump", "--yes")
    here.unlink()
    here.mkdir()
    assert "is a directory" in is_refused(shop, 14, "--file=./it.dump", "--yes")


@pytest.mark.parametrize("damage", [flipped, cut])
@pytest.mark.usefixtures("untouched")
def test_a_damaged_archive_is_refused(shop, damage):
    damage(shop.archives()[0])

    told = is_refused(shop, 13, "--file=v1.0.0", "--yes")

    assert "damaged" in told or "not a whole archive" in told


@pytest.mark.usefixtures("untouched")
def test_an_archive_whose_checksums_disagree_is_refused(shop):
    manifest, checksum = sidecars(shop.archives()[0])
    text = manifest.read_text()
    wrong = checksum.read_text().replace(checksum.read_text()[:64], "0" * 64)
    checksum.write_text(wrong)
    assert "name two checksums" in is_refused(shop, 13, "--file=v1.0.0", "--yes")
    manifest.write_text(text.replace("toc_entries=", "toc_entries=1"))
    is_refused(shop, 13, "--file=v1.0.0", "--yes")
    manifest.unlink()
    is_refused(shop, 14, "--file=v1.0.0", "--yes")


@pytest.mark.usefixtures("untouched")
def test_a_damaged_file_on_the_host_is_refused(shop):
    archive, path = shop.archives()[0], shop.ssh.home / "it.dump"
    checksum = path.with_name("it.dump.sha256")

    def is_damaged():
        for_the_host(shop, path)
        return is_refused(shop, 13, "--file=~/it.dump", "--yes")

    try:
        shutil.copy(archive, path)
        checksum.write_text(f"{'0' * 64}  it.dump\n")
        assert f"SHA-256 is {archive_sha256(archive)} instead of 000" in is_damaged()
        checksum.unlink()
        shutil.copy(archive, path)
        cut(path)
        is_damaged()
        for content in (b"", b"CREATE TABLE plain_sql ();\n", archive.read_bytes()[:300]):
            path.write_bytes(content)
            assert "not a whole archive" in is_damaged()
        assert Path("/dev/null").is_char_device()
    finally:
        path.unlink()
        checksum.unlink(missing_ok=True)


def archive_sha256(archive):
    return sidecars(archive)[1].read_text()[:64]


@pytest.mark.usefixtures("untouched")
def test_a_directory_on_the_host_is_refused(shop):
    directory = shop.ssh.home / "backups-of-mine"
    directory.mkdir()
    for_the_host(shop, directory)
    try:
        told = is_refused(shop, 14, "--file=~/backups-of-mine", "--yes")
        assert "is a directory" in told
    finally:
        directory.rmdir()


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("major", [15, 17])
def test_an_archive_of_a_newer_pg_dump_is_refused_with_the_remedy(shop, start_server, major):
    programs = str(start_server(major).bin_dir)
    newer = shop.directory / "newer.dump"
    command = [downloaded(18) / "pg_dump", "--format=custom", f"--file={newer}"]
    options = ["--host", str(shop.pg.data_dir.parent), "--port", str(shop.pg.port)]
    subprocess.run([*command, *options, "--username=postgres", DATABASE], check=True)

    server = start_server(major)
    other = shop.with_profile(DB_BIN_DIR=programs, DB_PORT=str(server.port), DB_NAME="shop")
    told = is_refused(other, 10, "--file=./newer.dump", "--yes", "--to=shop", "--overwrite")

    assert "DB_BIN_DIR" in told


def test_an_archive_of_another_database_wants_yes_and_the_name(shop):
    before, archive = plain_dump(shop.pg, DATABASE), shop.archives()[0]
    shop.pg.superuser("DROP DATABASE IF EXISTS second_one WITH (FORCE)")
    shop.pg.superuser(f"CREATE DATABASE second_one OWNER {OWNER}")
    other = shop.with_profile(DB_NAME="second_one")
    empty = plain_dump(shop.pg, "second_one")

    assert "No archive" in is_refused(other, 14, "--file=latest", "--yes")
    told = is_refused(other, 14, f"--file={archive.name}")
    assert f"the archive is of the database {DATABASE}, not second_one" in told
    is_refused(other, 14, f"--file={archive.name}", "--yes")
    code, _ = at_the_prompt(other, f"{DATABASE}\n", f"--file={archive.name}", "--yes")
    assert code == 14
    assert plain_dump(shop.pg, "second_one") == empty

    code, told = at_the_prompt(other, "second_one\n", f"--file={archive.name}", "--yes")
    assert code == 0, told
    assert plain_dump(shop.pg, "second_one") != empty
    assert plain_dump(shop.pg, DATABASE) == before


def at_the_prompt(shop, typed, *flags, interrupt=False):
    """Run restore at a terminal; type once it asks."""
    fab = Path(sys.executable).with_name("fab")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [fab, "-H", "demo", "restore", *flags],
        cwd=shop.directory,
        env=shop.environment(),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    try:
        told = ""
        for line in process.stdout:
            told += line
            if line.startswith("Type the name of the database"):
                if interrupt:
                    process.send_signal(signal.SIGINT)
                else:
                    os.write(ours, typed.encode())
                break
        told += process.communicate(timeout=60)[0]
    finally:
        os.close(ours)
        os.close(theirs)
    assert "Traceback" not in told, told
    return process.returncode, told


@pytest.mark.usefixtures("untouched")
def test_a_wrong_name_an_end_and_an_interrupt_at_the_prompt_change_nothing(shop):
    for typed in ("yes\n", "\n", f"{DATABASE}2\n", "\x04"):
        code, told = at_the_prompt(shop, typed, "--file=v1.0.0")
        assert code == 14, told
        assert "nothing was touched" in told
    code, told = at_the_prompt(shop, "", "--file=v1.0.0", interrupt=True)
    assert code == 130, told
    assert "interrupted by SIGINT; nothing was touched (exit 130)" in told


def test_the_right_name_at_the_prompt_restores(shop):
    before = plain_dump(shop.pg, DATABASE)

    code, told = at_the_prompt(shop, f"{DATABASE}\n", "--file=v1.0.0")

    assert code == 0, told
    asked = told.partition("Type the name of the database")[0].splitlines()[-4:]
    assert asked[0].startswith(f"Restore {DATABASE} on demo")
    assert asked[1].endswith(shop.archives()[0].name)
    assert asked[3] == "  lost  1 row in 1 table"
    assert plain_dump(shop.pg, DATABASE) != before


def test_another_database_can_be_restored_into(shop):
    live, (archive,) = plain_dump(shop.pg, DATABASE), shop.archives()
    shop.pg.superuser("DROP DATABASE IF EXISTS staging WITH (FORCE)")
    is_refused(shop, 10, "--file=v1.0.0", "--yes", "--to=staging")
    shop.pg.superuser(f"CREATE DATABASE staging OWNER {OWNER}")

    done = restore(shop, "--file=v1.0.0", "--yes", "--to=staging")
    assert done.returncode == 0, done.stderr
    assert "DB_NAME=staging  (--to)" in done.stdout
    then = plain_dump(shop.pg, "staging")
    assert "orders" in then

    shop.pg.run_as(OWNER, "CREATE TABLE more ()", "staging")
    more = plain_dump(shop.pg, "staging")
    told = is_refused(shop, 14, "--file=v1.0.0", "--yes", "--to=staging")
    assert "staging is not empty" in told
    assert plain_dump(shop.pg, "staging") == more
    done = restore(shop, "--file=v1.0.0", "--yes", "--to=staging", "--overwrite")
    assert done.returncode == 0, done.stderr
    assert plain_dump(shop.pg, "staging") == then

    assert plain_dump(shop.pg, DATABASE) == live
    assert planned(shop, "latest")["archive"]["file"] == str(archive)


def test_a_database_with_a_function_but_no_table_is_not_empty(shop):
    shop.pg.superuser("DROP DATABASE IF EXISTS staging WITH (FORCE)")
    shop.pg.superuser(f"CREATE DATABASE staging OWNER {OWNER}")
    function = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    shop.pg.run_as(OWNER, function, "staging")
    before = plain_dump(shop.pg, "staging")

    told = is_refused(shop, 14, "--file=v1.0.0", "--yes", "--to=staging")

    assert "staging is not empty" in told
    assert plain_dump(shop.pg, "staging") == before


@pytest.mark.usefixtures("untouched")
def test_the_plan_says_where_each_setting_came_from(shop):
    done = shop.fab("restore", "--file=v1.0.0", "--plan", PREDEPLOY_HOST="demo", DB_NAME=DATABASE)
    assert done.returncode == 0, done.stderr
    assert "PREDEPLOY_HOST=demo  (environment)" in done.stdout
    assert f"DB_NAME={DATABASE}  (environment)" in done.stdout
    assert "DB_USER=shop  (config/demo.env)" in done.stdout


@pytest.mark.usefixtures("untouched")
def test_the_plan_as_data_tells_all_that_a_restore_would_do(shop):
    shop.pg.run_as(OWNER, "CREATE TABLE added ()", DATABASE)
    try:
        plan = planned(shop, "v1.0.0")
    finally:
        shop.pg.run_as(OWNER, "DROP TABLE added", DATABASE)

    assert plan["host"].startswith("demo")
    assert plan["database"] == DATABASE
    assert plan["settings"]["DB_NAME"] == {"value": DATABASE, "from": "config/demo.env"}
    archive = plan["archive"]
    assert (archive["version"], archive["proof"], archive["database"]) == (
        "v1.0.0",
        "read",
        DATABASE,
    )
    assert {"created", "git_commit", "client_version", "server_version"} <= archive.keys()
    assert plan["server_version"] == shop.pg.version
    assert plan["client_version"] == shop.pg.version
    assert plan["rows"]["public.orders"] == {"then": 5000, "now": 5001, "lost": 1}
    assert plan["disappears"] == ["table public.added"]
    assert plan["sessions"] == []
    assert plan["obstacles"]["transaction"] == []
    assert plan["obstacles"]["swap"] == ["shop may not create databases"]
    assert plan["refused"] is False
    assert isinstance(plan["estimate_seconds"], int)
