"""The way back by swap: a new database takes the live one's name, or nothing has happened."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest
from fabric_predeploy.config.loading import load
from fabric_predeploy.config.settings import Settings
from fabric_predeploy.remote._door import shell
from fabric_predeploy.remote._door.script import Step
from fabric_predeploy.remote.recipes import taking
from fabric_predeploy.remote.steps import rules, step

from sandbox.postgres import Postgres, identifier
from tests.integration.everything import create_everything, fail_a_deploy, plain_dump
from tests.local import LocalLine, answer, whole_script
from tests.project import PASSWORD

OWNER = "swapper"
_numbers = count()
ALL_BUT_PUBLIC = """
REVOKE CREATE, USAGE ON SCHEMA public FROM storekeepers, reader;
COMMENT ON SCHEMA public IS 'standard public schema';
"""
PROPERTIES = """
SELECT pg_get_userbyid(datdba), datconnlimit, pg_encoding_to_char(encoding), datcollate, datctype,
    to_jsonb(d) ->> 'datlocprovider', to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale',
    datacl, shobj_description(oid, 'pg_database'), dattablespace,
    ARRAY(SELECT setrole::regrole || ' ' || array_to_string(setconfig, '; ') FROM pg_db_role_setting
        WHERE setdatabase = oid ORDER BY setrole)
FROM pg_database d WHERE datname = {}
"""


@dataclass
class Place:
    """A database, its owner, who may create others, and a directory for archives."""

    pg: Postgres
    database: str
    backup_dir: Path
    settings: Settings
    archive: str = ""
    log: list[str] = field(default_factory=list)

    def run(self, *several: Step, task: str = "restore") -> shell.Report:
        variables = {"task": task, "backup_dir": str(self.backup_dir), "keeps_status": "yes"}
        return shell.run(
            LocalLine(), several, variables=variables, secrets={"DB_PASSWORD": PASSWORD}
        )

    def back_up(self) -> None:
        report = self.run(*taking(self.settings, "read"), task="predeploy")
        assert report.code == 0
        self.archive = report.of("publish")["archive"]

    def preflight(self) -> shell.Report:
        return self.run(*self.until_preflight())

    def until_preflight(self) -> list[shell.Step]:
        return [
            rules.lock(self.settings, create=True),
            step("programs", self.settings),
            rules.psql(self.settings),
            step("preflight", self.settings, dumps=False),
        ]

    def restoring(self, *, terminate: bool = False) -> list[shell.Step]:
        return [
            *self.until_preflight(),
            step("archive", archive=self.archive),
            step("rehearse", demand="swap"),
            step("swap", self.settings, terminate=terminate),
        ]

    def restore(self, *, terminate: bool = False) -> shell.Report:
        return self.run(*self.restoring(terminate=terminate))

    def drop_old(self, *names: str) -> shell.Report:
        return self.run(*self.until_preflight()[:3], step("drop_old", names=names))

    def sql(self, sql: str) -> str:
        return self.pg.run_as(OWNER, sql, self.database)

    def dump(self) -> str:
        return plain_dump(self.pg, self.database)

    def properties(self, database: str | None = None) -> str:
        name = (database or self.database).replace("'", "''")
        return self.pg.superuser(PROPERTIES.format(f"'{name}'"))

    def beside(self) -> list[str]:
        """The databases that a restore has made, or left."""
        rows = self.pg.superuser("SELECT datname FROM pg_database ORDER BY 1").splitlines()
        return [row for row in rows if row.startswith(self.database[:30]) and row != self.database]

    def assert_unchanged(self, content: str) -> None:
        assert self.dump() == content
        assert self.beside() == []
        assert not (self.backup_dir / "restore.database").exists()


@pytest.fixture
def make_place(
    start_server: Callable[[int | None], Postgres], tmp_path: Path
) -> Iterator[Callable[..., Place]]:
    made = []

    def make(major: int | None = None, name: str = "swapped", options: str = "") -> Place:
        pg = start_server(major)
        number = next(_numbers)
        if OWNER not in pg.superuser("SELECT rolname FROM pg_roles").splitlines():
            pg.superuser(f"CREATE ROLE {OWNER} LOGIN CREATEDB PASSWORD $x${PASSWORD}$x$")
        database = f"{name}{number}"
        pg.superuser(f"CREATE DATABASE {identifier(database)} OWNER {OWNER} {options}")
        backup_dir = tmp_path / f"backups-{number}"
        environ = {
            "SSH_HOST": "here",
            "DB_NAME": database,
            "DB_USER": OWNER,
            "DB_HOST": pg.host,
            "DB_PORT": str(pg.port),
            "DB_BIN_DIR": str(pg.bin_dir),
            "BACKUP_VERSION": "v1",
            "BACKUP_DIR": str(backup_dir),
            "BACKUP_RECONNECT": "0",
            "BACKUP_LOCK_TIMEOUT": "2",
        }
        settings = load("here", environ=environ, directory=tmp_path)
        place = Place(pg, database, backup_dir, settings)
        made.append(place)
        return place

    yield make
    for place in made:
        for database in (*place.beside(), place.database):
            place.pg.superuser(f"DROP DATABASE {identifier(database)} WITH (FORCE)")


@pytest.fixture
def place(make_place: Callable[..., Place]) -> Place:
    """A small database that has been backed up, and changed since."""
    made = make_place()
    made.sql(
        "CREATE TABLE orders AS SELECT n AS id, 'some' AS what FROM generate_series(1, 5000) n"
    )
    made.back_up()
    made.sql("DROP TABLE orders; CREATE TABLE orders AS SELECT 1 AS ruined")
    return made


def with_everything(place: Place) -> None:
    create_everything(place.pg, place.database, OWNER, foreign_extension=False)
    if place.pg.major < 15:  # there only a superuser could bring back what was made of public
        place.pg.superuser(ALL_BUT_PUBLIC, place.database)


@pytest.mark.parametrize("major", [14, 15, 16, 17, 18])
def test_after_a_failed_deploy_the_database_is_byte_for_byte_what_it_was(make_place, major):
    place = make_place(major)
    with_everything(place)
    before = place.dump()
    place.back_up()
    fail_a_deploy(place.pg, place.database, OWNER)
    failed = place.dump()
    report = place.restore()
    assert report.problems == []
    assert report.code == 0
    assert place.dump() == before
    (old,) = place.beside()
    assert report.of("swap")["old_database"] == old
    assert plain_dump(place.pg, old) == failed


LOCALES = {  # none of these servers has ICU
    14: "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    15: "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0",
    17: "ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' TEMPLATE template0",
    18: "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST' TEMPLATE template0",
}


@pytest.mark.parametrize("major", LOCALES)
def test_what_no_archive_holds_of_a_database_is_carried_over(make_place, major):
    place = make_place(major, """an "odd" 'näme' \\ =x """ + "y" * 30, LOCALES[major])
    name = identifier(place.database)
    place.sql("CREATE TABLE t AS SELECT 1 AS a")
    place.back_up()
    place.pg.superuser(f"""
        DROP ROLE IF EXISTS passes_on, gets_it;
        CREATE ROLE passes_on; CREATE ROLE gets_it; GRANT passes_on TO {OWNER};
        ALTER DATABASE {name} CONNECTION LIMIT 17;
        ALTER DATABASE {name} SET search_path = "$user", public, "odd ""schema"" x";
        ALTER DATABASE {name} SET work_mem = '65536kB';
        ALTER DATABASE {name} SET DateStyle = 'ISO, DMY';
        ALTER DATABASE {name} SET statement_timeout = 1;
        ALTER ROLE {OWNER} IN DATABASE {name} SET statement_timeout = 60000;
        ALTER ROLE {OWNER} IN DATABASE {name} SET search_path = '';
        COMMENT ON DATABASE {name} IS E'it''s\nthe \\\\ shop';
        REVOKE ALL ON DATABASE {name} FROM PUBLIC;
        GRANT CONNECT ON DATABASE {name} TO passes_on WITH GRANT OPTION;
        GRANT CREATE, TEMPORARY ON DATABASE {name} TO gets_it;
        SET ROLE passes_on;
        GRANT CONNECT ON DATABASE {name} TO gets_it;
    """)
    before = place.properties()
    report = place.restore()
    assert (report.problems, report.code) == ([], 0)
    assert place.properties() == before
    old = report.of("swap")["old_database"]
    assert len(old.encode()) <= 63
    assert place.properties(old) == before
    place.pg.superuser(
        f"DROP DATABASE {identifier(old)}; DROP DATABASE {name}; CREATE DATABASE {name};"
        "DROP ROLE passes_on, gets_it"
    )


def test_a_setting_that_only_a_superuser_may_make_is_told_before_anything_is_touched(place):
    content = place.dump()
    place.pg.superuser(f"ALTER DATABASE {place.database} SET log_statement = 'all'")
    report = place.restore()
    assert report.code == 14
    assert [
        line
        for line in map(str, report.problems)
        if "settings that only a superuser may make" in line
    ]
    place.assert_unchanged(content)


# A client of its own process: one that connects each 10 ms, or keeps its connection while it can.
# It prints when it began to be refused and when it was served again, and what it saw.
READER = r"""
import subprocess, sys, time
psql, keeps = sys.argv[1], sys.argv[2] == "keeps"
options = [psql, "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1"]
question = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'ruined'"
child = None
while True:
    began = time.monotonic()
    if keeps:
        if child is None or child.poll() is not None:
            child = subprocess.Popen(options, stdin=-1, stdout=-1, stderr=-3, text=True)
        try:
            child.stdin.write(question + ";\n")
            child.stdin.flush()
            answer = child.stdout.readline().strip()
        except OSError:
            answer = ""
        if not answer:
            child.wait()
    else:
        done = subprocess.run([*options, "-c", question], capture_output=True, text=True)
        answer = done.stdout.strip()
    print(began, time.monotonic(), answer or "refused", flush=True)
    time.sleep(0.01)
"""


@contextmanager
def reading(place: Place, *, keeps: bool, role: str = OWNER) -> Iterator[list[list[str]]]:
    """What a reader met: when it asked, when it had an answer, and which."""
    met: list[list[str]] = []
    environment = {
        **os.environ,
        "PGHOST": str(place.pg.data_dir.parent),
        "PGPORT": str(place.pg.port),
    }
    environment |= {"PGUSER": role, "PGDATABASE": place.database}
    command = [
        sys.executable,
        "-c",
        READER,
        str(place.pg.bin_dir / "psql"),
        "keeps" if keeps else "",
    ]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        met.append(process.stdout.readline().split())
        thread = threading.Thread(target=lambda: met.extend(map(str.split, process.stdout)))
        thread.start()
        yield met
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGKILL)
        thread.join()


def refused_seconds(met: list[list[str]]) -> float:
    """From the first question without an answer to the next answer, summed up; waiting counts."""
    total, since = 0.0, None
    for asked, answered, what in met:
        if what == "refused":
            since = since or float(asked)
        else:
            total += float(answered) - since if since else 0
            since = None
    assert since is None, "refused to the end"
    return total


@pytest.mark.parametrize("major", [14, 17, 18])
@pytest.mark.parametrize("keeps", [False, True], ids=["connects anew", "keeps its connection"])
def test_readers_are_refused_for_less_than_a_second_and_see_only_old_or_new(
    make_place, major, keeps
):
    place = make_place(major)
    place.sql("CREATE TABLE orders AS SELECT n AS id FROM generate_series(1, 200000) n")
    place.back_up()
    place.sql("DROP TABLE orders; CREATE TABLE orders AS SELECT 1 AS ruined")
    with reading(place, keeps=keeps) as met:
        report = place.restore(terminate=keeps)
    assert (report.problems, report.code) == ([], 0)
    seconds = refused_seconds(met)
    assert seconds < 1
    answers = [what for *_, what in met if what != "refused"]
    assert answers == sorted(answers, reverse=True), "first the old state, then the new"
    assert set(answers) == {"0", "1"}


@contextmanager
def session_of(place: Place, role: str) -> Iterator["subprocess.Popen[str]"]:
    environment = {
        **os.environ,
        "PGHOST": str(place.pg.data_dir.parent),
        "PGPORT": str(place.pg.port),
    }
    environment |= {"PGUSER": role, "PGDATABASE": place.database, "PGAPPNAME": "the shop's cron"}
    with subprocess.Popen(
        [place.pg.bin_dir / "psql", "-X", "-q", "-t", "-A"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("SELECT pg_backend_pid();\n")
        process.stdin.flush()
        process.pg_pid = process.stdout.readline().strip()  # type: ignore[attr-defined]
        time.sleep(1.1)  # one that stays
        yield process
        process.stdin.close()


@pytest.mark.parametrize("terminate", [False, True])
def test_a_session_of_another_role_in_the_way_is_named_and_nothing_has_happened(place, terminate):
    content = place.dump()
    if place.pg.superuser("SELECT 1 FROM pg_roles WHERE rolname = 'passer_by'") == "":
        place.pg.superuser("CREATE ROLE passer_by LOGIN")
    with session_of(place, "passer_by") as session, session_of(place, OWNER) as ours:
        report = place.restore(terminate=terminate)
        assert ours.poll() is None
        ours.stdin.write("SELECT 'still here';\n")
        ours.stdin.flush()
        assert ours.stdout.readline() == "still here\n"
    assert report.code == 15
    assert f"pid {session.pg_pid}" in " ".join(map(str, report.problems))
    assert "passer_by" in " ".join(map(str, report.problems))
    assert "the shop's cron" in " ".join(map(str, report.problems))
    place.assert_unchanged(content)


def test_a_session_of_our_role_is_in_the_way_until_it_may_be_ended(place, capfd):
    content = place.dump()
    with session_of(place, OWNER) as session:
        report = place.restore()
        assert report.code == 15
        assert f"pid {session.pg_pid}" in " ".join(map(str, report.problems))
        place.assert_unchanged(content)
        report = place.restore(terminate=True)
        assert report.code == 0
    assert f"ended the sessions: pid {session.pg_pid} of {OWNER}" in capfd.readouterr().err
    assert place.dump() != content


def test_sessions_of_our_role_in_other_databases_are_not_ended(place, make_place):
    other = make_place()
    with session_of(other, OWNER) as session:
        assert place.restore(terminate=True).code == 0
        session.stdin.write("SELECT 'still here';\n")
        session.stdin.flush()
        assert session.stdout.readline() == "still here\n"


LATE = """\
#!/bin/sh
case $* in
    *end_sql)
        trap : TERM
        sleep 5 </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 9>&-
        : >"$0.went_on"
        exec timeout 20 {psql} "$@"
        ;;
esac
exec {psql} "$@"
"""


def test_who_ends_sessions_is_stopped_even_before_it_has_begun(place, tmp_path):
    """A shell that has just been forked loses what its traps were for: so it once ran for ever."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for program in place.pg.bin_dir.iterdir():
        (programs / program.name).symlink_to(program)
    late = programs / "psql"
    late.unlink()
    late.write_text(LATE.format(psql=place.pg.bin_dir / "psql"))
    late.chmod(0o755)
    place.settings = replace(place.settings, db_bin_dir=str(programs))
    assert place.restore(terminate=True).code == 0
    assert not Path(f"{late}.went_on").exists()


def test_a_session_that_goes_in_time_is_waited_for(place):
    with session_of(place, OWNER) as session:
        threading.Timer(1.5, session.stdin.close).start()
        assert place.restore().code == 0


def test_an_archive_that_fails_in_the_middle_leaves_all_as_it_was(place):
    """The rows break a constraint that the archive itself creates after them."""
    place.sql(
        "DROP TABLE orders; CREATE TABLE ok (a int);"
        "CREATE FUNCTION even(int) RETURNS boolean LANGUAGE sql AS 'SELECT true'"
    )
    place.sql("CREATE TABLE bad (a int CHECK (even(a))); INSERT INTO bad VALUES (1)")
    place.sql(
        "CREATE OR REPLACE FUNCTION even(int) RETURNS boolean LANGUAGE sql AS 'SELECT $1 % 2 = 0'"
    )
    place.back_up()
    content = place.dump()
    report = place.restore()
    assert report.code == 15
    assert "the database is as it was" in report.of("result")["reason"]
    place.assert_unchanged(content)


def test_rows_that_are_not_those_of_the_manifest_leave_all_as_it_was(place):
    content = place.dump()
    manifest = place.backup_dir / place.archive.replace(".dump", ".manifest")
    manifest.write_text(manifest.read_text().replace("rows=5000 ", "rows=4999 "))
    report = place.restore()
    assert report.code == 15
    assert "4999" in report.of("result")["reason"]
    place.assert_unchanged(content)


def slow_to_restore(place: Place) -> str:
    """A check on the rows makes pg_restore take as long as a test needs."""
    place.sql(
        "DROP TABLE orders; CREATE FUNCTION slow(int) RETURNS boolean LANGUAGE sql AS 'SELECT true'"
    )
    place.sql(
        "CREATE TABLE rows (a int CHECK (slow(a))); INSERT INTO rows SELECT generate_series(1, 100)"
    )
    place.sql(
        "CREATE OR REPLACE FUNCTION slow(int) RETURNS boolean LANGUAGE sql"
        " AS 'SELECT true FROM pg_sleep(0.1)'"
    )
    place.back_up()
    return place.dump()


def in_a_process(place: Place) -> "subprocess.Popen[str]":
    """The restore in a shell of its own, which a test can kill; returns when rows come in."""
    several = place.restoring()
    variables = {
        "fence": "fence",
        "task": "restore",
        "backup_dir": str(place.backup_dir),
        "keeps_status": "yes",
        "tells": "log",
    }
    script = place.backup_dir.with_suffix(".script")  # too long for an argument
    script.write_text(whole_script(several, variables), encoding="utf-8")
    process = subprocess.Popen(
        ["sh", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(answer(PASSWORD))
    process.stdin.flush()
    busy = "SELECT datname FROM pg_stat_activity WHERE query LIKE 'COPY%'"
    deadline = time.monotonic() + 20
    while f"{place.database}_restore_" not in place.pg.superuser(busy):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_during_the_restore_ends_it_and_leaves_all_as_it_was(place, number):
    content = slow_to_restore(place)
    process = in_a_process(place)
    began = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - began < 5
    place.assert_unchanged(content)


def test_a_client_that_goes_ends_the_restore_and_leaves_all_as_it_was(place):
    content = slow_to_restore(place)
    process = in_a_process(place)
    process.communicate(timeout=20)
    assert process.returncode == 130
    place.assert_unchanged(content)


def test_what_a_killed_restore_has_left_is_dropped_by_the_next_run_and_by_no_other(place):
    content = slow_to_restore(place)
    process = in_a_process(place)
    process.kill()
    process.communicate()
    (left,) = place.beside()
    assert left in (place.backup_dir / "restore.database").read_text()
    planned = place.run(*place.until_preflight()[1:], task="plan")  # without the lock
    assert planned.code == 0
    assert place.beside() == [left]
    for _ in range(200):  # until pg_restore, which holds the lock, has come to its end
        report = place.preflight()
        if report.code != 11:
            break
        time.sleep(0.2)
    assert report.code == 0
    place.assert_unchanged(content)


def test_a_record_drops_nothing_else_than_what_a_restore_can_have_made(place):
    others = [f"{place.database}_restore_2", f"{place.database}_before_20250314123456"]
    theirs = f"{place.database}_restore_20250314123456"
    for name in others:
        place.pg.superuser(f"CREATE DATABASE {name} OWNER {OWNER}")
    place.pg.superuser(f"CREATE DATABASE {theirs}")
    record = place.backup_dir / "restore.database"
    lines = [
        f"{place.pg.host} {place.pg.port} {name}\n"
        for name in (*others, theirs, place.database, "gone")
    ]
    record.write_text("".join([*lines, "elsewhere 5432 x_restore_20250314123456\n"]))
    assert place.preflight().code == 0
    assert place.beside() == sorted([*others, theirs])
    left = record.read_text()
    assert "gone" not in left
    assert "elsewhere" in left


def test_databases_that_have_such_names_already_stay_as_they_are(place):
    now = int(time.time())
    stamps = [time.strftime("%Y%m%d%H%M%S", time.gmtime(now + n)) for n in range(30)]
    taken = {f"{place.database}_restore_{stamps[0]}"} | {
        f"{place.database}_before_{stamp}" for stamp in stamps[1:6]
    }
    taken |= {f"{place.database}_restore_{stamp}" for stamp in stamps[6:8]}
    for name in taken:
        place.pg.superuser(f"CREATE DATABASE {name} OWNER {OWNER}")
        place.pg.superuser("CREATE TABLE keep ()", name)
    report = place.restore()
    assert report.code == 0
    assert set(place.beside()) == taken | {report.of("swap")["old_database"]}
    assert all(
        place.pg.superuser("SELECT 1 FROM pg_class WHERE relname = 'keep'", name) for name in taken
    )


def test_the_old_database_is_dropped_when_it_is_named_and_no_other(place):
    place.pg.superuser(f"CREATE DATABASE {place.database}_before_the_deploy OWNER {OWNER}")
    place.pg.superuser(f"CREATE DATABASE {place.database}_before_20250314123456")  # not ours
    old = place.restore().of("swap")["old_database"]
    there = place.beside()
    report = place.drop_old()
    assert report.facts["drop_old"] == [("old_database", old)]
    assert place.drop_old(f"{place.database}_before_20250314123456").code == 14
    assert place.drop_old(old, place.database).code == 14
    assert place.beside() == there
    report = place.drop_old(old)
    assert report.code == 0
    assert report.of("drop_old")["dropped"] == old
    assert place.beside() == sorted(set(there) - {old})


def test_an_old_database_that_is_in_use_is_not_dropped(place):
    old = place.restore().of("swap")["old_database"]
    with session_of(replace(place, database=old), OWNER):
        report = place.drop_old(old)
    assert report.code == 14
    assert "being accessed by other users" in report.of("result")["reason"]
    assert place.beside() == [old]


def test_a_materialized_view_that_cannot_be_filled_is_told(place):
    place.sql("DROP TABLE orders; CREATE FUNCTION broken() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    place.sql("CREATE MATERIALIZED VIEW sums AS SELECT broken() AS n")
    place.sql("CREATE OR REPLACE FUNCTION broken() RETURNS int LANGUAGE sql AS 'SELECT 1 / 0'")
    place.back_up()
    report = place.restore()
    assert report.code == 0
    assert report.of("swap")["empty_view"] == "public.sums"


def test_status_tells_of_the_restore_and_where_the_old_state_is(place):
    report = place.restore()
    status = dict(
        line.split("=", 1) for line in (place.backup_dir / "status").read_text().splitlines()
    )
    assert (status["result"], status["archive"], status["way"]) == (
        "success",
        place.archive,
        "swap",
    )
    assert plain_dump(place.pg, report.of("swap")["old_database"]) != place.dump()
    assert " way=swap " in (place.backup_dir / "restores").read_text()
    assert not (place.backup_dir / "restore.database").exists()


def test_fab_restore_swaps_where_the_role_may_and_drops_the_old_database(place, make_project, ssh):
    settings = place.settings
    project = make_project(place.pg, ssh, DB_NAME=settings.db_name, DB_USER=OWNER)
    place.sql("DROP TABLE orders; CREATE TABLE orders AS SELECT 1 AS a")
    before = place.dump()
    assert project.predeploy().returncode == 0
    place.sql("DROP TABLE orders")
    done = project.fab("-H", "demo", "restore", "--file=latest", "--yes")
    assert done.returncode == 0, done.stderr
    assert "how      swap" in done.stdout
    assert place.dump() == before
    (old,) = place.beside()
    assert old in done.stdout
    assert project.status()["way"] == "swap"
    done = project.fab("-H", "demo", "restore", "--drop-old", "--yes")
    assert done.returncode == 0, done.stderr
    assert place.beside() == []
