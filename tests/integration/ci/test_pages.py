"""What the pages say is true: commands run, and the way back by hand leads back."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fabric_predeploy.tasks import namespace

from tests.integration.everything import plain_dump
from tests.integration.look.test_init import flags
from tests.pages import GUIDE, ROOT, block, page

pytestmark = pytest.mark.usefixtures("real_fab")

SPANS = re.compile(r"`(?:\$ )?(fab -H (?:siteground|<name>) [^`]+)`")
CHAINED = {"deploy", "db.predeploy", "db.restore"}  # of a team's fabfile: tested below


@pytest.fixture
def with_staging(project):
    project.pg.superuser("DROP DATABASE IF EXISTS staging WITH (FORCE)")
    project.pg.superuser("CREATE DATABASE staging OWNER shop")
    yield project
    project.pg.superuser("DROP DATABASE staging WITH (FORCE)")
    project.pg.run_as("shop", "DO $$BEGIN EXECUTE (SELECT coalesce(string_agg(format("
        "'DROP SCHEMA %I CASCADE', nspname), ';'), 'SELECT') FROM pg_namespace"
        " WHERE nspname LIKE 'restored\\_%'); END$$", "shop")  # fmt: skip


def test_every_command_that_a_page_names_runs(with_staging):
    project = with_staging
    assert project.predeploy("v1.2").returncode == 0
    assert project.fab("-H", "demo", "restore", "--file=latest", "--yes").returncode == 0
    named = dict.fromkeys(
        span.replace("<name>", "siteground")
        for path in GUIDE
        for span in SPANS.findall(path.read_text(encoding="utf-8"))
    )
    commands = [shlex.split(command)[3:] for command in named]
    assert {command[0] for command in commands} == {*namespace.task_names, *CHAINED}
    # A restore goes before its undo, and `init` replaces the profile.
    for command in sorted(commands, key=lambda each: (each == ["init"], "--undo" in each)):
        if command[0] not in CHAINED:
            done = run_as_on_the_page(project, command)
            assert done.returncode == 0, (command, done.stderr)


def run_as_on_the_page(project, command):
    environment = {"BACKUP_VERSION": "v1.2"}
    options = [
        each.replace("--table=orders", "--table=offers").replace("--file=…", "--file=latest")
        for each in command
    ]
    if command == ["init"]:
        options += ["--overwrite", *flags(project, name=None)]
        environment["DB_BIN_DIR"] = str(project.pg.bin_dir)
    if command[0] == "restore" and "--plan" not in command:
        options.append("--yes")
    return project.fab("-H", "demo", *options, **environment)


def test_the_way_back_is_the_same_in_readme_and_on_its_page():
    ways = [block(name, "by fab").splitlines() for name in ("README", "restore")]
    assert len({tuple(line.partition("#")[0].strip() for line in way) for way in ways}) == 1


def test_the_way_back_leads_back_and_forth(project):
    assert project.predeploy("v1").returncode == 0
    before = plain_dump(project.pg, "shop")
    fail_a_deploy(project)
    failed = plain_dump(project.pg, "shop")
    commands = [line.partition("#")[0] for line in block("restore", "by fab").splitlines()]
    expected = [failed, before, failed]
    assert len(commands) == len(expected)
    for command, state in zip(commands, expected, strict=True):
        done = project.fab(*shlex.split(command.replace("siteground", "demo"))[1:], "--yes")
        assert done.returncode == 0, (command, done.stderr)
        assert plain_dump(project.pg, "shop") == state
    assert project.fab("-H", "demo", "restore", "--file=latest", "--yes").returncode == 0


def test_the_tasks_of_a_team_run_as_their_page_shows_them(project):
    tasks, fabfile, *_ = re.findall(r"```python\n(.*?)```", page("tasks"), re.DOTALL)
    (project.directory / "tasks.py").write_text(tasks)
    (project.directory / "fabfile.py").write_text(fabfile)
    for task, said in {"deploy": "deploying", "release": "go back to", "migrate": "migr"}.items():
        done = project.fab("-H", "demo", task, BACKUP_VERSION="v1")
        assert done.returncode == 0, (task, done.stderr)
        assert said in done.stdout
    done = project.fab("-H", "demo", "db.restore", "--file=latest", "--yes")
    assert done.returncode == 0, done.stderr


def test_the_line_for_cron_prints_only_where_somebody_must_act(project):
    _, _, _, _, _, line = block("monitoring", "in crontab", "text").split(maxsplit=5)
    for example, here in {
        "~/shop": str(project.directory),
        ".venv/bin/fab": str(Path(sys.executable).with_name("fab")),
        "siteground": "demo",
    }.items():
        assert example in line
        line = line.replace(example, here)

    def printed():
        environment = project.environment()
        done = subprocess.run(
            ["sh", "-c", line], env=environment, capture_output=True, check=True, encoding="utf-8"
        )
        return done.stdout + done.stderr

    assert project.predeploy("v1").returncode == 0
    assert printed() == ""
    for archive in project.archives():
        archive.unlink()
    assert "NOT GOOD" in printed()


@pytest.mark.thorough
def test_the_library_is_installed_as_the_page_says(tmp_path):
    """`init` stops at once without a terminal, and says what it would ask for."""
    shutil.copytree(ROOT, tmp_path / "fabric-predeploy", ignore=shutil.ignore_patterns(".*"))
    project = tmp_path / "shop"
    project.mkdir()
    done = subprocess.run(
        ["sh", "-e"],
        input=block("setup", "install") + block("setup", "init"),
        cwd=project,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 2, done.stderr
    assert "there is no terminal to ask at, so give --name" in done.stderr
    fab = subprocess.run([project / ".venv/bin/fab", "--version"], check=True, capture_output=True)
    assert b"Fabric" in fab.stdout


ALL_BUT_EXTENSIONS = "grep -v ' EXTENSION ' rollback.toc >rollback.list"


def by_hand(project, archive, chosen=ALL_BUT_EXTENSIONS):
    """Paste the block of the page into sh, with the names of this host filled in."""
    script = block("by-hand", "by hand")
    assert ALL_BUT_EXTENSIONS in script
    script = script.replace(ALL_BUT_EXTENSIONS, chosen)
    for example, here in {
        "pricehawk-pre-deploy-v1.0.0-20250314-123456.dump": archive.name,
        "/usr/lib/postgresql/17/bin": str(project.pg.bin_dir),
        "localhost": str(project.pg.data_dir.parent),
        "5432": str(project.pg.port),
        "pricehawk_owner": "shop",
        "PGDATABASE=pricehawk": "PGDATABASE=shop",
        "~/backups/postgres/pre-deployment": str(project.backup_dir),
    }.items():
        assert example in script
        script = script.replace(example, here)
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    done = subprocess.run(
        ["sh"], input=script, env=environment, capture_output=True, check=False, encoding="utf-8"
    )
    return f"rolled back to {archive.name}" in done.stdout


def fail_a_deploy(project):
    project.pg.run_as(
        "shop",
        "DROP TABLE offers CASCADE; ALTER TABLE products ADD COLUMN half_done int;"
        "CREATE TABLE added_by_the_deploy AS SELECT 1 AS n; TRUNCATE customers CASCADE",
        "shop",
    )


def test_the_way_back_by_hand_undoes_a_failed_deploy_exactly_or_nothing_of_it(project):
    assert project.predeploy("v1").returncode == 0
    (archive,) = project.archives()
    before = plain_dump(project.pg, "shop")
    fail_a_deploy(project)
    failed = plain_dump(project.pg, "shop")
    assert failed != before

    content = archive.read_bytes()
    archive.write_bytes(content[:-100] + bytes(100))
    assert not by_hand(project, archive)
    assert plain_dump(project.pg, "shop") == failed

    archive.write_bytes(content)
    assert by_hand(project, archive)
    assert plain_dump(project.pg, "shop") == before
    assert not list(project.backup_dir.glob("rollback*"))


@pytest.mark.parametrize("theirs", ["", "hstore"])
def test_by_hand_extensions_of_the_role_come_back_and_those_of_others_stay(project, theirs):
    page = (ROOT / "docs" / "by-hand.md").read_text(encoding="utf-8")
    (chosen,) = re.findall(r"`(grep .*NAME.*?)`" if theirs else r"`(cp .*?)`", page)
    extensions = f"CREATE EXTENSION {theirs};" if theirs else ""
    try:
        project.pg.superuser(extensions, "shop")
        project.pg.run_as("shop", "CREATE EXTENSION pg_trgm", "shop")
        assert project.predeploy("v1").returncode == 0
        (archive,) = project.archives()
        before = plain_dump(project.pg, "shop")
        fail_a_deploy(project)
        project.pg.run_as("shop", "DROP EXTENSION pg_trgm", "shop")

        assert by_hand(project, archive, chosen.replace("NAME", theirs))
        assert plain_dump(project.pg, "shop") == before
    finally:
        project.pg.superuser("DROP EXTENSION IF EXISTS pg_trgm, hstore", "shop")
