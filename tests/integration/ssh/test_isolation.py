"""A program that an archive managed to run beside fab finds no secret, and no way out."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from fabric_predeploy.remote.here import confinement

from sandbox.serving import descendants
from tests.integration.drill.test_drill_runner import (
    at_work,
    cache,
    elsewhere,
    kept,
    on_this_machine,
)
from tests.integration.drills import EQUAL, WRAPPER, grade
from tests.processes import command_line, wait_for
from tests.project import PASSWORD

__all__ = ["elsewhere", "on_this_machine"]  # fixtures

pytestmark = [
    pytest.mark.usefixtures("real_fab"),
    pytest.mark.skipif(os.geteuid() != 0, reason="to be another user needs root"),
]
confined = pytest.mark.skipif(not confinement.is_possible(), reason="this kernel has no Landlock")

NOBODY = 65534
TOKEN = "t0ken-of-the-job"
KEY_PART = "PRIVATE KEY"
# What CI gives to the step, to its shell as well as to fab.
OF_CI = {"GITHUB_TOKEN": TOKEN, "DEPLOY_HOOK": f"https://x:{TOKEN}@example.com"}
# Looks wherever a secret could be, tells what it finds, and tries to get out.
SPY = r"""
{
    echo "looking as $(id -u)"
    for each in /proc/[0-9]*; do
        for part in environ cwd/.env; do tr '\0' '\n' <"$each/$part"; done
    done
    env
    cat %(secrets)s
    ls %(secrets)s /tmp %(home)s
    echo mark >%(mark)s
    echo mark >/tmp/mark-%(name)s
    for each in /proc/[0-9]*; do kill -CONT "${each#/proc/}"; done
} 2>/dev/null | sed -n 's/^\(looking\|.*t0ken\|.*PASSWORD\|.*KEY\|mark\)/spied: &/p' >&2
"""


@pytest.fixture
def runner(project, elsewhere, on_this_machine):
    """A checkout with secrets in it, and room for its user, as CI has them."""
    checkout = elsewhere / "checkout"
    (checkout / "config").mkdir(parents=True)
    (elsewhere / "cache").mkdir()
    made = on_this_machine(project, BACKUP_DRILL="runner")
    for name in ("fabfile.py", "config/demo.env"):
        shutil.copy(made.directory / name, checkout / name)
    (checkout / ".env").write_text(f"TOKEN={TOKEN}\n")
    (checkout / ".ssh").mkdir()
    (checkout / ".ssh" / "id_ed25519").write_text(f"{KEY_PART} {TOKEN}\n")
    give_away(elsewhere, NOBODY)
    secrets = {**made.secrets, **OF_CI, "XDG_CACHE_HOME": str(elsewhere / "cache")}
    return replace(made, directory=checkout, secrets=secrets)


def give_away(directory, uid):
    for path in [directory, *directory.rglob("*")]:
        os.chown(path, uid, uid, follow_symlinks=False)
        if path.name in (".env", ".ssh", "id_ed25519"):
            path.chmod(0o700)


# Root's own Python may lie where nobody else can pass: in mounts of our own others can.
OPEN = """
set -e
closed=$1 child=$2 keep=$3
shift 3
if [ -n "$closed" ]; then
    mount --bind "$child" "$keep"
    mount -t tmpfs -o mode=0755 tmpfs "$closed"
    mkdir -p "$child"
    mount --bind "$keep" "$child"
fi
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"""
# The shell of the step lives as long as fab, and was given the same environment.
STEP = 'cd "$1"; shift; "$@"; exit $?'


def as_nobody(runner, *command):
    """Start it as a step of CI would, as a user without rights."""
    python = Path(sys.executable).resolve()
    way = [*reversed(python.parents)]
    closed = [each for each in way if not each.stat().st_mode & 0o001]
    child = way[way.index(closed[0]) + 1] if closed else ""
    keep = runner.directory.parent / "keep"
    keep.mkdir(exist_ok=True)
    opening = ["unshare", "--mount", "sh", "-c", OPEN, "sh", closed[0] if closed else "", child]
    clean = {
        name: value
        for name, value in runner.environment().items()
        if not name.startswith(("COV", "PYTEST"))
    }
    return subprocess.Popen(
        [*opening, keep, "sh", "-c", STEP, "sh", runner.directory, *command],
        env=clean,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )


FAB = Path(sys.executable).with_name("fab")


def fab(runner, *arguments):
    process = as_nobody(runner, FAB, "-H", "demo", *arguments)
    output, errors = process.communicate(timeout=120)
    assert "Traceback" not in errors, errors
    return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def spying(runner):
    checkout = runner.directory
    told = {"home": checkout, "mark": checkout / "mark", "name": checkout.parent.name}
    return SPY % {**told, "secrets": f"{checkout}/.env {checkout}/.ssh/id_ed25519"}


@pytest.fixture
def spied(runner, elsewhere):
    """The same with a pg_restore that spies once it has restored the tables, or does that."""

    def make(then):
        stubs, real = elsewhere / "stubs", runner.pg.bin_dir
        stubs.mkdir()
        for program in ("pg_dump", "psql", "initdb", "postgres"):
            (stubs / program).symlink_to(real / program)
        (stubs / "pg_restore").write_text(
            WRAPPER.replace("{real}", str(real)).replace("{then}", then)
        )
        (stubs / "pg_restore").chmod(0o755)
        path = f"{stubs}:{os.environ['PATH']}"
        return replace(runner, secrets={**runner.secrets, "PATH": path})

    return make


def mark_in_tmp(runner):
    return Path(f"/tmp/mark-{runner.directory.parent.name}")  # noqa: S108


def found(errors):
    return sorted({line.split("spied: ")[1] for line in errors.splitlines() if "spied: " in line})


def test_the_spy_would_find_them(runner):
    spy = as_nobody(runner, "sh", "-c", spying(runner))
    _, errors = spy.communicate(timeout=60)
    told = " ".join(found(errors))
    assert f"looking as {NOBODY}" in told
    for part in (TOKEN, PASSWORD, KEY_PART):
        assert part in told
    assert (runner.directory / "mark").exists()
    mark_in_tmp(runner).unlink()


@confined
def test_a_program_of_the_archive_finds_no_secret_and_leaves_no_mark(runner, spied):
    project = spied(spying(runner))

    done = fab(project, "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 0, done.stderr
    assert found(done.stderr) == [f"looking as {NOBODY}"]
    assert "is shut in" in done.stderr
    assert not (runner.directory / "mark").exists()
    assert not mark_in_tmp(runner).exists()
    assert grade(runner) == "equal"
    assert kept(runner) == []


@confined
def test_nor_does_it_where_root_runs_fab(runner, spied):
    project = spied(spying(runner))
    give_away(runner.directory.parent, 0)

    done = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 0, done.stderr
    assert found(done.stderr) == [f"looking as {NOBODY}"]
    assert grade(runner) == "equal"


@confined
def test_it_gets_no_other_rights_and_no_connection(runner, spied):
    asking = "grep -e NoNewPrivs /proc/self/status | sed 's/^/spied: /' >&2"
    asking += f"; {sys.executable} -c 1 || :"
    bash = f"bash -c '</dev/tcp/127.0.0.1/{runner.ssh.port}' 2>/dev/null && echo 'spied: in' >&2"
    done = fab(spied(f"{asking}; {bash} || :"), "predeploy", "--version=v1", EQUAL)
    assert done.returncode == 0, done.stderr
    assert found(done.stderr) == ["NoNewPrivs: 1"]


@pytest.fixture
def stuck(spied):
    """fab, in the middle of a test restore on its machine."""
    project = spied("exec sleep 300")
    step = as_nobody(project, FAB, "-H", "demo", "predeploy", "--version=v1", EQUAL)
    wait_for(lambda: any(b"sleep\x00300" in command_line(pid) for pid in at_work(project)))
    (running,) = [
        pid
        for pid in descendants(step.pid)
        if command_line(pid).split(b"\0")[1:2] == [os.fsencode(FAB)]
    ]
    yield running
    os.kill(running, signal.SIGTERM)
    step.communicate(timeout=120)
    assert kept(project) == []


def test_the_same_user_can_look_at_nothing_of_fab_meanwhile(stuck):
    look = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    for part in ("environ", "mem", "maps", "fd"):
        looked = subprocess.run(
            [*look, "ls" if part == "fd" else "cat", f"/proc/{stuck}/{part}"],
            capture_output=True,
            check=False,
        )
        assert b"Permission denied" in looked.stderr, part
        assert looked.stdout == b""


def test_what_fab_was_given_is_not_shown_even_to_root(stuck):
    shown = Path(f"/proc/{stuck}/environ").read_bytes()
    assert b"DB_PASSWORD=\0" in shown
    assert PASSWORD.encode() not in shown
    assert KEY_PART.encode() not in shown


# The host is hostile.


@pytest.fixture
def archived(project, on_this_machine, elsewhere):
    here = on_this_machine(project, BACKUP_DRILL="runner")
    assert here.predeploy("v1", BACKUP_CONTENT="hash").returncode == 0
    marks = elsewhere / "marks"
    marks.mkdir()
    marks.chmod(0o777)  # whoever runs could leave one
    return here, marks / "mark"


def rewrite(project, pattern, text):
    (manifest,) = project.backup_dir.glob("*.manifest")
    lines = manifest.read_text()
    changed = re.sub(pattern, lambda found: text.replace("&", found[0]), lines, flags=re.MULTILINE)
    assert changed != lines
    manifest.write_text(changed)


@pytest.mark.parametrize(
    "forged",
    [
        r"& ; \! id >{mark} #",
        "& ; COPY (SELECT 1) TO PROGRAM 'id >{mark}'; --",
        r"locale=ENCODING 'UTF8' LC_COLLATE '`id >{mark}`' LC_CTYPE 'C'",
        r"&\n& ; \! id >{mark}",
    ],
)
def test_a_host_cannot_have_a_statement_run_here_by_the_locale(archived, forged):
    here, mark = archived
    rewrite(here, r"^locale=.*$", forged.replace("{mark}", str(mark)).replace(r"\n", "\n"))

    done = here.fab("-H", "demo", "verify", EQUAL)

    assert done.returncode in (13, 14)  # 14: no archive of ours, as it holds a line twice
    assert "Proven readable" not in done.stdout
    assert not mark.exists()
    assert grade(here) == "read"
    assert kept(here) == []


SPRING = """
CREATE FUNCTION public.spring() RETURNS text VOLATILE LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('is_superuser') = 'on' THEN
        EXECUTE 'COPY (SELECT 1) TO PROGRAM ''id >{mark}''';
    END IF;
    RETURN '';
END $$;
CREATE FUNCTION public.fold(int) RETURNS text IMMUTABLE LANGUAGE plpgsql
    AS $$ BEGIN RETURN public.spring(); END $$;
CREATE TABLE public.bait AS SELECT 1 AS id;
CREATE INDEX sprung ON public.bait (public.fold(id)) WHERE id = 1;
"""


@pytest.fixture
def baited(archived):
    here, mark = archived
    here.pg.run_as("shop", SPRING.replace("{mark}", str(mark)), "shop")
    yield here, mark
    here.pg.run_as("shop", "DROP TABLE bait; DROP FUNCTION fold, spring", "shop")


def test_a_host_cannot_make_the_archive_run_as_a_superuser_here(baited):
    here, mark = baited
    shutil.rmtree(here.backup_dir)
    assert here.predeploy("v2", BACKUP_CONTENT="hash").returncode == 0
    rewrite(here, r"^as_superuser=no$", "as_superuser=yes")

    done = here.fab("-H", "demo", "verify", EQUAL)

    assert done.returncode == 0, done.stderr
    assert "without such rights" in done.stderr
    assert not mark.exists()


@confined
def test_a_forged_statement_of_an_extension_leaves_no_mark_here(archived):
    here, _ = archived
    here.pg.superuser("CREATE EXTENSION IF NOT EXISTS pg_trgm", "shop")
    try:
        shutil.rmtree(here.backup_dir)
        assert here.predeploy("v2", BACKUP_CONTENT="hash").returncode == 0
        short = Path(f"/tmp/m{os.getpid()}")  # noqa: S108 - there is no room for more
        forge(here, f"COPY (SELECT 1)TO PROGRAM'id>{short}';")

        done = here.fab("-H", "demo", "verify", EQUAL)

        assert not short.exists()
        # 0 where the statement is not the archive's, 10 where the extension is then missing.
        assert done.returncode in (0, 10, 13)
        assert done.returncode != 10 or 'extension "pg_trgm" does not exist' in done.stderr
        assert kept(here) == []
    finally:
        here.pg.superuser("DROP EXTENSION pg_trgm", "shop")


def forge(project, statement):
    """Of the extension, and all that tells of it follows."""
    (dump,) = project.archives()
    data = dump.read_bytes()
    old = re.search(rb"CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA \w+;\n", data)[0]
    new = statement.encode().ljust(len(old))
    assert len(new) == len(old), f"{len(new)} bytes instead of {len(old)}"
    dump.write_bytes(data.replace(old, new))
    sha256 = hashlib.sha256(dump.read_bytes()).hexdigest()
    rewrite(project, r"^sha256=.*$", f"sha256={sha256}")
    dump.with_name(f"{dump.name}.sha256").write_text(f"{sha256}  {dump.name}\n")


@pytest.mark.parametrize("where", ["incoming", "{name}", "{name}.sha256"])
def test_nothing_is_written_through_what_a_killed_test_restore_has_left(archived, where):
    """It could write to that directory, and no further; the next fab can go further."""
    here, mark = archived
    (dump,) = here.archives()
    sha256 = hashlib.sha256(dump.read_bytes()).hexdigest()
    left = cache(here) / sha256[:16]
    left.mkdir(mode=0o700, parents=True)
    (left / "run.partial").mkdir()
    mark.write_text("as it was")
    (left / where.replace("{name}", dump.name)).symlink_to(mark)
    with suppress(FileNotFoundError):
        cache(here).chmod(0o711)

    done = here.fab("-H", "demo", "verify", EQUAL)

    assert done.returncode == 0, done.stderr
    assert mark.read_text() == "as it was"
    assert kept(here) == []
