"""What another user of the host, a reader of the logs and a later visitor can see: no secret."""

import os
import subprocess
import sys

import pytest

from sandbox.postgres import create_owner

pytestmark = pytest.mark.usefixtures("real_fab")

from_another_user = pytest.mark.skipif(
    os.geteuid() != 0, reason="looking on as another user needs root"
)

# As another user: every command line and environment that the kernel lets it read, over and over.
SAMPLER = """
import os, pathlib, sys
os.setgroups([]); os.setgid(48199); os.setuid(48199)
words = [word.encode() for word in sys.argv[1:]]
print("looking", flush=True)
os.set_blocking(0, False)
seen, samples, dumps = set(), 0, 0
while True:
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                content = (process / name).read_bytes()
            except OSError:
                continue
            samples += 1
            dumps += b"pg_dump" in content
            if int(process.name) != os.getpid():
                seen.update(word for word in words if word in content)
    try:
        if os.read(0, 1) == b"":
            break
    except BlockingIOError:
        pass
print(samples, dumps, sorted(seen))
"""


@from_another_user
def test_another_user_of_the_host_sees_no_secret_while_a_large_database_is_dumped(project):
    create_owner(project.pg, role="big", password=SECRET, database="big")
    rows = "SELECT md5(n::text) AS row FROM generate_series(1, 600000) AS n"
    project.pg.run_as("big", f"CREATE TABLE rows AS {rows}", "big")
    big = project.with_profile(DB_NAME="big", DB_USER="big", BACKUP_COMPRESS="gzip:6")
    sampler = subprocess.Popen(
        [sys.executable, "-I", "-c", SAMPLER, SECRET_PART, KEY_PART],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert sampler.stdout.readline() == "looking\n"

    done = big.predeploy(DB_PASSWORD=SECRET)
    output, _ = sampler.communicate()

    assert done.returncode == 0, done.stderr
    samples, dumps, seen = output.split(maxsplit=2)
    assert int(samples) > 1000
    assert int(dumps) > 0, "it never looked while pg_dump ran"
    assert seen == "[]\n"


SECRET_PART = "pr1vate-w0rd"
SECRET = f"""{SECRET_PART} 'x" $y %s"""
KEY_PART = "PRIVATE KEY"


def test_no_file_on_the_host_holds_a_secret_even_after_failures(project):
    create_owner(project.pg, role="careful", password=SECRET, database="careful")
    careful = project.with_profile(DB_NAME="careful", DB_USER="careful")
    careful.predeploy(DB_PASSWORD=SECRET)
    careful.with_profile(DB_NAME="absent").predeploy(DB_PASSWORD=SECRET)
    careful.predeploy(DB_PASSWORD=f"wrong {SECRET}")

    holders = [
        path
        for path in project.ssh.home.rglob("*")
        if path.is_file() and SECRET_PART in path.read_text(errors="replace")
    ]
    assert holders == []


def test_no_output_holds_a_secret_even_with_everything_wrong(project):
    for changes in ({"DB_PORT": "x"}, {"SSH_PRIVATE_KEY": SECRET}, {"SSH_KEY_PASSPHRASE": SECRET}):
        done = project.predeploy("v 1", DB_PASSWORD=SECRET, **changes)
        assert SECRET_PART not in done.stdout + done.stderr


def test_debug_output_of_fab_holds_no_secret(project):
    done = project.fab("-d", "-H", "demo", "predeploy", "--version=v1", DB_PASSWORD=SECRET)

    assert SECRET_PART not in done.stdout + done.stderr
