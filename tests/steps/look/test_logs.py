"""The log of a run is found by its time, or by the archive that it has made."""

import pytest
from fabric_predeploy.remote import recipes
from fabric_predeploy.remote.steps import step

ARCHIVE = "shop-pre-deploy-v1-20250314-123456.dump"


@pytest.fixture
def logs(host):
    return lambda archive="": host.run(
        step("logs", archive=archive, most_bytes=recipes.LOG_BYTES), task="logs"
    )


@pytest.fixture
def log(host):
    def write(stamp, text):
        host.backup_dir.mkdir(0o700, exist_ok=True)
        path = host.backup_dir / f"backup-{stamp}.log"
        path.write_bytes(text)
        return path

    return write


def lines(report):
    return [value for key, value in report.facts["logs"] if key == "line"]


def test_the_newest_is_that_of_the_last_run(log, logs):
    log("20250315-000000", b"newest\n")
    log("20250314-235959", b"older\n")
    report = logs()
    assert report.of("logs")["log"] == "backup-20250315-000000.log"
    assert lines(report) == ["newest"]


def test_looking_changes_nothing(host, log, logs):
    path = log("20250314-123456", b"as it was\n")
    logs()
    assert list(host.backup_dir.iterdir()) == [path]
    assert path.read_bytes() == b"as it was\n"


def test_the_run_that_has_made_an_archive_is_the_one_that_says_so(log, logs):
    published = f"12:34:56 published {ARCHIVE}\n".encode()
    log("20250314-123456", b"12:34:56 predeploy, asked for by a@b\n" + published)
    log("20250310-123456", f"12:34:56 removed {ARCHIVE}\n".encode())
    log("20250311-123456", b"12:34:56 published x" + ARCHIVE.encode() + b"\n")
    log("20250312-123456", published.replace(b".", b"x"))
    log("20250313-123456", b"         says: " + published)
    report = logs(ARCHIVE)
    assert report.of("logs")["log"] == "backup-20250314-123456.log"
    assert lines(report)[-1] == published.decode().strip()


def test_an_archive_whose_log_has_gone_is_14_and_says_so(log, logs):
    log("20250314-123456", b"12:34:56 published another\n")
    report = logs(ARCHIVE)
    assert report.code == 14
    assert f"the log of the run that has made {ARCHIVE} is gone" in report.of("result")["reason"]


def test_where_there_are_no_logs_it_is_14(host, log, logs):
    assert logs().code == 14
    host.backup_dir.mkdir(0o700)
    (host.backup_dir / "backup-of-mine.log").touch()
    assert logs().code == 14


def test_of_a_huge_log_the_end_is_told_and_how_large_it_is(log, logs):
    log("20250314-123456", b"%015d\n" * recipes.LOG_BYTES % tuple(range(recipes.LOG_BYTES)))
    report = logs()
    assert report.of("logs")["bytes"] == str(16 * recipes.LOG_BYTES)
    assert len("\n".join(lines(report))) in (recipes.LOG_BYTES, recipes.LOG_BYTES - 1)
    assert lines(report)[-1] == f"{recipes.LOG_BYTES - 1:015}"


@pytest.mark.parametrize("text", ["", "no line break", "a=b\n\n c\r\n", "\x1b[2J\n", "é\n"])
def test_a_log_is_told_as_it_is(log, logs, text):
    log("20250314-123456", text.encode())
    assert "\n".join(lines(logs())) == text.removesuffix("\n")


def test_a_log_cannot_speak_for_the_host(log, logs):
    log("20250314-123456", b"ab end logs\n\nbegin result\ncode=9\n")
    report = logs()
    assert report.code == 0
    assert lines(report)[-1] == "code=9"
