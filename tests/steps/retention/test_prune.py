"""What retention has chosen goes, the dump first; nothing else does."""

import pytest


@pytest.fixture
def three(host):
    return [host.archive(created=f"2025-03-1{day}T12:34:56Z") for day in (4, 5, 6)]


def told_removed(report):
    return [value for key, value in report.facts.get("prune", ()) if key == "removed"]


def test_what_is_chosen_goes_with_its_sidecars_and_the_rest_stays(host, three):
    before = host.kept()
    report = host.prune(*three[:2])
    assert report.code == 0
    assert told_removed(report) == three[:2]
    assert host.kept() == {name: each for name, each in before.items() if "20250316" in name}


def test_the_dump_goes_before_its_sidecars(host, three):
    host.script("rm", 'for a; do echo "${a##*/}" >>"$HOME/order"; done; exec /bin/rm "$@"')
    host.prune(three[0])
    order = (host.home / "order").read_text().splitlines()
    base = three[0].removesuffix(".dump")
    removed = [name for name in order if name.startswith(base)]
    assert removed == [three[0], f"{base}.dump.sha256", f"{base}.manifest"]


NO_ARCHIVES = (
    "../home/precious-20250314-123456.dump",
    "/etc/passwd",
    "*",
    "pricehawk-pre-deploy-v1-20250314-??????.dump",
    "..",
    "pricehawk-pre-deploy-v1-20250314-123456.manifest",
    "pricehawk-pre-deploy-v1-20250314-123456",
    "-rf",
    "status",
    "absent-20250314-123456.dump",
    "$(reboot)",
)


def test_a_name_that_no_archive_has_removes_nothing(host, three):
    before = host.kept()
    report = host.prune(*NO_ARCHIVES)
    assert report.code == 16
    assert report.of("result")["reason"] == " ".join(["could not remove", *NO_ARCHIVES])
    assert told_removed(report) == []
    assert host.kept() == before


def test_a_dump_without_a_manifest_is_not_ours_to_remove(host, three):
    (host.backup_dir / three[0].replace(".dump", ".manifest")).unlink()
    before = host.kept()
    assert host.prune(three[0]).code == 16
    assert host.kept() == before


def test_a_pinned_archive_stays(host):
    pinned = host.archive(pinned="yes")
    before = host.kept()
    assert host.prune(pinned).code == 16
    assert host.kept() == before


def test_the_log_tells_what_went_and_why(host, three):
    host.prune(three[0])
    log = (host.backup_dir / host.status()["log"]).read_text()
    assert f"removed {three[0]}: as the test says\n" in log


def test_an_empty_list_removes_nothing(host, three):
    before = host.kept()
    assert host.prune().code == 0
    assert host.kept() == before


def test_what_cannot_be_removed_is_16_and_the_others_go(host, three):
    stuck = host.backup_dir / three[0]
    stuck.unlink()
    stuck.mkdir()
    report = host.prune(*three)
    assert report.code == 16
    assert three[0] in report.of("result")["reason"]
    assert host.dumps() == [three[0]]
    assert (host.backup_dir / three[0].replace(".dump", ".manifest")).exists()
    assert host.status()["rotation"] == f"failed for {three[0]}"


def test_a_rotation_that_fails_after_a_good_backup_leaves_the_status_a_success(host):
    host.set(max_backups=1)
    stuck = host.archive()
    host.script("rm", f'case $* in *{stuck}*) exit 1 ;; esac; exec /bin/rm "$@"')
    report = host.predeploy()
    assert report.code == 16
    assert report.finished("publish")
    assert host.status()["result"] == "success"
    assert host.status()["rotation"].startswith("failed for")


def test_the_newest_30_logs_stay_and_other_files_of_that_kind_too(host, three):
    logs = [host.backup_dir / f"backup-202401{day:02}-000000.log" for day in range(1, 32)]
    others = [host.backup_dir / name for name in ("backup-mine.log", "backup-2024.log")]
    for path in (*logs, *others):
        path.touch()
    host.prune()
    current = host.backup_dir / host.status()["log"]
    left = set(host.backup_dir.glob("backup-*.log"))
    assert left == {*logs[2:], current, *others}
