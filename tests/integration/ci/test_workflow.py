"""deploy.yml, and the .gitlab-ci.yml of docs/ci.md: each script, run as a runner would run it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.integration.everything import plain_dump
from tests.integration.runner import Runner, outputs
from tests.pages import block
from tests.project import PASSWORD

ROOT = Path(__file__).parents[3]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text())
JOBS = WORKFLOW["jobs"]
TAG = "v1.4.0"
# The team's own: it breaks off halfway.
DEPLOY = """
from invoke.exceptions import Exit
from invoke.tasks import task

@task
def deploy(c):
    raise Exit("half of it is done", 7)

namespace.add_task(deploy)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """What is there before a job's own scripts: a checkout of what is here, tagged, and Python."""
    place = tmp_path_factory.mktemp("runner")
    checkout = place / "checkout"
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, encoding="utf-8"
    ).stdout
    for name in filter(None, tracked.split("\0")):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    with (checkout / "fabfile.py").open("a") as fabfile:
        fabfile.write(DEPLOY)
    identity = ["-c", "user.name=team", "-c", "user.email=team@pricehawk.example"]
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        [*identity, "commit", "--quiet", "--message=all"],
        ["tag", TAG],
    ):
        subprocess.run(["git", *command], cwd=checkout, check=True)
    subprocess.run([sys.executable, "-m", "venv", place / "python"], check=True)
    (place / "home").mkdir()
    return place


def bash(place, script, **variables):
    """Run a script with what a runner has in its environment, and no more."""
    (place / "script").write_text(script)
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", place / "script"],
        cwd=place / "checkout",
        env={
            "PATH": f"{place}/python/bin:/usr/bin:/bin",
            "HOME": str(place / "home"),
            "LANG": "C.UTF-8",
            "CI": "true",
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
            **variables,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def installed(place):
    """All jobs install the same, and do so once here."""
    (script,) = {
        *(step["run"] for job in JOBS.values() for step in job["steps"] if is_install(step)),
        "".join(f"{line}\n" for line in gitlab()["default"]["before_script"]),
    }
    done = bash(place, script)
    assert done.returncode == 0, done.stderr
    return place


def is_install(step):
    return step.get("name") == "Install"


class GitHub:
    """Runs the scripts of a job one after the other, as long as all goes well."""

    def __init__(self, place, project, version=""):
        self.place, self.project = place, project
        self.contexts = {"inputs": {"version": version}, "secrets": dict(project.secrets)}

    def run(self, job):
        """Return what each script has done, by its name."""
        self.contexts["steps"] = {}
        environment = self.values(JOBS[job].get("env", {}))
        done = {}
        for step in JOBS[job]["steps"]:
            failed = any(each.returncode for each in done.values())
            if "run" in step and not is_install(step) and failed == ("if" in step):
                done[step["name"]] = self.step(step, environment)
        if not any(each.returncode for each in done.values()):
            handed = self.values(JOBS[job].get("outputs", {}))
            self.contexts["needs"] = {job: {"outputs": handed}}
        return done

    def step(self, step, environment):
        files = {name: self.place / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        done = bash(
            self.place,
            step["run"],
            GITHUB_ACTIONS="true",
            **self.project.profile,  # wins over config/siteground.env, which is an example
            **{name: str(file) for name, file in files.items()},
            **environment,
            **self.values(step.get("env", {})),
        )
        done.heard = Runner().reads(done.stderr, done.stdout)
        done.page = files["GITHUB_STEP_SUMMARY"].read_text()
        if "id" in step:
            self.contexts["steps"][step["id"]] = {"outputs": outputs(files["GITHUB_OUTPUT"])}
        return done

    def values(self, declared):
        return {name: self.value(str(text)) for name, text in declared.items()}

    def value(self, text):
        """An expression that is more than a path, or leads nowhere, is an error."""
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: self.at(found[1].split(".")), text)

    def at(self, path):
        value = self.contexts
        for name in path:
            value = value[name]
        return value

    @property
    def handed(self):
        return self.contexts["needs"]["backup"]["outputs"]


def test_the_backup_job_proves_an_archive_named_after_the_tag(installed, project):
    github = GitHub(installed, project)

    (done,) = github.run("backup").values()

    assert done.returncode == 0, done.stderr
    (archive,) = project.archives()
    assert archive.name.startswith(f"pricehawk-pre-deploy-{TAG}-")
    assert github.handed["archive"] == archive.name
    command = f"fab -H siteground restore --file={archive.name}"
    assert github.handed["restore_command"] == command
    assert all(github.handed.values())
    assert "## Proven readable" in done.page
    assert archive.name in done.page
    shown = [line for line in (done.stdout + done.stderr).splitlines() if "add-mask" not in line]
    assert PASSWORD not in "\n".join(shown)
    assert not {*project.secrets["SSH_PRIVATE_KEY"].splitlines()} & {*shown}
    assert PASSWORD in done.heard.masks


@pytest.mark.parametrize(
    ("version", "code", "names"),
    [
        ("v2.0.0-rc1", 0, ["v2.0.0-rc1"]),
        ('"; touch injected; $(touch injected) #', 0, ["touch-injected-touch-injected"]),
        ("$;", 2, []),
    ],
)
def test_a_version_given_by_hand_is_a_part_of_a_name_or_refused(
    installed, project, version, code, names
):
    (done,) = GitHub(installed, project, version).run("backup").values()

    assert done.returncode == code, done.stderr
    archives = [each.name for each in project.archives()]
    assert len(archives) == len(names)
    assert all(f"-{name}-" in each for name, each in zip(names, archives, strict=True))
    assert not (installed / "checkout" / "injected").exists()


def test_a_gate_that_fails_ends_the_job(installed, project):
    github = GitHub(installed, project)
    github.contexts["secrets"]["DB_PASSWORD"] = "wrong"

    (done,) = github.run("backup").values()

    assert done.returncode == 10
    assert len(done.heard.told("error")) == 1


def test_a_deploy_that_fails_prints_a_way_back_that_leads_there(installed, project):
    before = plain_dump(project.pg, "shop")
    github = GitHub(installed, project)
    github.run("backup")
    project.pg.run_as("shop", "ALTER TABLE products ADD COLUMN half_done int", "shop")
    assert plain_dump(project.pg, "shop") != before

    deploy, way = github.run("deploy").values()

    assert (deploy.returncode, way.returncode) == (7, 0)
    assert "half of it is done" in deploy.stderr
    look, go = re.search(r"```sh\n(.*?)\n```", way.page, re.DOTALL)[1].splitlines()
    (error,) = way.heard.told("error")
    for command in (look, go):
        assert command.partition("#")[0].strip() in error.data
    commands = f"{look}\n{go.replace('  #', '--yes #')}"
    done = bash(installed, commands, **project.profile, **project.secrets)
    assert done.returncode == 0, done.stderr
    assert plain_dump(project.pg, "shop") == before


def test_where_outputs_were_lost_the_way_back_is_the_latest_archive(place, project):
    nothing = dict.fromkeys(JOBS["deploy"]["env"], "")

    done = GitHub(place, project).step(JOBS["deploy"]["steps"][-1], nothing)

    assert done.returncode == 0
    assert "fab -H siteground restore --file=latest --plan" in done.heard.told("error")[0].data
    assert "It leads to the latest archive" in done.page


def gitlab():
    return yaml.safe_load(block("ci", ".gitlab-ci.yml", "yaml"))


def dotenv(file):
    """As GitLab reads it: five kilobytes, twenty variables, and each line is one."""
    text = file.read_text(encoding="utf-8")
    assert len(text.encode()) < 5 * 1024
    pairs = [re.fullmatch(r"([A-Za-z0-9_]+)=(.*)", line).groups() for line in text.splitlines()]
    assert len(pairs) <= 20
    return {name: value.strip() for name, value in pairs}


def test_the_jobs_for_gitlab_back_up_and_print_the_way_back(installed, project):
    pipeline = gitlab()
    key = installed / "key"
    key.write_text(project.secrets["SSH_PRIVATE_KEY"])
    secrets = {**project.secrets, "SSH_PRIVATE_KEY": "", "SSH_KEY_FILE": str(key)}

    def run(job, part, **variables):
        given = {**project.profile, **secrets, **pipeline[job].get("variables", {}), **variables}
        return bash(installed, "\n".join(pipeline[job][part]), GITLAB_CI="true", **given)

    backup = run("backup", "script")
    assert backup.returncode == 0, backup.stderr
    assert not re.search("^::", backup.stdout + backup.stderr, re.MULTILINE)
    handed = dotenv(installed / "checkout" / pipeline["backup"]["artifacts"]["reports"]["dotenv"])
    (archive,) = project.archives()
    assert handed["archive"] == archive.name
    assert f"-{TAG}-" in archive.name
    assert handed["sha256"] in (project.backup_dir / f"{archive.name}.sha256").read_text()

    assert run("deploy", "script", **handed).returncode == 7
    way = run("deploy", "after_script", CI_JOB_STATUS="failed", **handed)
    assert way.stdout == f"The way back is fab -H siteground restore --file={archive.name}\n"
    assert run("deploy", "after_script", CI_JOB_STATUS="success", **handed).stdout == ""
    assert pipeline["deploy"]["needs"] == ["backup"]
    assert pipeline["backup"]["resource_group"] == pipeline["deploy"]["resource_group"]
