"""A host that changes, drops, doubles or empties any fact is met with an error that is expected."""

import json
import os
import re
from contextlib import suppress

import pytest
from fabric_predeploy.config.errors import PredeployError, UnreadableFactError
from fabric_predeploy.tasks import (
    backup,
    doctor,
    history,
    install,
    logs,
    pin,
    predeploy,
    restore,
    rollback_on_failure,
    rotate,
    status,
    unpin,
    verify,
)
from invoke.context import Context
from invoke.exceptions import Exit

from tests.integration.lying import Liar, recorded
from tests.integration.runner import Runner, outputs
from tests.unit.config.test_harmless import is_harmless

OURS = {"add-mask", "group", "stop-commands", "endgroup", "warning", "error"}


def here(c):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BACKUP_DRILL", "runner")
        verify(c, file="v2", proof="restored")


def deploy(c):
    with rollback_on_failure(c):
        raise Exit("no", code=9)


# In this order, as each leaves what the next one finds.
TASKS = {
    "predeploy": lambda c: predeploy(c, version="v1"),
    "predeploy that restores": lambda c: predeploy(c, version="v2", proof="equal"),
    "backup": lambda c: backup(c, version="v2", quiet=True),
    "history": history,
    "history --json": lambda c: history(c, json_=True),
    "status": status,
    "status --json": lambda c: status(c, max_age="1d", json_=True),
    "status --nagios": lambda c: status(c, max_age="1d", nagios=True),
    "logs": lambda c: logs(c, file="latest"),
    "doctor": doctor,
    "doctor --json": lambda c: doctor(c, json_=True),
    "verify": lambda c: verify(c, all_=True),
    "verify on this machine": here,
    "pin": lambda c: pin(c, file="latest"),
    "unpin": lambda c: unpin(c, file="latest"),
    "restore --plan": lambda c: restore(c, file="latest", plan=True),
    "restore --json": lambda c: restore(c, file="latest", plan=True, json_=True),
    "restore": lambda c: restore(c, file="latest", yes=True),
    "restore --undo": lambda c: restore(c, undo=True, yes=True),
    "restore --table": lambda c: restore(c, file="latest", table=["products"]),
    "restore --drop-old": lambda c: restore(c, drop_old=True, yes=True),
    "a deploy that fails": deploy,
    "rotate --dry-run": lambda c: rotate(c, keep="1", dry_run=True),
    "rotate": lambda c: rotate(c, keep="1"),
    "install": install,
    "install --remove": lambda c: install(c, remove=True),
}
# Where, which fact and of which step; doctor breaks its lines.
NAMED = r"what\s+demo\s\(127\.0\.0\.1\)\ssays\scannot\sbe\sused:\s[^,]+,\sof\sthe\s(step|manifest)"
EVERY = 1 if os.environ.get("THOROUGH") else 17
JSON = [name for name in TASKS if name.endswith("--json")]


@pytest.fixture(scope="module")
def recordings(make_project, pg, ssh, ground):
    """Each task once, for real."""
    cache = ground / "cache-of-the-runner"
    cache.mkdir(mode=0o755)
    project = make_project(pg, ssh, BACKUP_DRILL="cluster")
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.directory)
        environment = project.environment(
            PREDEPLOY_HOST="demo",
            BACKUP_VERSION="v3",
            XDG_CACHE_HOME=str(cache),
            PATH=f"{pg.bin_dir}:{os.environ['PATH']}",
        )
        for name in os.environ:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        for name, call in TASKS.items():
            with recorded(call) as recording, suppress(Exit):
                call(Context())
            found[name] = recording
        yield found


@pytest.fixture(scope="module")
def liar(recordings, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield Liar(patch, tmp_path_factory.mktemp("liar"))


@pytest.mark.parametrize("task", TASKS)
def test_whatever_a_host_says_is_an_expected_error_or_shown_without_harm(recordings, liar, task):
    count = 0
    for lie, recording in recordings[task].lies(every=EVERY):
        count += 1
        outcome = liar.told(recording)
        words = f"{lie}: {outcome}"[:3000]
        assert isinstance(outcome.raised, PredeployError | Exit | None), words
        told = getattr(outcome.raised, "message", None) or ""
        check_words(outcome, told, liar, words)
        if isinstance(outcome.raised, UnreadableFactError):
            assert outcome.raised.code == 1
            assert re.search(NAMED, outcome.stdout if task.startswith("doctor") else told), words
        if task in JSON and outcome.stdout:
            json.loads(outcome.stdout)
        if task == "status --nagios":
            assert outcome.stdout.count("\n") == 1
            code = 0 if outcome.raised is None else outcome.raised.code
            level = outcome.stdout.split(" - ")[0]
            assert level == ("OK", "WARNING", "CRITICAL", "UNKNOWN")[code], words
    assert count > 10


def check_words(outcome, told, liar, words):
    everything = outcome.stdout + outcome.stderr + told
    assert is_harmless(everything), words
    assert len(everything) < 200_000
    heard = Runner().reads(f"{outcome.stderr}{told}\n", outcome.stdout)
    assert {command.name for command in heard.obeyed} <= OURS, words
    assert is_harmless(liar.page.read_text(encoding="utf-8"))
    handed = outputs(liar.output)
    assert set(handed) <= {"archive", "proof", "sha256", "bytes", "restore_command"}
