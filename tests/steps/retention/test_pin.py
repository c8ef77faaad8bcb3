"""A pin is one line of the manifest, which changes as a whole or not at all."""

import pytest
from fabric_predeploy.remote.steps import step


@pytest.fixture
def archive(host):
    return host.archive(warning="kept", rows="2 public.shop")


@pytest.fixture
def pin(host):
    def pinning(name, *, pinned=True):
        lock, *_ = host.until_preflight(create=False)
        return host.run(lock, step("pin", archive=name, pin=pinned), task="pin")

    return pinning


def manifest(archive):
    return f"{archive.removesuffix('.dump')}.manifest"


def test_a_pin_adds_one_line_and_its_removal_takes_that_line_alone(host, archive, pin):
    before = host.kept()

    assert pin(archive).of("pin") == {"changed": "yes"}
    assert host.facts(manifest(archive))["pinned"] == "yes"
    assert set(host.kept()[manifest(archive)].splitlines()) == {
        *before[manifest(archive)].splitlines(),
        b"pinned=yes",
    }
    assert pin(archive, pinned=False).of("pin") == {"changed": "yes"}
    assert host.kept() == before


@pytest.mark.parametrize("pinned", [True, False])
def test_what_is_so_already_stays_as_it_is(host, archive, pin, pinned):
    pin(archive, pinned=pinned)
    path = host.backup_dir / manifest(archive)
    before = path.stat().st_ino, path.read_bytes()

    assert pin(archive, pinned=pinned).of("pin") == {"changed": "no"}
    assert (path.stat().st_ino, path.read_bytes()) == before


def test_a_pinned_archive_is_not_pruned_before_it_is_unpinned(host, archive, pin):
    pin(archive)
    host.prune(archive)
    assert host.dumps() == [archive]

    pin(archive, pinned=False)
    host.prune(archive)
    assert host.dumps() == []


@pytest.mark.parametrize("pinned", [True, False])
def test_on_a_full_disk_it_is_16_and_the_manifest_stays_whole(host, archive, pin, pinned):
    pin(archive, pinned=not pinned)
    before = host.kept()
    new = host.backup_dir / "run.partial" / "manifest"
    host.script("grep", f"/bin/ln -s /dev/full '{new}'; exec /bin/grep \"$@\"")

    report = pin(archive, pinned=pinned)

    assert report.code == 16
    assert f"{archive} could not be" in report.of("result")["reason"]
    assert host.kept() == before
    assert host.unfinished() == []


def test_when_it_is_interrupted_the_manifest_stays_whole_and_nothing_unfinished_is_left(
    host, archive, pin
):
    before = host.kept()
    host.script("sync", "kill -TERM $PPID")

    report = pin(archive)

    assert report.code == 130
    assert host.kept() == before
    assert host.unfinished() == []


def test_an_archive_that_has_gone_meanwhile_is_14(host, archive, pin):
    (host.backup_dir / archive).unlink()
    report = pin(archive)
    assert report.code == 14
    assert f"{archive} is not there any more" in report.of("result")["reason"]


@pytest.mark.parametrize(
    "name", ["../x-20250314-123456.dump", "foo.dump", "-x-20250314-123456.dump"]
)
def test_what_is_no_name_of_ours_is_14(host, archive, pin, name):
    before = host.kept()
    assert pin(name).code == 14
    assert host.kept() == before
