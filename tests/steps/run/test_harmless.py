"""What the host keeps to be read with cat or tail holds nothing that a terminal would obey."""

import re
import subprocess

import pytest

from tests.local import whole_script
from tests.steps.by_hand.test_standalone import Script
from tests.steps.host import DUMPING

ORDERS = "".join(map(chr, range(1, 32))).translate({9: None, 10: None}) + "\x7f"
NAME = f"v\x1b[2J\x1b]52;c;cm0K\x07\r{ORDERS}w"
SHOWN = re.sub(f"[{re.escape(ORDERS)}]", " ", NAME)
IN_OCTAL = "".join(f"\\{ord(each):03o}" for each in NAME)
OBEYED = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


def keeps_no_order(host):
    for path in host.backup_dir.iterdir():
        if path.is_file() and path.suffix != ".dump":
            assert not OBEYED.search(path.read_bytes()), path.name


def assert_harmless(host, report):
    keeps_no_order(host)
    told = [report.stderr, *(value for pairs in report.facts.values() for _, value in pairs)]
    assert not OBEYED.search("\n".join(told).encode())


def test_what_pg_dump_warns_of_is_told_logged_and_recorded_without_orders(host):
    host.stub("pg_dump", f"printf 'pg_dump: warning: {IN_OCTAL}\\n' >&2; {DUMPING}")

    report = host.predeploy()

    assert report.code == 0, report.stderr
    assert_harmless(host, report)
    assert f"warning: {SHOWN}" in report.stderr
    (manifest,) = host.backup_dir.glob("*.manifest")
    assert f"warning=pg_dump: warning: {SHOWN}\n" in manifest.read_text()


def test_what_is_missing_is_told_logged_and_recorded_without_orders(host):
    host.database("15.18", f"missing=subscription {NAME}")

    report = host.predeploy()

    assert report.code == 0, report.stderr
    assert_harmless(host, report)
    assert ("missing", f"subscription {SHOWN}") in report.facts["publish"]


@pytest.mark.parametrize(
    ("program", "body", "code"),
    [
        ("pg_dump", f"printf 'error: {IN_OCTAL}\\n' >&2; exit 1", 12),
        ("psql", f"printf 'FATAL: {IN_OCTAL}\\n' >&2; exit 2", 10),
        ("pg_restore", f"printf 'error: {IN_OCTAL}\\n' >&2; exit 1", 13),
    ],
)
def test_why_a_run_failed_is_told_logged_and_in_the_status_without_orders(
    host, program, body, code
):
    host.stub(program, body)

    report = host.predeploy()

    assert report.code == code
    assert_harmless(host, report)
    assert SHOWN in report.of("result")["reason"] + "".join(map(str, report.problems))
    assert SHOWN in (host.backup_dir / "status").read_text()


def test_tabs_lines_and_letters_of_any_language_stay(host):
    host.stub("pg_dump", "printf 'Größe\\t价格 цена\\n' >&2; " + DUMPING)

    report = host.predeploy()

    assert "Größe 价格 цена" in report.stderr
    assert ("warning", "Größe\t价格 цена") in report.facts["publish"]


@pytest.mark.parametrize("count", [1, 10_000], ids=["short", "long"])
def test_each_order_becomes_a_blank_whatever_the_length(host, count):
    text = f"{NAME}\n" * count
    script = """make_harmless "$(cat)"; printf '%s' "$harmless"; trap - EXIT; exit 0"""

    assert _shell(host, script, text) == (f"{SHOWN}\n" * count).removesuffix("\n")


def test_words_that_could_not_be_made_harmless_as_a_whole_are_not_told(host):
    host.script("tr", "head -c 100; kill -KILL $$")

    told = _shell(host, 'tell_client "$(cat)"', f"obstacle={NAME}\n" * 50)

    assert "obstacle=" not in told
    assert "code=1\n" in told, "and the run has failed"


def _shell(host, script, text):
    """Run it behind the library, with that text on stdin."""
    given = {"fence": "f" * 32, "task": "verify", "keeps_status": "", "tells": "log"}
    lib = whole_script([], {**given, "backup_dir": str(host.backup_dir)})
    told = subprocess.run(
        [host.tools / "sh", "-c", f"{lib}\nmet=yes\n{script}"],
        env=host.environment(),
        input=text.encode(),
        capture_output=True,
        check=False,
    ).stdout.decode()
    return told.partition(" door\n")[2]


def test_the_script_for_the_host_prints_no_order_either(host):
    host.database("15.18", f"missing=subscription {NAME}")
    done = Script(host)("v1")

    assert done.returncode == 0, done.stderr
    assert not OBEYED.search((done.stdout + done.stderr).encode())
    assert f"without  subscription {SHOWN}" in done.stdout
    keeps_no_order(host)
