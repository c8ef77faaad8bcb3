"""Faults at every stage of a restore: it says so, and leaves the database exactly as it was."""

import fcntl
import os
import pty
import random
import shlex
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.postgres import Postgres, create_owner, postgres
from sandbox.wheels import embedded
from sandbox.workspace import unprivileged
from tests.integration.everything import plain_dump
from tests.processes import remote_processes, sessions, wait_for
from tests.project import OWNER, PASSWORD, Project

DATABASE = "faults"
UNCHANGED = "the database is as it was"
_numbers = count()

CONTENTS = """
CREATE TABLE customers (id int PRIMARY KEY);
INSERT INTO customers VALUES (1);
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, what text);
INSERT INTO orders SELECT n, 1, 'order ' || n FROM generate_series(1, 200) n;
CREATE SEQUENCE numbers;
CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM orders;
SELECT lo_from_bytea(4711, 'a picture');
CREATE FUNCTION steady(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    IF current_query() LIKE 'ANALYZE%' THEN
        PERFORM pg_sleep(current_setting('test.analyze_seconds', true)::numeric);
    END IF;
    RETURN n;
END
$$;
CREATE INDEX steadily ON orders (steady(id));
CREATE SCHEMA extra;
GRANT SELECT ON orders TO PUBLIC;
"""
RUIN = """
DROP TABLE customers CASCADE;
INSERT INTO orders VALUES (201, 1, 'since');
ALTER TABLE orders ADD COLUMN half_done int;
CREATE TABLE added AS SELECT 1 AS n;
SELECT lo_put(4711, 0, 'overwritten');
"""


@dataclass(frozen=True)
class Shop:
    """A project, and what its database holds: as in its archive, and after a deploy that failed."""

    project: Project
    archived: str
    ruined: str

    @property
    def pg(self) -> Postgres:
        return self.project.pg

    def restore(self, *flags, **changes):
        return self.project.fab(*restoring(*flags), **changes)

    def now(self):
        return plain_dump(self.pg, DATABASE)


def restoring(*flags):
    return ("-H", "demo", "restore", "--file=latest", "--mode=transaction", "--yes", *flags)


def create_shop(project):
    """The ruined database is a template: a fresh one of it takes a moment."""
    pg = project.pg
    for database in (DATABASE, "faults_ruined"):
        pg.superuser(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
    pg.superuser(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    pg.run_as(OWNER, CONTENTS, DATABASE)
    archived = plain_dump(pg, DATABASE)
    assert project.predeploy().returncode == 0
    pg.run_as(OWNER, RUIN, DATABASE)
    ruined = plain_dump(pg, DATABASE)
    pg.superuser(f"ALTER DATABASE {DATABASE} RENAME TO faults_ruined")
    return archived, ruined


@pytest.fixture(scope="module")
def known():
    return SimpleNamespace(texts=None, directory=f"faults-{os.getpid()}")


@pytest.fixture
def shop(make_project, pg, ssh, known) -> Shop:
    backup_dir = ssh.home / known.directory
    settings = {"DB_NAME": DATABASE, "BACKUP_DIR": str(backup_dir), "BACKUP_RECONNECT": "0"}
    made = make_project(pg, ssh, **settings)
    project = Project(made.directory, pg, ssh, made.secrets, backup_dir, made.profile)
    if known.texts is None:
        known.texts = create_shop(project)
    renew(pg)
    return Shop(project, *known.texts)


def renew(pg):
    pg.superuser(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    pg.superuser(f"CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE faults_ruined")


def with_stub(shop, part, script, injected="", program="pg_restore"):
    """The shop on a host whose program, for this part of the script, does what this one says."""
    project, real = shop.project, shop.pg.bin_dir
    stubs = project.ssh.home / f"stubs-{os.getpid()}-{next(_numbers)}"
    stubs.mkdir()
    for each in {"pg_dump", "pg_restore", "psql"} - {program}:
        (stubs / each).symlink_to(real / each)
    (stubs / "injected.sql").write_text(injected)
    (stubs / program).write_text(
        "#!/bin/sh\n"
        f"real={shlex.quote(str(real / program))} injected={shlex.quote(str(stubs))}/injected.sql\n"
        f'case "$*" in *{part}*) ;; *) exec "$real" "$@" ;; esac\n{script}\n'
    )
    (stubs / program).chmod(0o755)
    stubbed = project.with_profile(DB_BIN_DIR=str(stubs))
    return Shop(stubbed, shop.archived, shop.ruined)


def at_the_end(sql):
    return r"""exec "$real" "$@" | sed "/^GRANT /r $injected" """, sql


def our_sessions(shop, condition="true"):
    answer = shop.pg.superuser(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'fabric-predeploy'"  # noqa: S608
        f" AND datname = '{DATABASE}' AND {condition}"
    )
    return [int(line) for line in answer.splitlines()]


def archives(shop):
    return {path.name: path.read_bytes() for path in shop.project.archives()}


def assert_nothing_of_it_is_left(shop):
    wait_for(lambda: not our_sessions(shop), 8)
    wait_for(lambda: not remote_processes(shop.project))


def assert_unchanged(shop, before, done, code):
    """The one invariant: whatever went wrong, it is as if it had not been, and is told so."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert_nothing_of_it_is_left(shop)
    assert shop.now() == shop.ruined
    assert shop.project.status()["result"] == "failure"
    if code in (15, 130):
        assert UNCHANGED in done.stderr
    for command in ("status", "logs"):
        if (command, code) != ("logs", 1):  # a shell that was killed writes no log
            assert UNCHANGED in shop.project.fab("-H", "demo", command).stdout
    kept = archives(shop)
    assert {name: kept[name] for name in before} == before
    assert_the_next_one_restores(shop)


def assert_the_next_one_restores(shop):
    healthy = Shop(
        shop.project.with_profile(DB_BIN_DIR=str(shop.pg.bin_dir)), shop.archived, shop.ruined
    )
    again = healthy.restore("--no-safety")
    assert again.returncode == 0, again.stderr
    assert shop.now() == shop.archived
    assert shop.project.leftovers() == []


THROUGH = 'exec "$real" "$@" | sed'
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


AT_THE_COMMIT = """
CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {} RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON public.customers DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.late();
UPDATE public.customers SET id = id;
"""


def at_the_commit(shop, statement):
    """The last that the script does is to have this run by the COMMIT itself."""
    script = f'{THROUGH} "/^GRANT /r $injected"'
    return with_stub(shop, "grants.list", script, AT_THE_COMMIT.format(statement))


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


@contextmanager
def session(shop, role, sql, database=DATABASE):
    """A session of somebody else's that is idle in a transaction."""
    command = [shop.pg.bin_dir / "psql", "--no-psqlrc", "--quiet", "-h", shop.pg.data_dir.parent]
    command += ["-p", str(shop.pg.port), "-U", role, database]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    clean["PGAPPNAME"] = f"reader of {role}"
    psql = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean,
        text=True,
    )
    psql.stdin.write(f"BEGIN; {sql};\n\\echo there\n")
    psql.stdin.flush()
    while psql.stdout.readline() not in ("there\n", ""):
        pass
    try:
        yield psql
    finally:
        with suppress(BrokenPipeError):
            psql.stdin.write("ROLLBACK;\n")
        psql.communicate(timeout=10)


@contextmanager
def in_the_wipe(shop):
    with session(shop, OWNER, "SELECT FROM orders"):
        yield shop, "wait_event_type = 'Lock'"


@contextmanager
def in_a_statement(shop):
    script = f'{THROUGH} "/^-- Data for Name: orders/r $injected"'
    yield with_stub(shop, "data.list", script, "SELECT pg_sleep(60);\n"), "wait_event = 'PgSleep'"


@contextmanager
def in_the_rows(shop):
    """The stub is a program that has gone quiet, with half of the rows on their way."""
    script = '"$real" "$@" | sed "/^50\t/q"; exec sleep 60'
    yield with_stub(shop, "data.list", script), "query LIKE 'COPY public.orders%'"


@contextmanager
def in_the_commit(shop):
    """Of the restore: what looked around before it has committed as well."""
    unseen = "PERFORM set_config('client_connection_check_interval', '0', false);"
    waiting = at_the_commit(shop, f"{unseen} PERFORM pg_sleep(1.5);")
    yield waiting, "query = 'COMMIT;' AND wait_event = 'PgSleep'"


@contextmanager
def in_the_analysis(shop):
    shop.pg.superuser(f"ALTER DATABASE {DATABASE} SET test.analyze_seconds = '60'")
    yield shop, "query = 'ANALYZE;' AND wait_event = 'PgSleep'"
    shop.pg.superuser(f"ALTER DATABASE {DATABASE} RESET test.analyze_seconds")


def kill_remote(number, *names):
    def kill(shop, _run):
        killed = 0
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                of_ours = (
                    f"HOME={shop.project.ssh.home}\0".encode() in (process / "environ").read_bytes()
                )
                program = (process / "cmdline").read_bytes().split(b"\0")[0].rpartition(b"/")[2]
                if of_ours and program in names:
                    os.kill(int(process.name), number)
                    killed += 1
        assert killed

    return kill


def kill_shell(number):
    def kill(shop, _run):
        words = (shop.project.backup_dir / "lock").read_text().partition(", process ")[2]
        os.kill(int(words.partition(",")[0]), number)

    return kill


def kill_backend(shop, _run):
    for pid in our_sessions(shop):
        shop.pg.superuser(f"SELECT pg_terminate_backend({pid})")


def cut_the_connection(shop, _run):
    for pid in sessions(shop.project):
        os.kill(pid, signal.SIGKILL)


def kill_client(number):
    return lambda _shop, run: run.send_signal(number)


PSQL = kill_remote(signal.SIGKILL, b"psql")
PG_RESTORE = kill_remote(signal.SIGKILL, b"pg_restore", b"sleep")
KILL, TERM, INT = signal.SIGKILL, signal.SIGTERM, signal.SIGINT
KILLED_SHELL = kill_shell(KILL)
ROUNDS = 8
DEATHS = {
    "wipe: psql": (in_the_wipe, PSQL, 15),
    "wipe: connection": (in_the_wipe, cut_the_connection, 3),
    "wipe: client, INT": (in_the_wipe, kill_client(INT), 130),
    "wipe: client, KILL": (in_the_wipe, kill_client(KILL), -KILL),
    "statement: psql": (in_a_statement, PSQL, 15),
    "statement: backend": (in_a_statement, kill_backend, 15),
    "statement: connection": (in_a_statement, cut_the_connection, 3),
    "statement: shell, TERM": (in_a_statement, kill_shell(TERM), 130),
    "statement: shell, KILL": (in_a_statement, KILLED_SHELL, 1),
    "statement: client, INT": (in_a_statement, kill_client(INT), 130),
    "statement: client, TERM": (in_a_statement, kill_client(TERM), 130),
    "rows: psql": (in_the_rows, PSQL, 15),
    "rows: pg_restore": (in_the_rows, PG_RESTORE, 15),
    "rows: shell, KILL": (in_the_rows, KILLED_SHELL, 1),
    "rows: client, KILL": (in_the_rows, kill_client(KILL), -KILL),
}


def killed(shop, moment, kill, *flags):
    """Run a restore as far as to that moment, and return what it came to after the kill."""
    with moment(shop) as (prepared, condition):
        run = prepared.project.start(*restoring("--no-safety", *flags))
        wait_for(lambda: run.poll() is not None or our_sessions(shop, condition))
        assert run.poll() is None, run.communicate()
        kill(prepared, run)
        output, errors = run.communicate(timeout=120)
    return subprocess.CompletedProcess((), run.returncode, output, errors)


@pytest.mark.skipif(os.geteuid() != 0, reason="ends processes of the sandbox's user")
@pytest.mark.parametrize(("moment", "kill", "code"), DEATHS.values(), ids=DEATHS.keys())
def test_whatever_dies_before_the_commit_the_database_is_as_it_was(shop, moment, kill, code):
    before = archives(shop)
    assert_unchanged(shop, before, killed(shop, moment, kill), code)


AFTERWARDS = {
    "commit: psql": (in_the_commit, PSQL, 0),
    "commit: connection": (in_the_commit, cut_the_connection, 3),
    "commit: client, INT": (in_the_commit, kill_client(INT), 130),
    "analysis: psql": (in_the_analysis, PSQL, 0),
    "analysis: connection": (in_the_analysis, cut_the_connection, 0),
    "analysis: shell, KILL": (in_the_analysis, KILLED_SHELL, 0),
    "analysis: client, INT": (in_the_analysis, kill_client(INT), 130),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="ends processes of the sandbox's user")
@pytest.mark.parametrize(("moment", "kill", "code"), AFTERWARDS.values(), ids=AFTERWARDS.keys())
def test_what_is_committed_is_told_as_restored_or_as_unknown(shop, moment, kill, code):
    """A client that has lost its host cannot know; whoever can, says so."""
    before = archives(shop)
    done = killed(shop, moment, kill)

    assert done.returncode == code, done.stderr
    assert UNCHANGED not in done.stderr
    if code == 0:
        assert "Restored faults to" in done.stdout
    if code == 130:
        assert "after the end of the restore; the database is restored to" in done.stderr
    assert_nothing_of_it_is_left(shop)
    shop.pg.superuser("DROP FUNCTION IF EXISTS public.late CASCADE", DATABASE)
    assert shop.now() == shop.archived
    assert shop.project.status()["result"] == "success"
    assert {name: archives(shop)[name] for name in before} == before
    assert_the_next_one_restores(shop)


def test_who_holds_a_lock_is_named_and_is_not_waited_for_longer_than_allowed(shop):
    before = archives(shop)
    with session(shop, OWNER, "SELECT FROM orders"), session(shop, "postgres", "TABLE sums"):
        begun = time.monotonic()
        done = shop.restore("--lock-timeout=1")
        assert time.monotonic() - begun < 25  # by default it waits for 30
        (pid,) = our_pids(shop, OWNER)
        (other,) = our_pids(shop, "postgres")
    assert f"pid {pid}, role shop, reader of shop, idle in transaction, in a" in done.stderr
    assert "AccessShareLock on public.orders" in done.stderr.rpartition("(exit 15)")[2]
    assert f"pid {other}, role postgres" in done.stderr.rpartition("(exit 15)")[2]
    assert_unchanged(shop, before, done, 15)


def our_pids(shop, role):
    answer = shop.pg.superuser(
        "SELECT pid FROM pg_stat_activity"  # noqa: S608
        f" WHERE application_name = 'reader of {role}' AND datname = '{DATABASE}'"
    )
    return answer.splitlines()


@pytest.mark.parametrize("held", ["TABLE sums", "SELECT last_value FROM numbers"])
def test_who_holds_a_lock_on_what_is_not_a_table_is_named_too(shop, held):
    before = archives(shop)
    with session(shop, OWNER, held):
        done = shop.restore("--lock-timeout=1")
        (pid,) = our_pids(shop, OWNER)
    assert f"pid {pid}, role shop" in done.stderr.rpartition("(exit 15)")[2]
    assert_unchanged(shop, before, done, 15)


def test_a_reader_behind_a_restore_that_waits_does_not_wait_longer_than_it(shop):
    with session(shop, OWNER, "SELECT FROM orders"):
        run = shop.project.start(*restoring("--no-safety", "--lock-timeout=2"))
        wait_for(lambda: our_sessions(shop, "wait_event_type = 'Lock'"))
        begun = time.monotonic()
        shop.pg.superuser("SELECT count(*) FROM orders", DATABASE)
        assert time.monotonic() - begun < 3
        run.communicate(timeout=20)
    assert run.returncode == 15


def test_sessions_of_the_same_role_are_ended_on_demand_and_those_of_others_named(shop):
    before = archives(shop)
    with session(shop, "postgres", "SELECT FROM orders"):
        done = shop.restore("--terminate", "--lock-timeout=1")
        (other,) = our_pids(shop, "postgres")
    assert f"pid {other}, role postgres" in done.stderr.rpartition("(exit 15)")[2]
    assert_unchanged(shop, before, done, 15)
    shop.pg.run_as(OWNER, RUIN, DATABASE)

    with (
        session(shop, OWNER, "SELECT FROM orders"),
        session(shop, OWNER, "SELECT", "shop") as elsewhere,
    ):
        (pid,) = our_pids(shop, OWNER)
        done = shop.restore("--terminate", "--no-safety")
        elsewhere.stdin.write("\\echo still there\n")
        elsewhere.stdin.flush()
        assert elsewhere.stdout.readline() == "still there\n"
    assert done.returncode == 0, done.stderr
    assert f"ended the sessions: pid {pid} of shop" in done.stderr
    assert shop.now() == shop.archived


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


@pytest.fixture
def small_shop(make_project, ground, ssh) -> Iterator[Shop]:
    """On a server of its own, which a test may crash and whose lock table is soon full."""
    settings = {"fsync": "off", "max_locks_per_transaction": "10", "max_connections": "10"}
    with postgres(embedded(), ground, settings=settings) as pg:
        create_owner(pg, role=OWNER, password=PASSWORD, database=DATABASE)
        yield Shop(make_project(pg, ssh, DB_NAME=DATABASE), "", "")


def crash(pg):
    """A backend that dies by a signal takes the whole server down, which then recovers."""
    pid = pg.superuser(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'fabric-predeploy'"
    )
    os.kill(int(pid), signal.SIGKILL)


def restart(pg):
    pg_control(pg, "restart", "--log", str(pg.data_dir.parent / "again.log"))


def pg_control(pg, *arguments):
    command = [pg.bin_dir / "pg_ctl", "--pgdata", pg.data_dir, "--mode=immediate", *arguments]
    subprocess.run(
        command, check=True, cwd=pg.data_dir, stdout=subprocess.DEVNULL, **unprivileged()
    )


def is_up(pg):
    command = [pg.bin_dir / "pg_isready", "--quiet", f"--host={pg.host}", f"--port={pg.port}"]
    return subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("goes_down", [crash, restart])
def test_a_server_that_goes_down_in_the_middle_comes_back_as_it_was(small_shop, goes_down):
    pg, project = small_shop.pg, small_shop.project
    pg.run_as(OWNER, CONTENTS, DATABASE)
    archived = plain_dump(pg, DATABASE)
    assert project.predeploy().returncode == 0
    pg.run_as(OWNER, RUIN, DATABASE)
    shop = Shop(project, archived, plain_dump(pg, DATABASE))
    before = archives(shop)

    def down(_shop, _run):
        goes_down(pg)

    try:
        done = killed(shop, in_a_statement, down)
        wait_for(lambda: is_up(pg))
        assert_unchanged(shop, before, done, 15)
    finally:
        if goes_down is restart:
            pg_control(pg, "stop")


LATER = {
    "one more": "CREATE TABLE added (id int)",
    "most are gone": "DO $$ BEGIN FOR n IN 2..{} LOOP EXECUTE 'DROP TABLE many_' || n;"
    " IF n % 20 = 0 THEN COMMIT; END IF; END LOOP; END $$",
}


@pytest.mark.parametrize("later", LATER.values(), ids=LATER.keys())
@pytest.mark.parametrize("tables", [27, 124])
def test_too_many_tables_for_the_locks_of_the_server_are_refused_before_and_never_halfway(
    small_shop, tables, later
):
    pg, project = small_shop.pg, small_shop.project
    create_tables(pg, tables)
    archived = plain_dump(pg, DATABASE)
    assert project.predeploy().returncode == 0
    pg.run_as(OWNER, later.format(tables), DATABASE)
    shop = Shop(project, archived, plain_dump(pg, DATABASE))
    assert_all_or_refused(shop, shop.restore("--no-safety"))


@pytest.mark.parametrize("tables", [5000])
def test_thousands_of_tables_are_restored_or_refused_before(shop, tables):
    create_tables(shop.pg, tables)
    archived = plain_dump(shop.pg, DATABASE)
    assert shop.project.predeploy(f"v{tables}").returncode == 0
    shop.pg.run_as(OWNER, "CREATE TABLE added_later (id int)", DATABASE)
    shop = Shop(shop.project, archived, plain_dump(shop.pg, DATABASE))
    assert_all_or_refused(shop, shop.restore("--no-safety"))
    for archive in shop.project.backup_dir.glob(f"*-v{tables}-*"):
        archive.unlink()


def create_tables(pg, tables):
    """In transactions of twenty, as these need locks too."""
    pg.run_as(
        OWNER,
        "DO $$ BEGIN FOR n IN 1.." + str(tables) + " LOOP"
        " EXECUTE format('CREATE TABLE many_%s (id int PRIMARY KEY, t text)', n);"
        " IF n % 20 = 0 THEN COMMIT; END IF; END LOOP; END $$;",
        DATABASE,
    )


def assert_all_or_refused(shop, done):
    if done.returncode == 0:
        assert shop.now() == shop.archived
    else:
        assert done.returncode == 14, done.stderr
        assert "max_locks_per_transaction" in done.stderr
        assert "nothing was touched" in done.stderr
        assert shop.now() == shop.ruined


def test_whoever_dies_at_whatever_moment_the_database_is_one_or_the_other(shop):
    """And what fab and the status say of it is so."""
    chance = random.Random(3)  # noqa: S311 - repeatable, not secret
    deaths = [PSQL, PG_RESTORE, kill_backend, cut_the_connection, kill_shell(TERM), KILLED_SHELL]
    deaths += [kill_client(INT), kill_client(TERM), kill_client(KILL)]
    for _ in range(ROUNDS):
        renew(shop.pg)
        assert_one_or_the_other(shop, chance.choice(deaths), chance.uniform(0.05, 0.6))


def assert_one_or_the_other(shop, kill, seconds):
    lock = shop.project.backup_dir / "lock"
    written = lock.stat().st_mtime_ns
    run = shop.project.start(*restoring("--no-safety"))
    wait_for(lambda: run.poll() is not None or lock.stat().st_mtime_ns != written)
    time.sleep(seconds)
    with suppress(AssertionError, OSError):  # it may have come to its end already
        kill(shop, run)
    _, errors = run.communicate(timeout=120)
    assert "Traceback" not in errors
    assert_nothing_of_it_is_left(shop)
    now, status = shop.now(), shop.project.status()
    if run.returncode == 0 or status["result"] == "success":
        assert now == shop.archived, errors
    elif status["code"] == "15" or UNCHANGED in errors:
        assert now == shop.ruined, errors
    else:
        assert now in (shop.archived, shop.ruined), errors
    if now == shop.archived:
        assert run.returncode != 15, errors
