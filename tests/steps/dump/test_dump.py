"""A dump is complete, or it is not there and everything else is as it was."""

import pytest

FAULTS = {
    "fails at once": ("echo 'pg_dump: error: no such table' >&2; exit 1", "no such table"),
    "dies halfway": ('printf PGD >"$file"; echo broken >&2; exit 1', "exit code 1: broken"),
    "is killed": ('printf PGD >"$file"; kill -KILL $$', "exit code 137"),
    "complains without end of line": ("printf 'no space' >&2; exit 1", "no space"),
    "exits 0 without a file": ("exit 0", "wrote nothing"),
    "exits 0 with an empty file": (': >"$file"', "wrote nothing"),
}


@pytest.mark.parametrize(("body", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_pg_dump_that_fails_is_12_and_leaves_everything_as_it_was(host, body, reason):
    host.archive()
    before = host.kept()
    host.stub("pg_dump", body)
    report = host.predeploy()
    assert report.code == 12
    assert host.kept() == before
    status = host.status()
    assert (status["result"], status["code"], status["archive"]) == ("failure", "12", "")
    assert reason in status["reason"]
    assert reason in report.of("result")["reason"]


def test_a_pg_dump_that_cannot_be_started_is_12(host):
    host.stub("pg_dump", 'rm -f "$0"', "16.0")
    host.set(compress=None)
    assert host.predeploy().code == 12
    assert host.kept() == {}


@pytest.mark.parametrize("complaint", ["WARNING: a", "without end of line"])
def test_what_pg_dump_says_is_shown_and_logged_even_when_it_fails(host, capsys, complaint):
    host.stub("pg_dump", f"printf '%s' '{complaint}' >&2; exit 1")
    host.predeploy()
    line = f"         {complaint}\n"
    assert line in capsys.readouterr().err
    assert line in (host.backup_dir / host.status()["log"]).read_text()


def test_warnings_of_pg_dump_are_facts_and_are_shown(host, capsys):
    host.stub("pg_dump", "echo 'pg_dump: warning: a=b' >&2; echo 'second' >&2; printf x >\"$file\"")
    report = host.predeploy()
    assert report.code == 0
    warnings = [value for key, value in report.facts["publish"] if key == "warning"]
    assert warnings == ["pg_dump: warning: a=b", "second"]
    assert "pg_dump: warning: a=b\n" in capsys.readouterr().err


def test_pg_dump_is_asked_for_a_custom_archive_with_a_bounded_wait_and_no_prompt(host):
    host.set(lock_timeout_seconds=7)
    host.stub("pg_dump", 'printf "%s\\n" "$@" >"$HOME/seen"; exit 1')
    host.predeploy()
    asked = (host.home / "seen").read_text().splitlines()
    assert {"--format=custom", "--lock-wait-timeout=7s", "--no-password"} <= set(asked)


def test_a_full_disk_is_told_as_such(host):
    full = 'echo "F 1024-blocks U A C M"; if [ -e "$HOME/full" ]; then a=0; else a=999999; fi'
    host.script("df", f'{full}; echo "/dev/a 999999 0 $a 50% /"')
    host.stub("pg_dump", 'printf PGD >"$file"; : >"$HOME/full"; exit 1')
    report = host.predeploy()
    assert report.code == 12
    assert "no space is left" in report.of("result")["reason"]
    assert host.kept() == {}


def test_a_pg_dump_that_outgrows_the_limit_of_files_is_12(host):
    host.stub("pg_dump", 'ulimit -f 1; /bin/dd if=/dev/zero of="$file" bs=4096 count=4 2>&2')
    assert host.predeploy().code == 12
    assert host.kept() == {}
