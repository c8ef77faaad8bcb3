"""What counts as good, for whom: each way in which a run can have ended."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import MappingProxyType, SimpleNamespace

import pytest
from fabric_predeploy.config.parsers import seconds
from fabric_predeploy.tasks._status.health import (
    CRITICAL,
    OK,
    WARNING,
    LastRun,
    judged,
    newest_proven,
)

from tests.unit.tasks.test_table import archive

NOW = datetime(2025, 3, 14, 12, tzinfo=timezone.utc)
HOUR = 3600
SETTINGS = SimpleNamespace(project="pricehawk", db_name="shop", least_proof="read")
GOOD = MappingProxyType(
    {
        "result": "success",
        "task": "predeploy",
        "archive": "x.dump",
        "proof": "read",
        "code": "0",
        "step": "prune",
        "time": "2025-03-14T11:00:00Z",
        "reason": "",
    }
)


def health(max_age=None, newest=None, **changes):
    return judged(LastRun({**GOOD, **changes}), newest, NOW, max_age)


def verdict(found):
    return found.level, found.good


def test_a_run_that_succeeded_is_good_and_says_what_it_made():
    found = health()
    assert verdict(found) == (OK, True)
    assert found.why == ("predeploy 1h ago: x.dump (read)",)


@pytest.mark.parametrize("task", ["restore", "backup"])
def test_a_restore_or_a_backup_alone_counts_as_a_run_like_any_other(task):
    assert verdict(health(task=task)) == (OK, True)
    assert verdict(health(task=task, result="failure", code="15")) == (CRITICAL, False)


def test_what_failed_after_the_success_is_a_warning_and_still_good():
    found = health(code="16", reason="could not remove x")
    assert verdict(found) == (WARNING, True)
    assert "could not remove x" in found.why[0]


@pytest.mark.parametrize("code", ["10", "12", "13", "14", "130"])
def test_a_run_that_failed_is_critical_with_code_and_reason(code):
    found = health(result="failure", code=code, reason="no space")
    assert verdict(found) == (CRITICAL, False)
    assert f"exit code {code}: no space" in found.why[0]


def test_no_record_is_critical():
    assert verdict(judged(LastRun({}), None, NOW, None)) == (CRITICAL, False)


@pytest.mark.parametrize("changes", [{"result": "succ"}, {"result": ""}])
def test_a_record_that_cannot_be_read_is_critical(changes):
    assert verdict(health(**changes)) == (CRITICAL, False)


def test_a_run_that_never_ended_is_critical():
    found = health(result="failure", step="lock", code="1", reason="begun, not ended")
    assert verdict(found) == (CRITICAL, False)
    assert "never ended" in found.why[0]


def test_of_a_run_at_work_the_archives_tell_if_they_are_asked():
    begun = {"result": "failure", "step": "lock", "code": "1", "at_work": "predeploy for a@b"}
    assert verdict(health(**begun)) == (WARNING, False)
    assert verdict(health(2 * HOUR, archive(), **begun)) == (OK, True)
    assert verdict(health(HOUR // 2, archive(), **begun)) == (CRITICAL, False)


def test_an_end_on_record_is_believed_more_than_a_lock():
    assert verdict(health(at_work="predeploy for a@b")) == (OK, True)
    assert "1h ago" in health(at_work="predeploy for a@b").why[0]


@pytest.mark.parametrize(("max_age", "good"), [(HOUR - 1, False), (HOUR, True)])
def test_an_archive_may_be_as_old_as_is_said(max_age, good):
    assert health(max_age, archive(hours_ago=1)).good is good


def test_no_proven_archive_is_too_old():
    assert verdict(health(HOUR, None)) == (CRITICAL, False)


def test_a_young_archive_does_not_make_up_for_a_run_that_failed():
    assert verdict(health(2 * HOUR, archive(), result="failure", code="12")) == (CRITICAL, False)


def test_the_worse_of_two_reasons_comes_first():
    found = health(HOUR // 2, archive(), code="16", reason="rotation")
    assert verdict(found) == (CRITICAL, False)
    assert "more than 30m" in found.why[0]
    assert "rotation" in found.why[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"project": "other"},
        {"database": "other"},
        {"label": "pre-restore"},
        {"proof": "written"},
        {"proof": "failed"},
        {"present_bytes": 999},
        {"shrunk": True},
        {"created": NOW + timedelta(hours=1)},
    ],
    ids=str,
)
def test_the_newest_proven_is_one_that_a_deploy_could_go_back_to(changes):
    older, other = archive("v1", 5), replace(archive("v2", 1), **changes)
    assert newest_proven([older, other], SETTINGS, NOW) == older
    assert newest_proven([other], SETTINGS, NOW) is None


def test_a_time_that_cannot_be_read_is_some_time_ago():
    assert "some time ago" in health(time="yesterday").why[0]


@pytest.mark.parametrize(
    ("text", "told"), [("90m", 5400), ("26h", 93_600), ("7d", 604_800), ("5s", 5)]
)
def test_a_length_of_time_is_a_number_and_a_letter(text, told):
    assert seconds(text) == told


@pytest.mark.parametrize("text", ["", "26", "h", "0h", "-1h", "1.5h", "26H", "1h30m", "٣h", "1h\n"])
def test_any_other_length_of_time_is_refused(text):
    with pytest.raises(ValueError, match="90m, 26h or 7d"):
        seconds(text)
