"""One run at a time, in a directory that is ours alone, cleared of what earlier runs left."""

import fcntl
import os
import threading
import time

import pytest
from fabric_predeploy.remote.steps import rules


def mode(path):
    return path.stat().st_mode & 0o7777


def test_a_directory_that_is_missing_is_made_for_its_owner_alone(host):
    host.backup_dir = host.home / "a" / "b"
    host.set(backup_dir=str(host.backup_dir))
    assert host.preflight().code == 0
    assert (mode(host.home / "a"), mode(host.backup_dir)) == (0o700, 0o700)


@pytest.mark.parametrize(("told", "meant"), [("~", "."), ("~/x y", "x y"), ("x/y", "x/y")])
def test_a_directory_is_found_from_the_home_of_the_account(host, told, meant):
    host.home.chmod(0o700)
    host.set(backup_dir=told)
    assert host.predeploy().code == 0
    assert list((host.home / meant).glob("*.dump"))


def test_a_directory_that_others_can_read_is_10_and_left_as_it_is(host):
    host.backup_dir.mkdir(mode=0o755)
    report = host.preflight()
    assert report.code == 10
    assert f"chmod 700 '{host.backup_dir}'" in str(report.problems[0])
    assert mode(host.backup_dir) == 0o755
    assert list(host.backup_dir.iterdir()) == []


def test_what_is_wrong_and_its_remedy_are_two_things_whatever_a_name_holds(host):
    directory = host.home / "a — b \t(exit 0)  What to do: c"
    directory.mkdir(mode=0o755)
    host.set(backup_dir=str(directory))
    (problem,) = host.preflight().problems
    name = str(directory).replace("\t", " ")
    assert problem.what == f"other users of the host can look into BACKUP_DIR {name} (drwxr-xr-x)"
    assert problem.remedy == f"chmod 700 '{name}'"


def test_a_directory_that_was_opened_to_others_no_longer_tells_of_success(host):
    assert host.predeploy().code == 0
    host.backup_dir.chmod(0o755)
    assert host.predeploy().code == 10
    assert host.status()["result"] == "failure"
    assert mode(host.backup_dir) == 0o755


def test_a_directory_that_has_inherited_setgid_is_as_good_as_another(host):
    host.home.chmod(0o2755)
    assert host.predeploy().code == 0
    assert mode(host.backup_dir) == 0o2700


def test_a_directory_that_cannot_be_made_is_10_with_its_name(host):
    (host.home / "file").touch()
    host.set(backup_dir="~/file/backups")
    report = host.preflight()
    assert report.code == 10
    assert f"BACKUP_DIR {host.home}/file/backups is not there" in str(report.problems[0])


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_someone_else_is_10(host):
    host.backup_dir.mkdir(mode=0o700)
    os.chown(host.backup_dir, 4242, 4242)
    report = host.preflight()
    assert report.code == 10
    assert "this account cannot write to BACKUP_DIR" in str(report.problems[0])
    assert "owner 4242" in str(report.problems[0])


def test_a_run_that_may_not_make_the_directory_does_not_make_it(host):
    assert host.prune().code == 10
    assert not host.backup_dir.exists()


def test_without_flock_nothing_is_begun(host):
    host.without("flock")
    report = host.predeploy()
    assert report.code == 10
    assert "flock" in str(report.problems[0])
    assert list(host.backup_dir.iterdir()) == []


def test_a_second_run_is_11_says_who_holds_the_lock_and_changes_nothing(host):
    host.stub("pg_dump", 'printf PGDMP >"$file"; while [ ! -e "$HOME/go" ]; do sleep 0.02; done')
    first = []
    running = threading.Thread(target=lambda: first.append(host.predeploy()))
    running.start()
    while not any(path.read_bytes() for path in host.backup_dir.glob("*-*.partial")):
        time.sleep(0.01)
    before = (host.backup_dir / "status").read_bytes(), host.kept()
    second = host.predeploy(task="backup")
    after = (host.backup_dir / "status").read_bytes(), host.kept()
    (host.home / "go").touch()
    running.join()
    assert second.code == 11
    holder = (
        rf"predeploy for {rules.lock(host.settings, create=True).variables['client']}, process "
    )
    assert holder in second.of("result")["reason"]
    assert ", since 20" in second.of("result")["reason"]
    assert before == after
    assert first[0].code == 0


def test_a_run_that_may_wait_waits_for_the_lock(host):
    host.set(lock_wait_seconds=5)
    host.backup_dir.mkdir(mode=0o700)
    with (host.backup_dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        host.script("sleep", ': >"$HOME/slept"; exec /bin/sleep 0.05')
        release = threading.Thread(target=lambda: _once(host.home / "slept", lock))
        release.start()
        report = host.predeploy()
        release.join()
    assert report.code == 0
    assert (host.home / "slept").exists()


def _once(path, lock):
    while not path.exists():
        time.sleep(0.01)
    fcntl.flock(lock, fcntl.LOCK_UN)


def test_a_run_that_has_waited_long_enough_is_11(host):
    host.set(lock_wait_seconds=3)
    host.backup_dir.mkdir(mode=0o700)
    host.script("sleep", 'echo "$1" >>"$HOME/slept"')
    with (host.backup_dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert host.predeploy().code == 11
    assert (host.home / "slept").read_text() == "1\n1\n1\n"


FOREIGN = (
    "notes.partial",
    "my-20250314-123456.txt.partial",
    "two\nlines-20250314-123456.partial",
    ".hidden-20250314-123456.partial",
    "foo.dump",
    "foo.dump.sha256",
    "foreign-20250314-123456.manifest",
    "shop-20250314-123456.sql",
    "upload",
    "upload.partial.dump",
    "my-upload.partial",
    "-rf",
)


def test_what_is_not_ours_is_never_touched(host):
    host.backup_dir.mkdir(mode=0o700)
    for name in FOREIGN:
        (host.backup_dir / name).write_text("mine")
    (host.backup_dir / "latest.dump").symlink_to("foo.dump")
    (host.backup_dir / "x-20250314-123456.dump").symlink_to("/etc/passwd")
    (host.backup_dir / "directory-20250314-123456.partial").mkdir()
    before = host.kept()
    assert host.predeploy().code == 0
    assert host.prune("foo.dump", "x-20250314-123456.dump").code == 16
    after = host.kept()
    assert {name: after.get(name) for name in before} == before


def test_unfinished_files_of_an_earlier_run_are_removed(host):
    host.backup_dir.mkdir(mode=0o700)
    base = "pricehawk-pre-deploy-v1.9+b_1-20250314-123456"
    for end in (".partial", ".manifest.partial", ".dump.sha256.partial", ".dump.sha256"):
        (host.backup_dir / f"{base}{end}").touch()
    (host.backup_dir / f"{base}.manifest").write_text("format=1\ndatabase=shop\n")
    (host.backup_dir / "status.partial").touch()
    (host.backup_dir / "run.partial").mkdir()
    (host.backup_dir / "run.partial" / "stderr").touch()
    assert host.preflight().code == 0
    assert host.kept() == {}


def uploaded(host, *names):
    upload = host.backup_dir / "upload.partial"
    upload.mkdir(parents=True)
    host.backup_dir.chmod(0o700)
    for name in names:
        (upload / name).touch()
    return upload


def test_only_the_upload_that_a_run_names_is_spared(host):
    upload = uploaded(host, "some.dump", "some.manifest", "some.dump.sha256")
    assert host.run(rules.lock(host.settings, create=False, upload="some")).code == 0
    assert len(list(upload.iterdir())) == 3
    assert host.run(rules.lock(host.settings, create=False, upload="*")).code == 0
    assert not upload.exists()


@pytest.mark.parametrize("names", [["some.manifest"], ["some.dump", "other.dump"], []])
def test_an_upload_that_is_not_just_the_named_one_is_removed(host, names):
    upload = uploaded(host, *names)
    assert host.run(rules.lock(host.settings, create=False, upload="some")).code == 0
    assert not upload.exists()


def test_what_an_upload_is_a_link_to_is_neither_used_nor_touched(host):
    elsewhere = host.home / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "some.dump").touch()
    host.backup_dir.mkdir(mode=0o700)
    (host.backup_dir / "upload.partial").symlink_to(elsewhere)
    assert host.run(rules.lock(host.settings, create=False, upload="some")).code == 0
    assert host.kept() == {}
    assert (elsewhere / "some.dump").exists()
