"""How findings read, and what is made of what the host has told."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from fabric_predeploy.config.errors import HostError
from fabric_predeploy.config.loading import load
from fabric_predeploy.config.settings import Settings
from fabric_predeploy.remote._door.report import Report
from fabric_predeploy.tasks._doctor import diagnosis, findings
from fabric_predeploy.tasks._doctor.findings import CHECKS, Finding

LOOK = {
    "user": "me",
    "login_shell": "/bin/sh",
    "sh": "/bin/dash",
    "backup_dir": "/b",
    "free_bytes": "2000",
    "file_system": "/dev/x",
    "flock": "/bin/flock",
    "awk": "/bin/awk",
}
PREFLIGHT = {
    "bin_dir": "/pg",
    "need_bytes": "1000",
    "free_bytes": "2000",
    "client_version": "15.1",
    "compress": "gzip:1",
    "server_version": "15.2",
    "relations": "7",
    "role": "owner",
}
OUTLINE = {"pg_restore": "15.1", "psql": "15.1", "max_locks": "64", "entries": "9"}


@pytest.fixture
def settings(tmp_path) -> Settings:
    return load("web", environ={"DB_NAME": "shop", "DB_USER": "owner"}, directory=tmp_path)


def report(noise="", stderr="", skew_seconds=0, **steps):
    now = datetime.now(timezone.utc) - timedelta(seconds=skew_seconds)
    given = {
        "look": LOOK,
        "lock": {"mode": "drwx------"},
        "programs": {"checksum": "sha256sum"},
        "preflight": PREFLIGHT,
        "outline": OUTLINE,
        "rehearse": {},
        "result": {"time": now.strftime("%Y-%m-%dT%H:%M:%SZ")},
        **steps,
    }
    facts = {
        name: list(told.items()) if isinstance(told, dict) else told
        for name, told in given.items()
        if told is not None
    }
    return Report(facts, 0, noise=noise, stderr=stderr)


def found(settings, *arguments, **told):
    return {each.check: each for each in diagnosis.of_host(settings, report(*arguments, **told))}


def test_a_sound_host_has_nothing_but_ok(settings):
    assert {each.result for each in found(settings).values()} == {"ok"}


@pytest.mark.parametrize(
    ("lines", "result"),
    [
        (["Disk quotas for user me (uid 1): ", "/dev/x 10 0 12 0 0 0"], "ok"),
        (["/dev/x 12* 10 12 6days 0 0 0"], "warn"),
        (["/dev/x 10 10 0 0 0 0"], "warn"),
        (["/dev/x 10 0 0 0 0 0"], "ok"),
        (["/dev/other 12* 10 12 6days 0 0 0"], "ok"),
        (["Disk quotas for user me (uid 1): none"], "ok"),
    ],
)
def test_a_quota_counts_where_it_is_that_of_the_backups(settings, lines, result):
    look = [*LOOK.items(), *(("quota", line) for line in lines)]
    assert found(settings, look=look)["space"].result == result


@pytest.mark.parametrize(
    ("client", "restore", "words"),
    [("16.1", "16.1", "newer than the server"), ("15.1", "15.9", "of several versions")],
)
def test_programs_that_will_do_may_still_be_odd(settings, client, restore, words):
    preflight = {**PREFLIGHT, "client_version": client}
    outline = {"pg_restore": restore, "psql": restore}
    one = found(settings, preflight=preflight, outline=outline)["programs"]
    assert one.result == "warn"
    assert words in one.detail
    assert "DB_BIN_DIR" in one.remedy


def test_what_pg_dump_leaves_out_is_told(settings):
    told = [*PREFLIGHT.items(), ("missing", "subscription a"), ("missing", "subscription b")]
    one = found(settings, preflight=told)["rights"]
    assert one.result == "warn"
    assert "subscription a, subscription b" in one.detail


def test_a_clock_that_is_off_is_told(settings):
    assert found(settings, skew_seconds=4000)["clock"].result == "warn"


def test_noise_is_told_but_not_a_secret_in_it(settings):
    assert "Welcome" in found(settings, noise="Welcome\nmore")["rc files"].detail
    told = found(settings, stderr="-----BEGIN OPENSSH PRIVATE KEY-----")["rc files"]
    assert told.result == "warn"
    assert "BEGIN" not in told.detail


def test_the_last_run_is_told_unless_one_is_at_work(settings):
    look = {**LOOK, "last_result": "failure", "last_task": "predeploy", "last_reason": "no space"}
    one = found(settings, look=look)["last run"]
    assert one.result == "warn"
    assert "no space" in one.detail
    at_work = found(settings, look=look, lock={"held": "predeploy for ci"})
    assert "last run" not in at_work
    assert "predeploy for ci" in at_work["lock"].detail


REHEARSALS = [
    ([("swap_obstacle", "s")], {"way back": "ok", "relations": "ok", "extensions": "ok"}),
    ([("transaction_obstacle", "t")], {"way back": "ok", "relations": "ok"}),
    ([("obstacle", "theirs")], {"way back": "weighed", "relations": "ok"}),
    (
        [("swap_obstacle", "s"), ("transaction_obstacle", "raise max_locks_per_transaction")],
        {"way back": "weighed", "relations": "weighed"},
    ),
    ([("obstacle", "the extension x is not trusted")], {"extensions": "weighed"}),
]


@pytest.mark.parametrize(("told", "results"), REHEARSALS)
@pytest.mark.parametrize(("demand", "weight"), [("warn", "warn"), ("require", "fail")])
def test_obstacles_weigh_what_predeploy_makes_of_them(settings, told, results, demand, weight):
    outline = [*OUTLINE.items(), ("extension", "plpgsql 1.0 of postgres")]
    seen = found(replace(settings, rehearsal=demand), rehearse=told, outline=outline)
    expected = {name: weight if text == "weighed" else text for name, text in results.items()}
    assert {name: seen[name].result for name in results} == expected


def test_where_the_database_was_not_reached_what_is_known_is_told_all_the_same(settings):
    lock = [("mode", "drwx------")]
    broken = [("failed", "database"), ("because", "no"), ("remedy", "try")]
    programs = {"checksum": "sha256sum", "found": "15.1 /pg"}
    seen = found(
        settings,
        lock=lock,
        programs=programs,
        preflight=[*broken, ("bin_dir", ""), ("free_bytes", ""), ("need_bytes", "")],
        outline={},
        rehearse=None,
    )
    assert seen["database"] == Finding("database", "fail", "no", "try")
    assert seen["space"].detail == "2.0 kB free"
    assert "15.1 /pg" in seen["programs"].detail
    assert "rights" not in seen


def test_a_host_that_ran_nothing_of_ours_tells_nothing(settings):
    assert list(diagnosis.of_host(settings, Report({}, 1))) == []


def test_an_error_is_told_by_its_cause_and_its_remedy():
    remedy = "wake it:\n    knock\n  Only then\nx y"
    error = HostError("it is down", more="    since noon", remedy=remedy)
    assert error.message == f"it is down (exit 3)\n    since noon\n  What to do: {remedy}"
    assert findings.told("port", error) == Finding(
        "port", "fail", "it is down\nsince noon", "wake it:\n    knock\n  Only then\nx y"
    )


def test_checks_that_were_not_come_to_are_skipped_and_the_order_is_always_the_same():
    complete = findings.complete([findings.ok("port", "p"), findings.failed("dns", "d")])
    assert [each.check for each in complete] == list(CHECKS)
    assert {each.result for each in complete if each.check not in ("dns", "port")} == {"skipped"}


def test_text_is_wrapped_but_what_is_to_be_copied_is_not():
    long = "word " * 30
    text = findings.as_text([findings.warned("last run", long, long), *findings.complete([])[:2]])
    first, *_, remedy, skipped = text.splitlines()
    assert first.startswith("warn  last run    word word")
    assert len(first) <= 100
    assert remedy.strip() == f"remedy: {long.strip()}"
    assert skipped == "-     not reached settings, version"


def test_json_is_a_list_of_all_fields():
    data = findings.as_data([Finding("dns", "fail", "ä", "x")])
    assert data == [{"check": "dns", "result": "fail", "detail": "ä", "remedy": "x"}]
