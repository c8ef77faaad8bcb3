"""A file from the client arrives complete and as announced, or nothing of it stays."""

import hashlib
import os
import signal
import subprocess

import pytest
from fabric_predeploy.remote._door import script, shell
from fabric_predeploy.remote.steps import rules, step

from tests.local import LocalLine, answer

PASSWORD = 'p\'w "$HOME" \\ `é`'
NOT_TEXT = b"\0\xff\xfe\n\r\n\xc3\x28'\\\x03\x04\x1a" + os.urandom(300_000)
MANIFEST = "format=1\ndatabase=shöp\nno end of line".encode()


def pieces(content, size=65536):
    return [content[start : start + size] for start in range(0, len(content), size)]


def announced(content, manifest=b"", name="some", sha256=None):
    checksum = sha256 or hashlib.sha256(content).hexdigest()
    return rules.receive(name, len(content), len(manifest), checksum)


def run(host, receive, payload, *more, upload="", secret=PASSWORD):
    lock = rules.lock(host.settings, create=True, upload=upload)
    return shell.run(
        LocalLine(),
        [lock, programs(host), receive, *more],
        variables={"task": "restore", "backup_dir": host.settings.backup_dir, "keeps_status": ""},
        secrets={"DB_PASSWORD": secret},
        payload=payload,
    )


def programs(host):
    return step("programs", host.settings)


def send(host, content=NOT_TEXT, manifest=b"", name="some", **options):
    return run(
        host, announced(content, manifest, name), pieces(manifest) + pieces(content), **options
    )


def received(host):
    directory = host.backup_dir / "upload.partial"
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def assert_nothing_stays(host):
    assert host.unfinished() == []
    assert host.kept() == {}
    assert host.processes() == []


@pytest.mark.parametrize("manifest", [b"", MANIFEST], ids=["without", "with"])
def test_a_file_that_is_no_text_arrives_as_it_is_with_and_without_a_manifest(host, manifest):
    report = send(host, manifest=manifest)
    assert report.code == 0
    assert received(host).pop("some.dump") == NOT_TEXT
    assert received(host).get("some.manifest", b"") == manifest
    assert len(received(host)) == (3 if manifest else 2)


def test_the_facts_tell_where_the_file_is_and_how_long_it_took(host):
    facts = send(host).of("receive")
    assert facts.pop("receive_seconds").isdecimal()
    assert facts == {"file": f"{host.backup_dir}/upload.partial/some.dump"}


def test_sha256sum_accepts_the_checksum_file_of_an_upload(host):
    assert send(host).code == 0
    checked = ["/usr/bin/sha256sum", "--strict", "--check", "some.dump.sha256"]
    directory = host.backup_dir / "upload.partial"
    assert subprocess.run(checked, cwd=directory, check=False).returncode == 0


def test_nobody_else_can_read_an_upload(host):
    send(host, manifest=MANIFEST)
    upload = host.backup_dir / "upload.partial"
    assert upload.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in upload.iterdir()} == {0o600}


def test_the_log_tells_what_comes_how_big_it_is_and_how_long_it_took(host, capfd):
    send(host)
    shown = capfd.readouterr().err
    assert f"receiving some.dump: {len(NOT_TEXT)} bytes\n" in shown
    assert "received some.dump in " in shown


def test_one_byte_is_a_file(host):
    assert send(host, b"\0").code == 0
    assert received(host)["some.dump"] == b"\0"


def test_a_name_that_no_shell_would_like_is_made_plain(host):
    name = '.$(touch x) ../é"\n*'
    report = send(host, name=name)
    assert report.code == 0
    assert sorted(received(host)) == [
        "_$(touch x) ../é".translate({ord(each): "_" for each in "$() /é"}) + "___.dump" + end
        for end in ("", ".sha256")
    ]


def test_a_client_that_is_asked_for_nothing_sends_nothing(host):
    def payload():
        raise AssertionError
        yield b""

    host.backup_dir.mkdir(mode=0o755)
    report = run(host, announced(b"x"), payload())
    assert report.code == 10
    assert "chmod 700" in str(report.problems[0])


def test_without_a_program_for_checksums_nothing_is_asked_for(host):
    host.without("sha256sum")
    report = send(host)
    assert report.code == 10
    assert "no program for checksums" in str(report.problems[0])
    assert_nothing_stays(host)


def test_a_file_of_0_bytes_is_13(host):
    report = send(host, b"")
    assert report.code == 13
    assert "some.dump is empty" in report.of("result")["reason"]
    assert_nothing_stays(host)


def test_too_little_space_is_10_before_anything_is_sent(host):
    host.script("df", "echo 'F 1024-blocks U A C M'; echo '/dev/a 999999 0 1300 50% /'")
    sent = []
    report = run(host, announced(NOT_TEXT), (sent.append(each) or each for each in [NOT_TEXT]))
    assert report.code == 10
    assert "too little space" in report.of("result")["reason"]
    assert "BACKUP_DIR" in report.of("result")["remedy"]
    assert sent == []
    assert_nothing_stays(host)


def test_a_wrong_checksum_is_13(host):
    report = run(host, announced(NOT_TEXT, sha256="0" * 64), pieces(NOT_TEXT))
    assert report.code == 13
    assert hashlib.sha256(NOT_TEXT).hexdigest() in report.of("result")["reason"]
    assert_nothing_stays(host)


def test_a_file_that_is_changed_on_the_way_is_13(host):
    changed = NOT_TEXT[:-1] + bytes([NOT_TEXT[-1] ^ 1])
    assert run(host, announced(NOT_TEXT), pieces(changed)).code == 13
    assert_nothing_stays(host)


@pytest.mark.parametrize("part", ["manifest", "dump"])
def test_a_client_that_cannot_go_on_says_why_when_the_host_has_cleared_up(host, part):
    """As where the file has become shorter than it was announced."""

    def payload():
        if part == "dump":
            yield MANIFEST
        yield MANIFEST[:10]
        raise EOFError("some.dump has become shorter")

    with pytest.raises(EOFError, match="has become shorter"):
        run(host, announced(NOT_TEXT, MANIFEST), payload())
    assert_nothing_stays(host)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_in_the_middle_is_130(host, number):
    def payload():
        yield NOT_TEXT[:65536]
        os.kill(os.getpid(), number)
        while True:
            yield b"more"

    report = run(host, rules.receive("some", 10**6, 0, "abc"), payload())
    assert report.code == 130
    assert_nothing_stays(host)


def test_a_shell_that_is_told_to_stop_in_the_middle_does_so_at_once(host):
    host.script("head", 'kill -TERM $PPID; exec /usr/bin/head "$@"')
    assert run(host, announced(NOT_TEXT), pieces(NOT_TEXT)[:1]).code == 130
    assert_nothing_stays(host)


def test_a_client_that_dies_in_the_middle_leaves_nothing(host):
    """The door itself would be told of it by whoever stops it; here nobody is there to tell."""
    variables = {"task": "restore", "backup_dir": host.settings.backup_dir}
    lock = rules.lock(host.settings, create=True)
    several = [lock, programs(host), announced(NOT_TEXT)]
    command, rest = script.request(several, {**variables, "keeps_status": "", "tells": "log"}, "f")
    told = subprocess.run(  # noqa: S602 - as sshd does
        command,
        shell=True,
        check=False,
        input=answer().encode() + rest + NOT_TEXT[:100_000],
        stdout=subprocess.PIPE,
        timeout=20,
    )
    assert told.returncode == 130
    assert b"\ncode=130\n" in told.stdout
    assert_nothing_stays(host)


@pytest.mark.parametrize("when", ["at once", "after a while"])
def test_a_file_that_cannot_be_written_is_10_whatever_is_still_to_come(host, when):
    reads = "" if when == "at once" else "/usr/bin/head -c 100000 >/dev/null;"
    host.script("head", f"{reads} echo 'no space left' >&2; exit 1")
    report = run(host, rules.receive("some", 2**30, 0, "abc"), (NOT_TEXT for _ in range(3600)))
    assert report.code == 10
    assert "no space left" in report.of("result")["reason"]
    assert_nothing_stays(host)


def test_a_dump_over_the_limit_of_files_is_10(host):
    host.script("head", 'ulimit -f 1; exec /usr/bin/head "$@"')
    assert send(host).code == 10
    assert_nothing_stays(host)


def test_the_password_is_read_all_the_same(host):
    host.stub("pg_dump", 'printf %s "$PGPASSWORD" >"$HOME/seen"; exit 1')
    later = [*host.until_preflight()[2:], rules.dump(host.settings)]
    assert run(host, announced(NOT_TEXT), pieces(NOT_TEXT), *later).code == 12
    assert (host.home / "seen").read_text() == PASSWORD


def test_a_host_that_had_to_wait_for_the_lock_takes_all_of_it(host):
    """Then the client is watched already: its word must not go to the watcher."""
    host.set(lock_wait_seconds=5)
    host.script("flock", '[ -e "$HOME/waited" ]')
    host.script("sleep", "exec /bin/sleep 0.1; ")
    host.script("cat", ': >"$HOME/waited"; exec /bin/cat "$@"')
    assert send(host, manifest=MANIFEST).code == 0
    assert received(host)["some.dump"] == NOT_TEXT
    assert host.processes() == []


@pytest.mark.parametrize("step", ["receive", "dump"])
def test_the_client_is_watched_again_once_all_has_come(host, step):
    stop = f"kill -TERM {os.getpid()}; exec /bin/sleep 60"
    if step == "receive":
        host.script("sha256sum", stop)
    else:
        host.stub("pg_dump", stop)
    later = [*host.until_preflight()[2:], rules.dump(host.settings)]
    report = run(host, announced(NOT_TEXT), pieces(NOT_TEXT), *later)
    assert report.code == 130
    assert report.of("result")["step"] == step
    assert host.processes() == []


def test_an_upload_does_not_stand_in_the_way_of_the_next(host):
    assert send(host, manifest=MANIFEST).code == 0
    assert send(host, b"other", name="second").code == 0
    assert received(host)["second.dump"] == b"other"
    assert len(received(host)) == 2
    assert send(host, b"third", name="second", upload="second").code == 0
    assert received(host)["second.dump"] == b"third"


def test_the_next_run_removes_an_upload(host):
    assert send(host).code == 0
    assert host.run(rules.lock(host.settings, create=False)).code == 0
    assert_nothing_stays(host)


@pytest.mark.parametrize("name", ["some", "é $x"])
def test_the_run_that_uses_an_upload_finds_it(host, name):
    assert send(host, name=name).code == 0
    before = received(host)
    report = host.run(rules.lock(host.settings, create=False, upload=name))
    assert report.code == 0
    assert received(host) == before


def test_an_upload_of_another_name_is_not_spared(host):
    assert send(host).code == 0
    assert host.run(rules.lock(host.settings, create=False, upload="som")).code == 0
    assert_nothing_stays(host)
