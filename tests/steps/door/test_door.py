"""What passes the one door between the client and the host's shell, and what does not."""

import hashlib
import itertools
import re
import subprocess

import pytest
from fabric_predeploy.remote._door import contract, script, shell
from fabric_predeploy.remote._door.report import LOST
from fabric_predeploy.remote.steps import rules, step

from tests.local import LocalLine

PASSWORD_PARTS = ("p'w", "`é`")


NOISE = """echo result=success; echo code=0; echo begin result; echo code=0; echo end result
echo ' begin result'; echo code=0; echo problem=forged; echo ' end result'; printf half"""


def test_what_an_rc_file_prints_before_the_steps_counts_for_nothing(host):
    host.stub("pg_dump", "exit 3")
    report = host.predeploy(line=LocalLine(NOISE))
    assert report.code == 12
    assert report.problems == []


def test_what_a_program_prints_on_stdout_is_no_outcome(host):
    host.stub("pg_dump", "echo; echo ' begin result'; echo code=0; echo ' end result'; exit 3")
    assert host.predeploy().code == 12
    assert host.dumps() == []


@pytest.mark.parametrize("character", ["'", '"', "\\", "!", "$", "`", "\n", "%", "é", "\\n", "$0"])
def test_a_script_arrives_as_it_was_sent(host, character):
    text = f"cat >\"$HOME/seen\" <<'END'\n<{character}>\nEND\n"
    command = script.COMMAND.format(script.encoded(text))
    subprocess.run(command, shell=True, check=True, stdin=subprocess.DEVNULL)  # noqa: S602 - as sshd does
    assert (host.home / "seen").read_text() == f"<{character}>\n"


def test_without_comments_and_indentation_a_script_is_the_same_to_the_shell():
    source, sent = contract.source("verify.sh"), script._code("verify.sh")
    assert "'s/^\\\\//'" in sent
    assert not [line for line in sent.splitlines() if line.startswith((" ", "#"))]
    assert len(sent) < len(source)


def test_pg_dump_finds_the_password_in_its_environment(host):
    host.stub("pg_dump", 'printf %s "$PGPASSWORD" >"$HOME/seen"; exit 1')
    host.predeploy()
    assert (host.home / "seen").read_text() == 'p\'w "$HOME" \\ `é`'


def test_without_a_password_none_is_set(host, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "of the account")
    host.stub("pg_dump", 'printf %s "${PGPASSWORD-unset}" >"$HOME/seen"; exit 1')
    host.predeploy(secret="")
    assert (host.home / "seen").read_text() == "unset"


def test_settings_of_the_account_do_not_lead_elsewhere(host, monkeypatch):
    for variable in ("PGOPTIONS", "PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGSYSCONFDIR"):
        monkeypatch.setenv(variable, "led-astray")
    host.stub("pg_dump", 'tr "\\000" "\\n" </proc/$$/environ >"$HOME/seen"; exit 1')
    host.predeploy()
    seen = (host.home / "seen").read_text()
    assert "PGUSER=owner" in seen
    assert "led-astray" not in seen


def test_pg_dump_is_told_which_database_by_the_settings_alone(host, monkeypatch):
    monkeypatch.setenv("PGDATABASE", "other")
    host.set(db_name='it\'s; a "shöp"', db_host="db.example", db_port=5433)
    host.stub("pg_dump", 'printf %s "$PGUSER@$PGHOST:$PGPORT/$PGDATABASE" >"$HOME/seen"; exit 1')
    host.predeploy()
    assert (host.home / "seen").read_text() == 'owner@db.example:5433/it\'s; a "shöp"'


def test_the_password_is_in_no_file_no_output_and_no_command_line(host):
    """Every step has been through, and each of the three programs has complained."""
    told = []

    class Listening(LocalLine):
        def begin(self, command):
            channel = super().begin(command)
            receive = channel.receive

            def listen(seconds):
                told.extend(receive(seconds))
                return told[-2], told[-1]

            channel.receive = listen
            return channel

    every_command_line = 'cat /proc/[0-9]*/cmdline >>"$HOME/seen" 2>&1; echo warning >&2'
    host.stub("pg_dump", f'{every_command_line}; printf PGDMP >"$file"')
    assert host.predeploy(line=Listening()).code == 0
    files = [path.read_bytes() for path in host.home.rglob("*") if path.is_file()]
    assert any(b"exec sh -c" in content or b"--lock-wait-timeout" in content for content in files)
    for part in PASSWORD_PARTS:
        assert part.encode() not in b"".join(told)
        assert not any(part.encode() in content for content in files)


def test_a_variable_of_the_account_is_not_taken_for_one_of_ours(host, monkeypatch):
    """At its end, such a run would have removed `run_dir` and `partial`."""
    precious = host.home / "precious"
    precious.write_text("still here")
    for variable in ("run_dir", "partial", "log_file", "problems"):
        monkeypatch.setenv(variable, str(precious))
    report = host.run(step("catalog"))
    assert report.code == 0
    assert report.problems == []
    assert precious.read_text() == "still here"


def test_an_archive_of_the_account_is_not_told_of_as_ours(host, monkeypatch):
    monkeypatch.setenv("published", "some.dump")
    monkeypatch.setenv("proved", "read")
    host.stub("pg_dump", "exit 1")
    host.predeploy()
    status = host.status()
    assert (status["result"], status["archive"], status["proof"]) == ("failure", "", "")


def test_a_good_run_shows_its_log_and_nothing_else(host, capsys):
    """No word of the shell about what it has ended."""
    assert host.predeploy().code == 0
    shown = capsys.readouterr().err.splitlines()
    assert shown
    assert [line for line in shown if not re.match(r"\d\d:\d\d:\d\d ", line)] == []


def test_nothing_is_left_running_after_a_good_run(host):
    assert host.predeploy().code == 0
    assert host.processes() == []


def test_a_run_of_a_moment_ends_however_busy_the_host_is(host):
    """What watches the client has hardly been forked when it is to be ended."""
    fact = {"fence": "f", "task": "history", "backup_dir": "~", "keeps_status": "", "tells": "log"}
    fact["rest_bytes"] = "0"
    code = [script._code("door.sh"), script.library(), "watch_client", "begin x", "end x"]
    text = "\n".join([*script.assignments(fact), *code])
    several = [
        subprocess.Popen(["sh", "-c", text], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for _ in range(30)
    ]
    for one in several:
        one.stdin.write(b"\n")
        one.stdin.flush()
    try:
        assert {one.wait(timeout=10) for one in several} == {0}
    finally:
        for one in several:
            one.stdin.close()
            one.wait(timeout=10)


def sent(host, content, *more, announced=None, **options):
    checksum = hashlib.sha256(content).hexdigest()
    receive = rules.receive("some", announced or len(content), 0, checksum)
    lock, programs, *_ = host.until_preflight()
    variables = {"task": "restore", "backup_dir": host.settings.backup_dir, "keeps_status": ""}
    several = [lock, programs, receive, *more]
    secrets = {"DB_PASSWORD": "x"}
    return shell.run(LocalLine(), several, variables=variables, secrets=secrets, **options)


def test_every_byte_of_a_payload_arrives_as_it_is(host):
    content = bytes(range(256)) * 1000
    assert sent(host, content, payload=[content[:1], b"", content[1:]]).code == 0
    assert (host.backup_dir / "upload.partial" / "some.dump").read_bytes() == content


def test_facts_and_log_of_a_run_with_a_payload_are_text_as_ever(host, capsys):
    host.set(backup_dir=str(host.home / "bäckups\N{SNOWMAN}"))
    host.script("head", "echo 'kein Plätz \N{SNOWMAN}' >&2; exit 1")
    report = sent(host, b"content", payload=[b"content"])
    assert "kein Plätz \N{SNOWMAN}" in report.of("result")["reason"]
    assert "bäckups\N{SNOWMAN}" in report.of("result")["remedy"]
    assert "kein Plätz \N{SNOWMAN}" in capsys.readouterr().err


def test_a_payload_is_not_held_in_memory(host):
    """However much there is, it is made as it is sent."""
    alive, most = 0, 0

    class Piece(bytes):
        def __new__(cls):
            nonlocal alive, most
            alive += 1
            most = max(most, alive)
            return super().__new__(cls, 65536)

        def __del__(self):
            nonlocal alive
            alive -= 1

    content = bytes(65536 * 100)
    assert sent(host, content, payload=(Piece() for _ in range(100))).code == 0
    assert most <= 2


def test_a_host_that_ends_before_it_has_read_everything_is_heard(host):
    host.script("head", "echo enough >&2; exit 1")
    endless = itertools.repeat(bytes(65536))
    report = sent(host, b"content", announced=2**30, payload=endless)
    assert report.code == 10
    assert "enough" in report.of("result")["reason"]


def test_whoever_follows_a_run_hears_of_each_step_and_the_report_tells_its_seconds(host):
    heard = []
    several = host.until_preflight()
    report = host.run(*several, follow=lambda *event: heard.append(event))
    names = [*(step.name for step in several), "result"]
    assert heard == [(word, name) for name in names for word in ("begin", "end")]
    assert list(report.seconds) == names
    assert all(seconds > 0 for seconds in report.seconds.values())


def test_a_step_that_did_not_reach_its_end_has_no_seconds(host):
    host.stub("pg_dump", "exit 1")
    report = host.predeploy()
    assert {"lock", "preflight"} <= set(report.seconds)
    assert "dump" not in report.seconds


def test_a_follower_that_fails_ends_the_run_and_is_no_lost_connection(host):
    def fail(_word, _rest):
        raise ValueError("of the follower")

    with pytest.raises(ValueError, match="of the follower"):
        host.run(*host.until_preflight(), follow=fail)


@pytest.mark.parametrize("failure", [EOFError, ConnectionResetError])
def test_a_host_that_is_gone_before_it_begins_is_lost_and_no_bug(host, failure):
    class Gone(LocalLine):
        def begin(self, _command):
            raise failure

    report = host.predeploy(line=Gone())
    assert (report.code, report.exited) == (None, LOST)
