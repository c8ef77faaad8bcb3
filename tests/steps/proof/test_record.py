"""What a test restore elsewhere has shown is put on record, if it is still that archive."""

import pytest
from fabric_predeploy.remote.steps import rules, step

OTHER = "0" * 64


@pytest.fixture
def archive(host):
    return host.archive(proof="read")


@pytest.fixture
def record(host, archive):
    def recording(proof="equal", known="read", because="", **changes):
        sha256 = changes.get("sha256") or host.facts(manifest(archive))["sha256"]
        lock, *_ = host.until_preflight(create=False)
        return host.run(
            lock,
            step(
                "record",
                archive=archive,
                sha256=sha256,
                proof=proof,
                known_proof=known,
                because=because,
            ),
        )

    return recording


def manifest(archive):
    return f"{archive.removesuffix('.dump')}.manifest"


def rewrite(host, archive, old, new):
    path = host.backup_dir / manifest(archive)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_grade_is_recorded_and_the_status_tells_of_success(host, archive, record):
    report = record()

    assert report.code == 0
    assert report.of("record")["proof"] == "equal"
    assert host.facts(manifest(archive))["proof"] == "equal"
    status = host.facts("status")
    assert (status["result"], status["archive"], status["proof"]) == ("success", archive, "equal")


def test_a_better_one_that_was_given_meanwhile_stays(host, archive, record):
    rewrite(host, archive, "proof=read", "proof=equal")

    assert record("restored").code == 0
    assert host.facts(manifest(archive))["proof"] == "equal"


def test_one_that_was_found_damaged_meanwhile_is_13_and_stays_so(host, archive, record):
    rewrite(host, archive, "proof=read", "proof=failed")

    assert record().code == 13
    assert host.facts(manifest(archive))["proof"] == "failed"
    assert host.facts("status")["result"] == "failure"


@pytest.mark.parametrize("change", ["exchanged", "checksum", "size", "gone"])
def test_another_than_was_restored_is_13_and_keeps_its_grade(host, archive, record, change):
    dump = host.backup_dir / archive
    before = host.facts(manifest(archive))["sha256"]
    if change == "exchanged":
        rewrite(host, archive, before, OTHER)
    elif change == "checksum":
        dump.with_name(f"{archive}.sha256").write_text(f"{OTHER}  {archive}\n")
    elif change == "size":
        dump.write_bytes(dump.read_bytes() + b"x")
    else:
        dump.with_name(f"{archive}.sha256").unlink()

    assert record(sha256=before).code == 13
    assert host.facts(manifest(archive))["proof"] == "read"


def test_why_it_was_not_proven_is_told_by_the_status(host, archive, record):
    assert record(because="the test restore of it failed: a table is missing").code == 13

    assert host.facts(manifest(archive))["proof"] == "read"
    status = host.facts("status")
    assert (status["result"], status["code"]) == ("failure", "13")
    assert status["reason"] == "the test restore of it failed: a table is missing"


def test_until_it_is_heard_of_the_status_tells_of_no_success(host):
    lock, *others = host.until_preflight()
    taking = [
        rules.dump(host.settings),
        step("verify", proof="read"),
        step("publish", host.settings),
    ]

    report = host.run(lock, *others, *taking, step("defer", proof="equal"))

    assert report.code == 0
    assert len(list(host.backup_dir.glob("*.dump"))) == 1
    status = host.facts("status")
    assert (status["result"], status["code"]) == ("failure", "13")
    assert "nothing was heard yet" in status["reason"]
