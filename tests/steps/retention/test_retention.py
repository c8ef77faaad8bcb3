"""The step: what retention.awk is told of the host, and what becomes of what it says."""

import os
import time
from datetime import datetime, timedelta, timezone

import pytest
from fabric_predeploy.remote._door.script import Step
from fabric_predeploy.remote.steps import rules, step

from tests.steps.host import KILLED


def ago(**difference):
    then = datetime.now(timezone.utc) - timedelta(**difference)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def week(host):
    """Proven archives of the last seven days, oldest first."""
    return [host.archive(created=ago(days=days, hours=1), proof="read") for days in range(7, 0, -1)]


def judged(host, **changes):
    step = rules.retention(host.settings)
    return host.run(Step("retention", {**step.variables, **changes}), task="rotate")


def told(report, key):
    return [value for each, value in report.facts["retention"] if each == key]


def names(facts):
    return [value.split(" ", 1)[0] for value in facts]


def test_each_archive_has_its_verdict_and_reason_the_oldest_first(host, week):
    report = judged(host)
    assert report.code == 0
    expired = [f"{name} beyond the newest 5" for name in week[:2]]
    assert told(report, "expired") == expired
    assert names(told(report, "kept")) == week[2:]
    assert told(report, "foundation") == [week[-1]]


RULES = {
    "max_backups": ("6", 1),
    "keep_days": ("3", 5),
    "keep_daily": ("4", 3),
    "keep_weekly": ("9", None),
    "keep_monthly": ("9", None),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_handed_on(host, week, rule):
    value, lost = RULES[rule]
    report = judged(host, **{**dict.fromkeys(RULES, ""), rule: value})
    assert report.code == 0
    reasons = " ".join(told(report, "expired") + told(report, "kept"))
    assert {"keep_weekly": "weekly", "keep_monthly": "monthly"}.get(rule, "") in reasons
    if lost is not None:
        assert names(told(report, "expired")) == week[:lost]


def test_the_demanded_proof_is_handed_on(host, week):
    assert told(judged(host, proof="equal"), "expired") == []


def test_to_look_changes_nothing_and_needs_no_directory(host):
    assert judged(host).facts["retention"] == []
    assert not host.backup_dir.exists()
    host.archive()
    before = sorted(host.backup_dir.rglob("*")), host.kept()
    judged(host)
    assert (sorted(host.backup_dir.rglob("*")), host.kept()) == before


def test_rotation_removes_just_what_was_chosen_and_the_log_tells_why(host, week):
    report = host.rotate()
    assert report.code == 0
    assert names(told(report, "expired")) == week[:2]
    assert host.dumps() == week[2:]
    log = (host.backup_dir / host.status()["log"]).read_text()
    assert f"removed {week[0]}: beyond the newest 5\n" in log


def test_the_archive_that_the_same_run_has_made_pushes_out_the_oldest(host, week):
    host.set(max_backups=3)
    report = host.predeploy()
    assert report.code == 0
    assert host.dumps() == [*week[5:], report.of("publish")["archive"]]


def test_the_archive_that_was_just_made_stays_though_the_clock_was_set_back(host, week):
    host.set(max_backups=3)
    host.clock(int(time.time()) - 999 * 86400)
    report = host.predeploy()
    assert report.code == 0
    made = report.of("publish")["archive"]
    assert host.dumps() == sorted([made, *week[4:]])
    assert [value for value in told(report, "kept") if made in value] == [f"{made} just made"]


def test_a_host_whose_clock_is_years_ahead_expires_nothing_as_too_old(host, week):
    host.set(keep_days=30)
    host.clock(int(time.time()) + 999 * 86400)
    report = host.predeploy()
    assert report.code == 0
    made = report.of("publish")["archive"]
    assert host.dumps() == [*week, made]
    assert "dated in the future" in told(report, "kept")[-1]


def test_a_run_that_takes_hours_does_not_take_its_own_archive_for_one_of_the_future(host, week):
    host.set(max_backups=1)
    host.clock(int(time.time()))
    host.script("flock", f'sleep 7200; exec {host.tools}/flock "$@"')
    report = host.predeploy()
    assert report.code == 0
    assert host.dumps() == [report.of("publish")["archive"]]


def test_without_a_client_that_tells_the_time_the_host_does(host, week):
    host.clock(int(time.time()) - 999 * 86400)
    assert told(judged(host, now="", max_backups="1"), "expired") == []


def test_with_the_next_archive_in_mind_one_more_goes(host):
    first, *_ = (host.archive(created=ago(days=days), proof="read") for days in (3, 2, 1))
    host.set(max_backups=3)
    assert told(judged(host), "expired") == []
    report = host.run(rules.retention(host.settings, upcoming=True), task="history")
    assert told(report, "expired") == [f"{first} beyond the newest 3"]
    host.set(db_name="other")
    report = host.run(rules.retention(host.settings, upcoming=True), task="history")
    assert told(report, "expired") == []


def test_an_archive_whose_manifest_is_spoilt_is_left_alone_and_named(host, week, capsys):
    spoilt = host.backup_dir / week[0].replace(".dump", ".manifest")
    spoilt.write_bytes(bytes(spoilt.stat().st_size))
    report = host.rotate()
    assert report.code == 0
    assert told(report, "unreadable") == [week[0]]
    assert host.dumps() == [week[0], *week[2:]]
    assert f"{week[0]} is left alone: its manifest is not readable" in capsys.readouterr().err


def test_links_and_halves_of_archives_are_not_looked_at(host, week):
    (host.backup_dir / week[0]).unlink()
    (host.backup_dir / week[1]).unlink()
    (host.backup_dir / week[1]).symlink_to(week[2])
    manifest = host.backup_dir / week[2].replace(".dump", ".manifest")
    manifest.rename(host.backup_dir / "elsewhere")
    manifest.symlink_to("elsewhere")
    report = judged(host, max_backups="1")
    assert names(told(report, "expired")) == week[3:6]
    assert told(report, "unreadable") == []


def test_an_archive_whose_file_has_another_size_than_it_was_written_with_is_damaged(host, week):
    (host.backup_dir / week[3]).write_bytes(b"12345")
    report = judged(host)
    newer = f"newer proven archive {week[-1]} exists"
    assert f"{week[3]} damaged: 5 of 18 bytes, {newer}" in told(report, "expired")


def test_how_the_account_likes_its_listings_does_not_matter(host, week, monkeypatch):
    expected = judged(host).facts["retention"]
    monkeypatch.setenv("TIME_STYLE", "long-iso")
    monkeypatch.setenv("QUOTING_STYLE", "c")
    monkeypatch.setenv("BLOCK_SIZE", "human-readable")
    monkeypatch.setenv("LS_COLORS", "di=01;34")
    assert judged(host).facts["retention"] == expected != []


def test_variables_of_the_account_are_no_policy(host, week, monkeypatch):
    for variable in ("keep_days", "published", "upcoming", "elapsed_seconds", "began_seconds"):
        monkeypatch.setenv(variable, "999")
    assert names(told(judged(host), "expired")) == week[:2]


def test_the_number_of_processes_does_not_grow_with_the_number_of_archives(host, week):
    for program in ("awk", "ls", "sed", "date", "cat", "grep"):
        host.script(program, f'echo {program} >>"$HOME/calls"; exec {host.tools}/{program} "$@"')
    judged(host)
    few = sorted((host.home / "calls").read_text().split())
    for day in range(100, 140):
        host.archive(created=ago(days=day), proof="read")
    (host.home / "calls").unlink()
    assert len(told(judged(host), "expired")) == 42
    assert sorted((host.home / "calls").read_text().split()) == few


def test_a_host_without_awk_is_told_of_with_what_else_is_missing_before_a_dump(host):
    host.without("awk")
    (host.bin / "pg_restore").unlink()
    report = host.predeploy()
    assert report.code == 10
    assert [problem.what for problem in report.problems] == [
        "there is no program awk, which decides what rotation removes",
        f"pg_dump, pg_restore and psql were not found together in {host.bin}",
    ]
    assert host.kept() == {}


def test_without_awk_nothing_is_rotated_and_it_is_no_success(host, week):
    host.without("awk")
    assert host.rotate().code == 10
    assert host.dumps() == week


def test_without_awk_there_can_be_archives_all_the_same(host):
    host.without("awk")
    several = [*host.until_preflight(), rules.dump(host.settings), step("verify", proof="read")]
    assert host.run(*several, step("publish", host.settings), task="backup").code == 0
    assert len(host.dumps()) == 1


def test_an_awk_that_fails_removes_nothing_and_the_archive_stands(host, week):
    host.script("awk", "echo expired=everything; echo out of memory >&2; exit 2")
    host.set(max_backups=1)
    report = host.predeploy()
    assert report.code == 16
    assert report.finished("publish")
    assert not report.finished("retention")
    assert len(host.dumps()) == 8
    assert host.status()["result"] == "success"
    assert host.status()["rotation"].startswith("not decided: awk")


def test_a_file_that_goes_while_the_directory_is_listed_is_no_failure(host, week):
    host.script("ls", f'{host.tools}/ls "$@"; case "$*" in */) exit 1 ;; esac')
    assert names(told(judged(host), "expired")) == week[:2]


@KILLED
def test_a_listing_that_was_cut_is_not_taken_for_all_that_there_was(host, week, who):
    host.cut_listings(who)
    report = judged(host)
    assert report.code == 16
    assert "could not be decided" in report.of("result")["reason"]
    assert not report.finished("retention")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list everything")
def test_a_directory_that_cannot_be_listed_is_16(host, week):
    host.backup_dir.chmod(0o300)
    assert judged(host).code == 16


def test_a_directory_that_is_a_link_is_judged_as_what_it_leads_to(host, week):
    elsewhere = host.backup_dir.rename(host.home / "disk2")
    host.backup_dir.symlink_to(elsewhere)
    assert names(told(judged(host), "expired")) == week[:2]
