"""deploy.yml as it stands: what GitHub would let pass, but we do not."""

import re
from pathlib import Path

import pytest
import yaml

from tests.pages import page

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
JOBS = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
SECRETS = {"SSH_PRIVATE_KEY", "SSH_KNOWN_HOSTS", "DB_PASSWORD"}


def in_readme(heading):
    shown = re.search(rf"```yaml\n# {heading}\n(.*?)```", page("README"), re.DOTALL)
    return yaml.safe_load(shown[1])


def test_it_runs_on_a_push_to_master_and_by_hand_with_a_version_that_may_be_empty():
    triggers = WORKFLOW[True]  # to YAML 1.1 the word `on` is that

    assert triggers["push"] == {"branches": ["master"]}
    assert triggers["workflow_dispatch"]["inputs"]["version"]["default"] == ""
    assert set(triggers) == {"push", "workflow_dispatch"}


def test_every_action_is_pinned_to_a_commit_and_says_its_version():
    actions = re.findall(r"uses: (.*)", TEXT)

    assert len(actions) == 4
    for action in actions:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)


def test_it_may_read_the_repository_and_no_more():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in JOBS.values())
    for step in STEPS:
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


def test_two_deploys_never_overlap_and_none_is_broken_off():
    assert WORKFLOW["concurrency"] == {"group": "deploy", "cancel-in-progress": False}


def test_every_job_ends_in_time_and_nothing_is_skipped_or_forgiven():
    for job in JOBS.values():
        assert job["timeout-minutes"] <= 30
    assert JOBS["deploy"]["needs"] == "backup"
    assert "continue-on-error" not in TEXT
    assert [step.get("name") for step in STEPS if "if" in step] == ["The way back"]


def test_no_script_holds_an_expression():
    for step in STEPS:
        assert "${{" not in step.get("run", "")


def test_secrets_are_in_the_environment_of_the_steps_that_need_them_alone():
    holders = {step["run"]: set(step.get("env", {})) & SECRETS for step in STEPS if "run" in step}

    assert {run: names for run, names in holders.items() if names} == {
        "fab -H siteground predeploy": SECRETS,
        "fab -H siteground deploy": SECRETS - {"DB_PASSWORD"},
    }
    assert "secrets." not in str(WORKFLOW.get("env")) + str(
        [job.get("env") for job in JOBS.values()]
    )
    assert TEXT.count("secrets.") == 5


def test_all_outputs_of_the_gate_reach_the_deploy():
    names = ["archive", "proof", "sha256", "bytes", "restore_command"]

    outputs = {name: f"${{{{ steps.predeploy.outputs.{name} }}}}" for name in names}
    handed = {name.upper(): f"${{{{ needs.backup.outputs.{name} }}}}" for name in names}
    assert JOBS["backup"]["outputs"] == outputs
    assert JOBS["deploy"]["env"] == handed


def as_a_team_types_it(script):
    """deploy.yml installs the checkout that it is in, which is the library."""
    copy = "git+https://git.example/fabric-predeploy@COMMIT"
    ours = {"--editable .": copy, "requirements.lock": "fabric-predeploy.lock"}
    for here, there in ours.items():
        script = script and script.replace(here, there)
    return script


def test_the_page_of_ci_installs_as_a_team_does():
    shown = re.search(r"```yaml\n# the step Install .*?\n(.*?)```", page("ci"), re.DOTALL)
    (install,) = {step["run"] for step in STEPS if step.get("name") == "Install"}
    assert yaml.safe_load(shown[1])["run"] == as_a_team_types_it(install)


@pytest.mark.parametrize("key", ["runs-on", "timeout-minutes"])
def test_the_short_form_in_readme_says_the_same_of_the_job(key):
    short = in_readme(r"\.github/workflows/deploy\.yml, in short")["jobs"]

    assert short["backup"][key] == JOBS["backup"][key]
    assert short["deploy"]["needs"] == JOBS["deploy"]["needs"]


def test_the_short_form_in_readme_has_the_steps_of_the_job():
    short = in_readme(r"\.github/workflows/deploy\.yml, in short")["jobs"]["backup"]["steps"]

    for brief, step in zip(short, JOBS["backup"]["steps"], strict=True):
        assert brief.get("run") == as_a_team_types_it(step.get("run"))
        assert (brief.get("with") or {}).items() <= (step.get("with") or {}).items()
        assert (brief.get("env") or {}).items() <= (step.get("env") or {}).items()
        if "uses" in brief:
            name, major = brief["uses"].split("@")
            assert re.search(rf"{name}@[0-9a-f]{{40}} # {major}\.", TEXT)
