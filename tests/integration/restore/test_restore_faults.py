"""Faults at every stage of a restore: it says so, and leaves the database exactly as it was."""

import fcntl
import os
import pty
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.integration.faulty import (
    DATABASE,
    THROUGH,
    _numbers,
    archives,
    assert_nothing_of_it_is_left,
    assert_unchanged,
    at_the_commit,
    known,
    shop,
    with_stub,
)

__all__ = ["known", "shop"]  # fixtures


def at_the_end(sql):
    return r"""exec "$real" "$@" | sed "/^GRANT /r $injected" """, sql


SCRIPTS = {
    "a row of the wrong type": ("data", f"{THROUGH} 's/^50\\t/fifty\\t/'"),
    "a row without its parent": ("data", f"{THROUGH} 's/^50\\t1/50\\t2/'"),
    "a row that is missing": ("data", f"{THROUGH} '/^50\\t/d'"),
    "rows cut off, exit 0": ("data", f"{THROUGH} '/^50\\t/q'"),
    "indexes cut off, exit 0": ("after", f"{THROUGH} '/^-- Name: steadily/q'"),
    "all of it, exit 1": ("data", '"$real" "$@"; exit 1'),
    "nothing, exit 1": ("data", "exit 1"),
    "nothing, exit 0": ("data", "exit 0"),
    "nothing through the filter, exit 1": ("before", "exit 1"),
    "schemas, exit 1": ("schemas", "exit 1"),
    "an error in the large objects": ("blobs", f"{THROUGH} 's/lowrite(0/lowrite(9/'"),
    "grants, exit 1": ("grants", "exit 1"),
}


@pytest.mark.parametrize(("part", "script"), SCRIPTS.values(), ids=SCRIPTS.keys())
def test_a_script_that_is_not_whole_restores_nothing(shop, part, script):
    before = archives(shop)
    stubbed = with_stub(shop, f"{part}.list", script)
    assert_unchanged(shop, before, stubbed.restore("--no-safety"), 15)


# As it was before 14.19, 15.14, 16.10 and 17.6: nothing keeps psql from obeying a script.
OLD = r"""
case "$*" in
    *--file=-*) "$real" "$@" | sed -e '/^.restrict /d' -e '/^.unrestrict /d' {more} ;;
    *) "$real" "$@" && for each; do
        case $each in --file=?*) sed -i -e '/^.restrict /d' "${{each#--file=}}" ;; esac
    done ;;
esac
"""


def test_with_programs_that_do_not_restrict_psql_a_restore_is_made_all_the_same(shop):
    old = with_stub(shop, "", OLD.format(more=""))

    done = old.restore("--no-safety")

    assert done.returncode == 0, done.stderr
    assert shop.now() == shop.archived


def test_with_programs_that_do_not_restrict_psql_no_name_is_obeyed(shop):
    """They wrote some names into comments as they were, with their line breaks."""
    before = archives(shop)
    mark = shop.project.ssh.home / f"sprung-{next(_numbers)}"
    obeyed = rf"-e 's#^\(-- Data for Name: orders\);.*#\1\n\\! touch {mark}\n--#'"
    old = with_stub(shop, "", OLD.format(more=obeyed))

    done = old.restore("--no-safety")

    assert "too old" in done.stderr
    assert not mark.exists()
    assert_unchanged(shop, before, done, 15)


@pytest.mark.parametrize(
    "statement",
    ["RAISE 'at the very end';", "PERFORM pg_terminate_backend(pg_backend_pid());"],
    ids=["an error", "the backend dies"],
)
def test_a_commit_that_fails_restores_nothing(shop, statement):
    before = archives(shop)
    assert_unchanged(shop, before, at_the_commit(shop, statement).restore(), 15)


def test_rows_other_than_those_that_the_archive_was_made_of_restore_nothing(shop):
    manifest = next(shop.project.backup_dir.glob("*pre-deploy*.manifest"))
    text, before = manifest.read_text(), archives(shop)
    manifest.write_text(text.replace("rows=200 public.orders", "rows=199 public.orders"))
    done = shop.restore()
    manifest.write_text(text)
    assert "rows=199 public.orders" in done.stderr
    assert_unchanged(shop, before, done, 15)


def prompted(shop, keys):
    """Restore at a terminal of its own, and type this when asked."""
    ours, theirs = pty.openpty()
    fab = Path(sys.executable).with_name("fab")
    run = subprocess.Popen(
        [fab, "-H", "demo", "restore", "--file=latest"],
        cwd=shop.project.directory,
        env=shop.project.environment(),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )
    while "Type the name" not in (line := run.stdout.readline()):
        assert line, run.communicate()
    time.sleep(0.2)
    os.write(ours, keys)
    output, errors = run.communicate(timeout=20)
    os.close(ours)
    os.close(theirs)
    return subprocess.CompletedProcess((), run.returncode, output, errors)


@pytest.mark.parametrize(
    ("keys", "code"),
    [(b"\x03", 130), (b"\x04", 14), (b"Faults\n", 14)],
    ids=["Ctrl-C", "Ctrl-D", "another name"],
)
def test_who_does_not_confirm_has_touched_nothing(shop, keys, code):
    files = sorted(shop.project.backup_dir.iterdir())
    done = prompted(shop, keys)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert_nothing_of_it_is_left(shop)
    assert shop.now() == shop.ruined
    assert sorted(shop.project.backup_dir.iterdir()) == files


def test_who_types_the_name_has_it_restored(shop):
    assert prompted(shop, b"faults\n").returncode == 0
    assert shop.now() == shop.archived


def test_a_present_state_that_does_not_fit_on_the_disk_is_exit_12(shop):
    before = archives(shop)
    limited = 'ulimit -f 2; exec "$real" "$@"'
    stubbed = with_stub(shop, "--snapshot", limited, program="pg_dump")
    assert_unchanged(shop, before, stubbed.restore(), 12)


def test_a_present_state_that_cannot_be_read_stops_it_unless_it_need_not_be_kept(shop):
    before = archives(shop)
    shop.pg.superuser("CREATE TABLE theirs (id int); CREATE ROLE sometimes", DATABASE)
    done = shop.restore()
    assert done.returncode in (10, 12), done.stderr
    assert "theirs" in done.stderr
    assert archives(shop) == before

    done = shop.restore("--no-safety")
    assert done.returncode == 0, done.stderr
    assert "no way back" in done.stderr
    shop.pg.superuser("DROP TABLE theirs; DROP ROLE sometimes", DATABASE)
    assert shop.now() == shop.archived


def test_a_damaged_archive_is_refused_before_anything_is_touched(shop):
    archive = next(shop.project.backup_dir.glob("*pre-deploy*.dump"))
    contents = archive.read_bytes()
    before = archives(shop)
    archive.write_bytes(contents[:-20] + bytes([contents[-20] ^ 1]) + contents[-19:])
    done = shop.restore()
    archive.write_bytes(contents)
    assert_unchanged(shop, before, done, 13)
