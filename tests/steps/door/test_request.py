"""A run is a command of less than 32,000 bytes, and a rest that runs whole or not at all."""

import subprocess
from dataclasses import replace

import pytest
from fabric_predeploy.remote._door import contract, script, shell
from fabric_predeploy.remote.recipes import gate
from fabric_predeploy.remote.steps import rules
from hypothesis import given
from hypothesis import strategies as st

from tests.local import LocalLine, answer

FENCE = "f" * 32
LONG = "é\n'!" * 1_000  # as long as a setting may be, and each character takes five


def request(several, **variables):
    common = {"task": "predeploy", "backup_dir": "~/backups", "keeps_status": "", "tells": "log"}
    return script.request(several, {**common, **variables}, FENCE)


@pytest.mark.parametrize("drill", ["cluster", "database", "runner"])
@pytest.mark.parametrize("drill_db", [None, "scratch"])
@pytest.mark.parametrize("proof", ["written", "read", "restored", "equal"])
def test_each_predeploy_begins_with_what_every_ssh_server_takes(settings, proof, drill, drill_db):
    several = gate(replace(settings, proof=proof, drill=drill, drill_db=drill_db), "require")
    command, rest = request(several)
    assert len(command) <= script.COMMAND_BYTES
    assert len(rest) > script.COMMAND_BYTES  # the steps that come first are there at once
    assert "begin lock" in command


EVERY_STEP = sorted(contract.steps())


@given(
    st.lists(st.sampled_from(EVERY_STEP), min_size=1, max_size=25),
    st.dictionaries(st.sampled_from(["client", "names", "tables", "x"]), st.just(LONG)),
    st.booleans(),
)
def test_whatever_the_steps_and_however_long_the_settings(names, variables, long_directory):
    several = [script.Step(name, variables) for name in names]
    command, rest = request(several, backup_dir=LONG if long_directory else "~")
    assert len(command) <= script.COMMAND_BYTES
    assert rest.decode().endswith(f"end {names[-1]}") if rest else f"end {names[-1]}" in command


def test_a_run_all_of_which_is_on_stdin_is_one_as_well(host):
    """Its directory has a name that fills the command."""
    directory = host.home / "/".join(["é" * 100] * 15)
    host.set(backup_dir=str(directory))
    assert "begin lock" not in request(host.until_preflight(), backup_dir=str(directory) * 3)[0]
    report = host.run(*host.until_preflight())
    assert report.code == 0
    assert directory.is_dir()


def started(command, answered):
    return subprocess.run(
        ["/bin/sh", "-c", command], input=answered, stdout=subprocess.PIPE, check=False, timeout=20
    )


@pytest.mark.parametrize("missing", [0, 1, 2, 1000, 20_000])
def test_a_rest_that_has_not_come_whole_is_not_run_at_all(host, missing):
    several = gate(replace(host.settings, proof="equal"), "warn")
    command, rest = request(several, backup_dir=str(host.backup_dir))
    instead = f': >"{host.home}/ran"; exit 0\n#'.encode().ljust(len(rest), b"#")
    told = started(command, answer().encode() + instead[: len(rest) - missing])
    assert (host.home / "ran").exists() == (missing == 0)
    assert told.returncode == (0 if missing == 0 else 130)
    assert missing == 0 or b"\nreason=the connection was lost before all" in told.stdout
    assert host.unfinished() == []


@pytest.mark.parametrize("answered", ["", "DB_PASSWORD=x", "DB_PASSWORD=x\n"])
def test_secrets_that_have_not_come_whole_end_the_run(host, answered):
    command, _ = request(host.until_preflight(), backup_dir=str(host.backup_dir))
    assert started(command, answered.encode()).returncode == 130
    assert host.dumps() == host.unfinished() == []


def test_more_than_one_secret_comes_and_no_word_is_lost(host, monkeypatch):
    """Those that no step knows yet are for steps to come."""
    host.stub("pg_dump", 'printf %s "$PGPASSWORD" >"$HOME/seen"; exit 1')
    secrets = {"STORE_KEY": "k e=y", "DB_PASSWORD": "a=b \\ c", "EMPTY": ""}
    variables = {"task": "predeploy", "backup_dir": str(host.backup_dir), "keeps_status": ""}
    several = [*host.until_preflight(), rules.dump(host.settings)]
    report = shell.run(LocalLine(), several, variables=variables, secrets=secrets)
    assert report.code == 12
    assert (host.home / "seen").read_text() == "a=b \\ c"


@pytest.mark.parametrize(
    "value",
    ["", "it's", "' ' ' '", '"$HOME" `x` \\ \\\\', "a\n'b'\n", "'!'!'!'", "é'é'é'", "'$(x) ${y}'"],
)
def test_a_value_arrives_as_it_is(host, value):
    (assignment,) = script.assignments({"value": value})
    host.script("told", f'{assignment}; printf %s "$value"')
    told = subprocess.run([host.bin / "told"], capture_output=True, check=True).stdout
    assert told.decode() == value
