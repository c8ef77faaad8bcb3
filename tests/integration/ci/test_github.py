"""What a run on GitHub tells the runner, and that no reader of its log learns a secret."""

import json
import re
import shlex
from dataclasses import replace
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization as formats

from sandbox.postgres import create_owner
from sandbox.sshd import openssh
from tests.integration.runner import Runner, outputs


@pytest.fixture
def step(project, tmp_path):
    """Runs fab as a step of a workflow does; gives its process, and what the runner makes of it."""
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }

    def run(*arguments, of=project, **changes):
        for name in ("output", "summary"):
            (tmp_path / name).write_text("")
        process = of.start(*arguments, **{**variables, **changes})
        process.told, process.log = process.communicate(timeout=120)
        return process, Runner().reads(process.log, process.told)

    run.output, run.summary = tmp_path / "output", tmp_path / "summary"
    return run


ODD = """it's 100%25 "$HOME", 50% `x` \\ or so; : """
PASSPHRASE = """p: %0A 'x' "$y", z"""
GATE = ("-H", "demo", "predeploy", "--version=v1")


@pytest.fixture
def odd(project):
    """A role with such a password, a key with such a passphrase, and a database of its own."""
    project.pg.superuser("DROP DATABASE IF EXISTS odd")
    project.pg.superuser("DROP ROLE IF EXISTS odd")
    create_owner(project.pg, role="odd", password=ODD, database="odd")
    key = formats.load_ssh_private_key(project.secrets["SSH_PRIVATE_KEY"].encode(), None)
    encrypted = key.private_bytes(
        formats.Encoding.PEM,
        formats.PrivateFormat.OpenSSH,
        formats.BestAvailableEncryption(PASSPHRASE.encode()),
    ).decode()
    secrets = {"SSH_PRIVATE_KEY": encrypted, "SSH_KEY_PASSPHRASE": PASSPHRASE, "DB_PASSWORD": ODD}
    ours = project.with_profile(DB_NAME="odd", DB_USER="odd")
    yield replace(ours, secrets={**ours.secrets, **secrets})
    project.pg.superuser("DROP DATABASE odd")
    project.pg.superuser("DROP ROLE odd")


def test_a_proven_archive_is_handed_to_the_jobs_that_come_next(step, project):
    done, heard = step(*GATE)

    assert done.returncode == 0, done.log
    (archive,) = project.archives()
    assert outputs(step.output) == {
        "archive": archive.name,
        "proof": "read",
        "sha256": (project.backup_dir / f"{archive.name}.sha256").read_text().split()[0],
        "bytes": str(archive.stat().st_size),
        "restore_command": f"fab -H demo restore --file={archive.name}",
    }
    command = shlex.split(outputs(step.output)["restore_command"])
    assert project.fab(*command[1:], "--yes").returncode == 0
    assert heard.told("error") == heard.told("warning") == []


def test_the_log_is_folded_after_all_masks_and_the_verdict_is_not(step):
    done, heard = step(*GATE)

    names = [command.name for command in heard.obeyed]
    masks = names.count("add-mask")
    assert masks > 1
    assert names == ["add-mask"] * masks + ["group", "stop-commands", "endgroup"]
    assert heard.told("group")[0].data == "predeploy on demo (127.0.0.1)"
    fold, rest = done.log.split("::endgroup::")
    assert "published" in fold
    assert rest == "\n"
    assert "Proven readable" in done.told
    assert "\n::" not in done.told


def test_the_page_tells_size_stages_proof_what_was_removed_and_why_and_the_way_back(step, project):
    for version in ("v1", "v2"):
        done, _ = step("-H", "demo", "predeploy", f"--version={version}", "--keep=1")
        assert done.returncode == 0, done.log

    page = step.summary.read_text()
    (archive,) = project.archives()
    rows = dict(re.findall(r"^\| (\w+) \| (.*) \|$", page, re.MULTILINE))
    assert rows["archive"] == archive.name
    assert rows["where"].startswith("demo (127.0.0.1)")
    assert re.fullmatch(r"[0-9.]+ kB, \d+ entries", rows["size"])
    assert re.fullmatch(r"read, sha256 [0-9a-f]{64}", rows["proof"])
    stages = re.findall(r"([a-z ]+) \d+\.\d\d s(?:<br>|$)", rows["duration"])
    assert stages[:2] == ["in all", "lock"]
    assert {"preflight", "dump", "verify", "publish", "prune"} <= set(stages)
    assert re.fullmatch(
        r"removed pricehawk-pre-deploy-v1-[0-9-]+\.dump&#58; beyond the newest 1", rows["rotation"]
    )
    assert f"```sh\nfab -H demo restore --file={archive.name}\n" in page


def test_a_gate_that_fails_has_one_annotation_and_hands_over_nothing(step, project):
    broken = project.with_profile(DB_NAME="absent: 100%, or so")

    done, heard = step(*GATE, of=broken)

    assert done.returncode == 10
    (error,) = heard.told("error")
    assert error.properties == {"title": "exit code 10: preflight"}
    assert 'database "absent: 100%, or so" does not exist' in error.data
    assert "\n    What to do: check DB_NAME" in error.data
    assert f"\n{error.data}\n" in done.log, "and in plain words at the end"
    assert step.output.read_text() == ""
    page = step.summary.read_text()
    assert page.startswith("## exit code 10&#58; preflight\n")
    assert page.count("does not exist") == 1


@pytest.mark.parametrize(
    ("code", "task", "changes"),
    [
        (2, ("predeploy", "--proof=wrong"), {}),
        (3, ("verify",), {"SSH_PORT": "1"}),
        (3, ("restore", "--file=x"), {"SSH_KNOWN_HOSTS": "other ssh-rsa AAAAB3NzaC1yc2EA"}),
    ],
    ids=["settings", "unreachable", "unknown"],
)
def test_whatever_task_fails_before_the_host_is_reached_is_told_once(step, task, code, changes):
    done, heard = step("-H", "demo", *task, **changes)

    assert done.returncode == code
    (error,) = heard.told("error")
    assert error.properties["title"].startswith(f"exit code {code}: ")
    assert error.data in done.log
    assert step.summary.read_text().count("<pre>") == 1


def test_a_failure_within_other_sessions_is_told_once(step, project):
    (project.directory / "fabfile.py").write_text(
        "from invoke.tasks import task\n"
        "from fabric_predeploy.tasks import predeploy\n"
        "from fabric_predeploy.tasks._host.session import session\n"
        "@task\n"
        "def deploy(c):\n"
        "    with session(c):\n"
        "        predeploy(c, version='v1', proof='wrong')\n"
    )

    done, heard = step("-H", "demo", "deploy")

    assert done.returncode == 2
    assert len(heard.told("error")) == 1
    assert step.summary.read_text().count("<pre>") == 1


def test_what_stands_in_the_way_of_a_restore_is_an_annotation_and_on_the_page(step, odd):
    odd.pg.superuser("CREATE TABLE theirs (n int); GRANT SELECT ON theirs TO odd", "odd")

    done, heard = step(*GATE, of=odd)

    assert done.returncode == 0, done.log
    (warning,) = heard.told("warning")
    assert "fab restore could not go back to this archive: " in warning.data
    assert "WARNING" not in done.log
    (archive,) = odd.archives()
    page = step.summary.read_text()
    assert page.startswith("## Proven, but odd could not restore it here&#58; ")
    assert f"```sh\nfab -H demo restore --file={archive.name} --plan\n" in page


@pytest.mark.parametrize("variable", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_the_archive_stands_where_a_file_of_the_runner_cannot_be_written(step, project, variable):
    done, heard = step(*GATE, **{variable: "/absent/file"})

    assert done.returncode == 0, done.log
    assert len(project.archives()) == 1
    (warning,) = heard.told("warning")
    assert f"{variable} (/absent/file) could not be written" in warning.data


HOSTILE = r"""
printf %s '::error::from the host
  ::set-output name=archive::other
##[set-output name=proof]equal
::endgroup::
no end' >&2
"""


def test_nothing_that_the_host_says_is_obeyed(step, make_project, pg, ground):
    with openssh(ground, login_shell="/bin/bash") as ssh:
        (ssh.home / ".bashrc").write_text(HOSTILE)
        done, heard = step(*GATE, of=make_project(pg, ssh))

    assert done.returncode == 0, done.log
    assert "\\::error::from the host" in heard.log
    assert {command.name for command in heard.obeyed} == {
        "add-mask",
        "group",
        "stop-commands",
        "endgroup",
    }
    assert heard.resume == "", "and the runner obeys again"


def test_names_from_the_database_are_not_obeyed_where_they_are_told(step, odd):
    name = "##[set-output name=proof]equal | `x` <b>"
    odd.pg.superuser(f'CREATE TABLE "{name}" (n int)', "odd")

    done, heard = step(*GATE, of=odd)

    assert done.returncode == 10, done.log
    (error,) = heard.told("error")
    assert name in error.data
    assert "set-output" not in {command.name for command in heard.obeyed}
    assert "`" not in step.summary.read_text()


def forms(secret):
    """As it is, and as some program on the way may have written it."""
    return {
        secret,
        shlex.quote(secret),
        secret.replace("'", "'\\''"),
        repr(secret),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        quote(secret),
        secret.replace("%", "%25"),
        secret.replace("%", "%%"),
        secret.translate({ord(c): f"\\{c}" for c in '"$`\\'}),
        *(part for part in re.split(r"[^\w]+", secret) if len(part) > 20),
    }


@pytest.mark.parametrize(
    ("code", "arguments", "changes"),
    [
        (0, GATE, {}),
        (0, ("-d", *GATE), {}),
        (0, ("-H", "demo", "predeploy", "--version=v1", "--keep=1"), {}),
        (2, ("-H", "demo", "predeploy", "--version=v 1"), {"DB_PORT": "x"}),
        (2, GATE, {"DB_PASSWORD": f"{ODD}\n{ODD}"}),
        (2, GATE, {"SSH_PRIVATE_KEY": ODD}),
        (2, GATE, {"SSH_KEY_PASSPHRASE": f"{PASSPHRASE} wrong"}),
        (10, GATE, {"DB_PASSWORD": f"{ODD} wrong"}),
        (10, GATE, {"DB_NAME": "absent"}),
        (14, ("-H", "demo", "restore", "--file=absent"), {}),
        (14, ("-H", "demo", "verify"), {}),
    ],
)
def test_no_secret_is_told_but_to_the_runner_as_a_mask(step, odd, code, arguments, changes):
    done, heard = step(*arguments, of=odd, **changes)

    assert done.returncode == code, done.log
    shown = [line for line in (done.log + done.told).splitlines() if "::add-mask::" not in line]
    shown += [step.summary.read_text(), step.output.read_text()]
    given = {**odd.secrets, **changes}
    key = [line for line in given["SSH_PRIVATE_KEY"].splitlines() if "-----" not in line]
    for secret in (given["DB_PASSWORD"], given["SSH_KEY_PASSPHRASE"], *key):
        for form in forms(secret):
            assert form not in "\n".join(shown)
    if code != 2:
        assert {given["DB_PASSWORD"], given["SSH_KEY_PASSPHRASE"]} <= set(heard.masks)
        assert {line for line in key if len(line) >= 8} <= set(heard.masks)
        assert not any("PRIVATE KEY" in mask for mask in heard.masks)


def test_where_there_is_no_runner_nothing_is_told_to_it(project):
    for task in (GATE, ("-H", "demo", "rotate"), ("-H", "demo", "restore", "--file=absent")):
        done = project.fab(*task)
        assert not re.search(r"^::|##\[|%0A|%25", done.stdout + done.stderr, re.MULTILINE)
