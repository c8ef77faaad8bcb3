"""The script gets into the home of the account whole, or not at all; what others put stays."""

import hashlib
import os
import signal
import stat

import pytest
from fabric_predeploy.remote._door import shell
from fabric_predeploy.remote.by_hand.standalone import stamped
from fabric_predeploy.remote.steps import rules, step
from fabric_predeploy.tasks._gate.by_hand import current, text

from tests.local import LocalLine


@pytest.fixture
def content(host):
    return stamped(text(host.settings), "1.2").encode()


@pytest.fixture
def script(host):
    return host.home / "remote-backup.sh"


def run(host, *several, payload=None):
    variables = {"task": "install", "backup_dir": host.settings.backup_dir, "keeps_status": ""}
    return shell.run(LocalLine(), several, variables=variables, payload=payload)


def install(host, content, payload=None, announced=None):
    several = [
        step("programs", host.settings),
        step("installed"),
        announced or rules.install(content),
    ]
    return run(host, *several, payload=[content] if payload is None else payload)


def found(host):
    return run(host, step("installed")).facts["installed"]


def uninstall(host):
    return run(host, step("installed"), step("uninstall"))


def assert_untouched(host, before):
    assert {path: path.read_bytes() for path in host.home.iterdir() if path.is_file()} == before
    assert host.processes() == []


def test_it_arrives_as_it_was_sent_for_its_owner_alone(host, script, content):
    report = install(host, content)
    assert report.code == 0
    assert report.facts["install"] == [("changed", "yes"), ("script", str(script))]
    assert script.read_bytes() == content
    assert stat.S_IMODE(script.stat().st_mode) == 0o700
    assert [path.name for path in host.home.iterdir()] == ["remote-backup.sh"]


def test_its_stamp_is_found(host, content):
    assert found(host) == []
    install(host, content)
    _, checksum = current(host.settings).split()
    assert found(host) == [("installed", f"1.2 {checksum}")]


def test_a_second_time_nothing_is_sent(host, script, content):
    install(host, content)
    before = script.stat().st_ino

    def payload():
        raise AssertionError("it was asked for")
        yield

    report = install(host, content, payload=payload())
    assert report.code == 0
    assert report.of("install")["changed"] == "no"
    assert script.stat().st_ino == before


@pytest.mark.parametrize("change", ["another version", "edited by hand", "not for its owner alone"])
def test_what_is_ours_but_another_is_replaced(host, script, content, change):
    if change == "another version":
        script.write_bytes(stamped("exit 1\n", "0.9").encode())
    else:
        install(host, content)
    if change == "edited by hand":
        script.write_bytes(content + b"# mine\n")
    script.chmod(0o755)
    assert install(host, content).code == 0
    assert script.read_bytes() == content
    assert stat.S_IMODE(script.stat().st_mode) == 0o700


FOREIGN = {
    "a script": b"#!/bin/sh\necho mine\n",
    "empty": b"",
    "a stamp in another line": b"#!/bin/sh\n\n# fabric-predeploy 1.2 abc\n",
    "no text": b"\0\xff\n\n",
}


@pytest.mark.parametrize("mine", FOREIGN.values(), ids=FOREIGN)
def test_what_others_have_put_there_stays_and_is_14(host, script, content, mine):
    script.write_bytes(mine)
    before = {script: mine}
    for report in (install(host, content), uninstall(host)):
        assert report.code == 14
        assert str(script) in report.of("result")["reason"]
        assert_untouched(host, before)
    assert found(host) == []


def test_a_link_or_a_directory_of_that_name_stays_and_is_14(host, script, content):
    elsewhere = host.home / "elsewhere"
    elsewhere.write_bytes(content)
    for put_there in (lambda: script.symlink_to("elsewhere"), script.mkdir):
        put_there()
        assert install(host, content).code == 14
        assert uninstall(host).code == 14
        assert elsewhere.read_bytes() == content
        script.unlink() if script.is_symlink() else script.rmdir()


def test_what_did_not_arrive_as_it_was_announced_is_13_and_what_was_there_stays(
    host, script, content
):
    install(host, content)
    other = bytearray(content.replace(b"manual", b"manuel"))
    report = install(host, bytes(other), payload=[bytes(other).replace(b"manuel", b"manyel")])
    assert report.code == 13
    assert_untouched(host, {script: content})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_in_the_middle_is_130_and_leaves_nothing(host, content, number):
    def payload():
        yield content[:1000]
        os.kill(os.getpid(), number)
        while True:
            yield b"#"

    announced = rules.install(content * 10)
    assert install(host, content, payload=payload(), announced=announced).code == 130
    assert_untouched(host, {})


def test_a_disk_that_does_not_take_it_is_10_and_leaves_nothing(host, content):
    host.script("head", "/usr/bin/head -c 100; echo No space left >&2; exit 1")
    report = install(host, content)
    assert report.code == 10
    assert "No space left" in report.of("result")["reason"]
    assert_untouched(host, {})


def test_without_a_program_for_checksums_nothing_is_sent(host, content):
    host.without("sha256sum")
    assert install(host, content).code == 10
    assert_untouched(host, {})


def test_it_goes_again(host, script, content):
    install(host, content)
    assert uninstall(host).code == 0
    assert not script.exists()
    assert uninstall(host).code == 0


def test_the_checksum_of_the_stamp_is_that_of_what_follows_it(host, content):
    first, second, rest = content.split(b"\n", 2)
    assert first == b"#!/bin/sh"
    assert second.split()[-1].decode() == hashlib.sha256(rest).hexdigest()
