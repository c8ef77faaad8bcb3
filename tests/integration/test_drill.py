"""The proof by a test restore: it holds for all that a database can hold, and sees what differs."""

import os
import re
import signal
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from fabric_predeploy.remote.here.servers import found, nearest

from sandbox.postgres import create_owner, literal
from sandbox.shop import fill
from sandbox.sshd import available, openssh
from tests.integration.everything import PUBLIC_BELONGS_TO_THE_OWNER, create_everything
from tests.integration.test_interrupts import assert_as_if_it_had_not_been, locked
from tests.integration.test_progress import HURRIED
from tests.processes import command_line, remote_processes, sessions, wait_for
from tests.project import PASSWORD, ROWS

EQUAL = "--proof=equal"
GROWN = re.compile(r"restoring to compare: \d[^,]* (of about|so far)")
EMBEDDED_MAJOR = 17
# Runs the real one, and then does to the restored database what its first line says.
WRAPPER = """#!/bin/sh
set -e
"{real}/pg_restore" "$@"
case "$*" in *--dbname*/tables.list*) {then} ;; esac
"""
SQL = """exec "{real}/psql" -X -q -v ON_ERROR_STOP=1 -c "{sql}" """


@pytest.fixture
def tampered(project):
    """Make a project whose pg_restore runs that shell code once it has restored the tables."""

    def make(then, **settings):
        stubs = project.ssh.home / f"drill-{os.getpid()}-{time.monotonic_ns()}"
        stubs.mkdir()
        real = project.pg.bin_dir
        for program in ("pg_dump", "psql", "initdb", "postgres"):
            (stubs / program).symlink_to(real / program)
        (stubs / "pg_restore").write_text(WRAPPER.format(real=real, then=then.format(real=real)))
        (stubs / "pg_restore").chmod(0o755)
        return project.with_profile(DB_BIN_DIR=str(stubs), **settings)

    return make


def statement(sql):
    return SQL.replace("{sql}", sql)


def nothing_stays(project):
    wait_for(lambda: not remote_processes(project))
    assert project.leftovers() == []
    assert [each for each in databases(project) if "_restore_" in each] == []


def databases(project):
    return project.pg.superuser("SELECT datname FROM pg_database ORDER BY 1").split()


def manifest(project):
    text = project.archives()[-1].with_suffix(".manifest").read_text(encoding="utf-8")
    return [line.split("=", 1) for line in text.splitlines()]


def grade(project):
    return dict(manifest(project))["proof"]


@pytest.mark.parametrize("major", [14, 17, 18])
def test_everything_that_a_database_can_hold_comes_back_equal_in_a_server_of_its_own(
    start_server, make_project, ssh, major
):
    pg = start_server(major)
    database = f"everything{major}"
    create_owner(pg, role="keeper", password=PASSWORD, database=database)
    create_everything(pg, database, "keeper", inheritance=True)
    elsewhere = pg.data_dir.parent / "elsewhere"
    elsewhere.mkdir()
    os.chown(elsewhere, pg.data_dir.stat().st_uid, -1)
    pg.superuser(f"CREATE TABLESPACE elsewhere LOCATION '{elsewhere}'")
    pg.superuser("ALTER TABLE shop.orders SET TABLESPACE elsewhere", database)
    settings = {"DB_NAME": database, "DB_USER": "keeper", "BACKUP_DRILL": "cluster"}
    project = make_project(pg, ssh, **settings)

    done = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 0, done.stderr
    assert grade(project) == "equal"
    nothing_stays(project)


@pytest.mark.parametrize("major", [14, 17])
def test_it_comes_back_equal_in_a_new_database_where_the_role_may_create_one(
    start_server, make_project, ssh, major
):
    pg = start_server(major)
    database = f"more{major}"
    create_owner(pg, role="creator", password=PASSWORD, database=database)
    pg.superuser("ALTER ROLE creator CREATEDB")
    if major >= PUBLIC_BELONGS_TO_THE_OWNER:
        create_everything(pg, database, "creator", foreign_extension=False)
    else:  # a new database's schema public is a superuser's, which no owner can make what it was
        fill(pg, database=database, owner="creator", rows=ROWS)
    settings = {"DB_NAME": database, "DB_USER": "creator", "BACKUP_DRILL": "database"}
    project = make_project(pg, ssh, **settings)

    done = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 0, done.stderr
    assert grade(project) == "equal"
    nothing_stays(project)


def test_without_a_word_on_the_place_a_server_of_its_own_is_taken(project):
    done = project.fab("-H", "demo", "predeploy", "--version=v1", "--proof=restored")

    assert done.returncode == 0, done.stderr
    assert "in a cluster of its own" in done.stderr
    assert grade(project) == "restored"
    assert not [key for key, _ in manifest(project) if key == "content"]
    nothing_stays(project)


@pytest.fixture
def drill_db(project):
    project.pg.superuser('CREATE DATABASE "Probe 1" OWNER shop')
    yield project.with_profile(BACKUP_DRILL="database", BACKUP_DRILL_DB="Probe 1")
    project.pg.superuser('DROP DATABASE "Probe 1" WITH (FORCE)')


def holds(project):
    sql = "SELECT count(*) FROM pg_class WHERE relnamespace >= 2200 AND relkind <> 't'"
    return project.pg.superuser(
        f"{sql} AND relnamespace::regnamespace::text <> 'information_schema'", "Probe 1"
    )


def test_an_empty_database_that_is_named_is_used_and_empty_again_afterwards(drill_db):
    for _ in range(2):
        done = drill_db.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)
        assert done.returncode == 0, done.stderr
    assert holds(drill_db) == "0"
    nothing_stays(drill_db)


def test_a_database_that_is_named_and_not_empty_is_refused_and_left_alone(drill_db):
    drill_db.pg.run_as("shop", "CREATE TABLE mine (id integer)", "Probe 1")

    done = drill_db.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 14
    assert "not empty" in done.stderr
    assert holds(drill_db) == "1"
    assert drill_db.archives() == []


def test_the_live_database_is_no_place_for_it(project):
    live = project.with_profile(BACKUP_DRILL="database", BACKUP_DRILL_DB="shop")

    assert live.fab("-H", "demo", "predeploy", "--version=v1", EQUAL).returncode == 10


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM price_alerts", "price_alerts"),
        ("UPDATE customers SET full_name = 'Eve'", "customers"),
        (
            "UPDATE offers SET availability = CASE id WHEN 1 THEN (SELECT availability FROM offers"
            " WHERE id = 2) ELSE 'backorder' END WHERE id IN (1, 2)",
            "offers",
        ),
        ("SELECT setval('order_numbers', 1)", "order_numbers"),
        ("SELECT lo_from_bytea(0, 'more')", "large objects"),
        ("DROP INDEX customers_email", "schema"),
    ],
)
def test_what_came_back_otherwise_is_13_and_no_archive(project, tampered, change, told):
    # So that two rows have exchanged nothing but the values of one column.
    project.pg.run_as(
        "shop",
        "ALTER TABLE offers DISABLE TRIGGER USER;"
        "UPDATE offers SET availability = 'backorder' WHERE id = 1;"
        "UPDATE offers SET availability = 'sold out' WHERE id = 2",
        "shop",
    )
    changed = tampered(statement(change), BACKUP_DRILL="cluster")

    done = changed.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 13
    assert told in done.stderr
    assert changed.archives() == []
    nothing_stays(changed)


@pytest.mark.parametrize(
    "line",
    [
        "-- a comment",
        "\\restrict x",
        "REFRESH MATERIALIZED VIEW x;",
        "ALTER PUBLICATION x OWNER TO y;",
        "",
    ],
)
def test_a_line_is_missed_that_looks_like_one_of_a_script_alone(project, tampered, line):
    comment = "COMMENT ON TABLE offers IS"
    project.pg.run_as("shop", f"{comment} {literal(f'a{chr(10)}{line}{chr(10)}b')}", "shop")
    without = rf"{comment} E'a\\nb'"  # as it stands in double quotes of a shell
    changed = tampered(statement(without), BACKUP_DRILL="cluster")

    done = changed.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 13
    assert "schema" in done.stderr
    project.pg.run_as("shop", f"{comment} NULL", "shop")


def test_what_only_a_superuser_may_make_is_refused_with_a_way_out(pg, make_project, ssh):
    pg.superuser("CREATE DATABASE owned_by_a_superuser")
    pg.superuser(
        "CREATE TABLE t (n int); CREATE ROLE app; GRANT app TO postgres; CREATE SCHEMA s;"
        "CREATE TABLE s.of_another (n int); ALTER TABLE s.of_another OWNER TO app;",
        "owned_by_a_superuser",
    )
    settings = {"DB_NAME": "owned_by_a_superuser", "DB_USER": "postgres"}
    pg.superuser(f"ALTER ROLE postgres PASSWORD {literal(PASSWORD)}")
    project = make_project(pg, ssh, **settings, BACKUP_DRILL="cluster")
    try:
        done = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)
        assert done.returncode == 0, done.stderr

        operators = "AS OPERATOR 1 <, FUNCTION 1 btint4cmp(int4, int4)"
        sql = f"CREATE OPERATOR CLASS oc FOR TYPE int4 USING btree {operators}"
        pg.superuser(sql, "owned_by_a_superuser")
        done = project.fab("-H", "demo", "predeploy", "--version=v2", EQUAL)

        assert done.returncode == 13
        assert "superuser" in done.stderr
        assert "BACKUP_DRILL=database" in done.stderr
        elsewhere = project.with_profile(BACKUP_DRILL="database")
        assert elsewhere.fab("-H", "demo", "predeploy", "--version=v2", EQUAL).returncode == 0
    finally:
        pg.superuser("DROP DATABASE owned_by_a_superuser WITH (FORCE); DROP ROLE app")


def test_an_archive_that_comes_back_otherwise_keeps_its_grade(project, tampered):
    assert project.predeploy(BACKUP_CONTENT="hash").returncode == 0
    changed = tampered(statement("UPDATE customers SET full_name = 'Eve'"))

    done = changed.fab("-H", "demo", "verify", EQUAL)

    assert done.returncode == 13
    assert grade(changed) == "read"
    nothing_stays(changed)
    counted = changed.fab("-H", "demo", "verify", "--proof=restored")
    assert counted.returncode == 0, counted.stderr
    assert grade(changed) == "restored"


def test_rows_that_are_missing_are_seen_by_their_number_alone(project, tampered):
    assert project.predeploy().returncode == 0
    changed = tampered(statement("DELETE FROM price_alerts"))

    done = changed.fab("-H", "demo", "verify", "--proof=restored")

    assert done.returncode == 13
    assert grade(changed) == "read"


def test_hashes_that_were_not_taken_cannot_be_compared_which_is_14(project):
    assert project.predeploy().returncode == 0

    done = project.fab("-H", "demo", "verify", EQUAL)

    assert done.returncode == 14
    assert "BACKUP_CONTENT=hash" in done.stderr
    assert grade(project) == "read"
    nothing_stays(project)


@pytest.fixture
def stuck(tampered):
    """A run in the middle of its test restore, after an earlier good one."""
    project = tampered("exec sleep 300", BACKUP_RECONNECT="0")
    assert project.predeploy("v1").returncode == 0
    before = {path: path.read_bytes() for path in project.archives()}

    def start():
        run = project.start("-H", "demo", "predeploy", "--version=v2", EQUAL)
        wait_for(lambda: sleeping(project), seconds=60)
        return run

    return project, start, before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_client_that_stops_or_dies_leaves_no_server(stuck, number):
    project, start, before = stuck
    run = start()

    run.send_signal(number)
    run.communicate(timeout=120)

    assert_as_if_it_had_not_been(project, before)


@pytest.mark.skipif(os.geteuid() != 0, reason="kills processes of the sandbox's user")
def test_when_its_shell_is_killed_the_server_is_ended_for_it(stuck):
    project, start, before = stuck
    run = start()

    shells = [pid for pid in on_host(project) if parent(pid) in sessions(project)]
    for pid in shells:
        os.kill(pid, signal.SIGKILL)
    run.communicate(timeout=120)

    assert shells
    wait_for(lambda: not remote_processes(project))
    assert_as_if_it_had_not_been(project, before)


@pytest.mark.skipif(os.geteuid() != 0, reason="kills processes of the sandbox's user")
def test_a_server_that_outlives_all_that_could_end_it_is_ended_by_the_next_run(stuck):
    project, start, before = stuck
    run = start()

    kill_all(project, but=b"/postgres\0-D\0")
    run.communicate(timeout=120)
    assert len(on_host(project)) == 1

    assert project.fab("-H", "demo", "rotate").returncode == 0
    assert on_host(project) == []
    assert_as_if_it_had_not_been(project, before)


@pytest.mark.skipif(os.geteuid() != 0, reason="kills processes of the sandbox's user")
def test_what_a_host_that_went_down_has_left_is_gone_after_the_next_run(stuck):
    project, start, before = stuck
    run = start()

    kill_all(project)
    run.communicate(timeout=120)
    assert (project.backup_dir / "run.partial" / "cluster").is_dir()

    assert project.fab("-H", "demo", "rotate").returncode == 0
    assert_as_if_it_had_not_been(project, before)


@pytest.mark.skipif(os.geteuid() != 0, reason="kills processes of the sandbox's user")
def test_a_server_that_is_killed_fails_its_test_restore_and_nothing_stays(stuck):
    project, start, before = stuck
    run = start()

    servers = [pid for pid in on_host(project) if b"/postgres\0-D\0" in command_line(pid)]
    for number, wanted in ((signal.SIGKILL, servers), (signal.SIGTERM, sleeping(project))):
        for pid in wanted:
            os.kill(pid, number)
    _, errors = run.communicate(timeout=120)

    assert len(servers) == 1
    assert run.returncode == 13, errors
    assert_as_if_it_had_not_been(project, before)


@pytest.mark.skipif(os.geteuid() != 0, reason="kills processes of the sandbox's user")
def test_a_new_database_that_a_killed_run_has_left_is_dropped_by_the_next(project, tampered):
    project.pg.superuser("ALTER ROLE shop CREATEDB")
    try:
        stuck = tampered("exec sleep 300", BACKUP_DRILL="database")
        run = stuck.start("-H", "demo", "predeploy", "--version=v1", EQUAL)
        wait_for(lambda: sleeping(stuck), seconds=60)
        kill_all(stuck)
        run.communicate(timeout=120)
        assert [each for each in databases(stuck) if "_restore_" in each]

        assert stuck.predeploy("v2").returncode == 0
    finally:
        project.pg.superuser("ALTER ROLE shop NOCREATEDB")
    nothing_stays(stuck)


def sleeping(project):
    return [pid for pid in on_host(project) if command_line(pid).startswith(b"sleep\x00300")]


def on_host(project):
    """The processes of the sandbox's user; a server's own children hide their environment."""
    home = f"HOME={project.ssh.home}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if home in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def parent(pid):
    """Of one that may have ended meanwhile."""
    with suppress(OSError):
        return int(re.search(r"PPid:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
    return None


def kill_all(project, but=b"\n\0"):
    """At once: none is to see another's end."""
    doomed = [pid for pid in on_host(project) if but not in command_line(pid)]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in doomed:
            with suppress(ProcessLookupError):  # a nap may have ended by itself
                os.kill(pid, number)


def test_a_named_database_that_a_killed_run_has_left_full_is_emptied_by_the_next(
    drill_db, tampered
):
    place = {"BACKUP_DRILL": "database", "BACKUP_DRILL_DB": "Probe 1"}
    stuck = tampered("exec sleep 300", **place)
    run = stuck.start("-H", "demo", "predeploy", "--version=v1", EQUAL)
    wait_for(lambda: any(b"sleep 300" in each for each in remote_processes(stuck)))
    kill_all(stuck)
    run.communicate(timeout=120)
    assert holds(stuck) != "0"

    bin_dir = str(stuck.pg.bin_dir)
    done = stuck.with_profile(DB_BIN_DIR=bin_dir, **place).fab(
        "-H", "demo", "predeploy", "--version=v2", EQUAL
    )

    assert done.returncode == 0, done.stderr
    assert holds(stuck) == "0"


def test_a_sequence_that_goes_on_during_the_dump_is_no_difference(project, tampered):
    moving = tampered(":")
    stubs = moving.ssh.home / moving.profile["DB_BIN_DIR"]
    (stubs / "pg_dump").unlink()
    sql = "SELECT nextval('order_numbers') FROM generate_series(1, 5)"
    (stubs / "pg_dump").write_text(
        f"#!/bin/sh\nset -e\nreal={moving.pg.bin_dir}\n"
        'next() { case "$*" in *--snapshot*) "$real/psql" -X -q -o /dev/null -c "'
        + sql
        + '" ;; esac; }\n'
        'next "$@"\n"$real/pg_dump" "$@"\nnext "$@"\n'
    )
    (stubs / "pg_dump").chmod(0o755)

    done = moving.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 0, done.stderr
    lines = [value for key, value in manifest(moving) if key == "content"]
    assert any(".." in line and line.endswith(" public.order_numbers") for line in lines)


@pytest.mark.parametrize("place", ["cluster", "database"])
def test_how_much_of_the_database_is_there_again_is_told_meanwhile(drill_db, tampered, place):
    gate = drill_db.ssh.home / f"go-{drill_db.backup_dir.name}"
    named = {"BACKUP_DRILL": place, "BACKUP_DRILL_DB": "Probe 1"}
    waiting = tampered(f"while [ ! -e {gate} ]; do sleep 0.1; done", **named)
    (waiting.directory / "fabfile.py").write_text(HURRIED)

    run = waiting.start("-H", "demo", "predeploy", "--version=v1", EQUAL)
    told = next((line for line in run.stderr if GROWN.search(line)), None)
    gate.touch()
    _, errors = run.communicate(timeout=120)

    assert told is not None, errors
    assert run.returncode == 0, errors


def test_a_sample_is_of_those_whose_proof_is_the_oldest(project):
    for version in ("v1", "v2", "v3"):
        assert project.predeploy(version).returncode == 0
        time.sleep(1)
    first = project.fab("-H", "demo", "verify", "--sample=2")
    second = project.fab("-H", "demo", "verify", "--sample=1")

    assert (first.returncode, second.returncode) == (0, 0)
    assert "v1" in first.stdout
    assert "v2" in first.stdout
    assert "v3" in second.stdout
    assert project.fab("-H", "demo", "verify", "--sample=0").returncode == 2


def test_a_sample_goes_on_to_the_next_though_one_cannot_be_proven(project):
    assert project.predeploy("v1").returncode == 0
    time.sleep(1)
    assert project.predeploy("v2", BACKUP_CONTENT="hash").returncode == 0
    time.sleep(1)

    first = project.fab("-H", "demo", "verify", "--sample=1", EQUAL)
    second = project.fab("-H", "demo", "verify", "--sample=1", EQUAL)

    assert first.returncode == 14
    assert "-v1-" in first.stderr
    assert second.returncode == 0, second.stderr
    assert "-v2-" in second.stdout


@pytest.mark.skipif(bool(nearest(found(), EMBEDDED_MAJOR)), reason="this machine is a place")
def test_without_a_place_it_is_10_and_says_what_each_lacks(project, tampered):
    clients_only = tampered(":")
    stubs = Path(clients_only.profile["DB_BIN_DIR"])
    (stubs / "initdb").unlink()

    done = clients_only.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 10
    assert "cluster: there are no initdb and postgres beside" in done.stderr
    assert "database: shop may not create databases" in done.stderr
    assert "nor has this machine" in done.stderr
    assert clients_only.archives() == []


@pytest.fixture
def with_stubs(ground, make_project, pg):
    """Make a project on a host of its own, where these programs are others."""
    with ExitStack() as stack:

        def make(programs, **settings):
            ssh = stack.enter_context(openssh(ground, login_shell="/bin/bash"))
            stubs = ssh.home / "stubs"
            stubs.mkdir()
            for name, script in programs.items():
                (stubs / name).write_text(f"#!/bin/sh\n{script}\n")
                (stubs / name).chmod(0o755)
            (ssh.home / ".bashrc").write_text(f"PATH={stubs}:$PATH\n")
            return make_project(pg, ssh, **settings)

        yield make


# Keeps the directory that the socket is in; the shell may be killed there.
AT_THE_SOCKET = """\
for each; do case $each in /tmp/predeploy.*) echo "$each" >"$HOME/socket_dir"; {how} ;; esac; done
exec /bin/{name} "$@"
"""
BEFORE, AFTER = "kill -KILL $PPID; exit 1", '/bin/{name} "$@"; kill -KILL $PPID; exit 1'


def at_the_socket(with_stubs, name, how=":"):
    script = AT_THE_SOCKET.replace("{how}", how).replace("{name}", name)
    long = f"~/{'d' * 60}/{'e' * 60}"
    return with_stubs({name: script}, BACKUP_DIR=long, BACKUP_DRILL="cluster")


@pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")
def test_a_path_that_is_too_long_for_a_socket_is_no_obstacle(with_stubs):
    project = at_the_socket(with_stubs, "mkdir")
    done = project.fab("-H", "demo", "predeploy", "--version=v1", "--proof=restored")
    assert done.returncode == 0, done.stderr
    assert not Path((project.ssh.home / "socket_dir").read_text().strip()).exists()


@pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")
@pytest.mark.parametrize(
    ("name", "how"),
    [("ln", BEFORE), ("ln", AFTER), ("mkdir", AFTER)],
    ids=["before it is known", "before it is there", "before it is used"],
)
def test_what_is_elsewhere_goes_with_the_next_run_whenever_the_shell_was_killed(
    with_stubs, name, how
):
    project = at_the_socket(with_stubs, name, how)
    killed = project.fab("-H", "demo", "predeploy", "--version=v1", "--proof=restored")
    assert killed.returncode == 1, killed.stderr
    socket_dir = Path((project.ssh.home / "socket_dir").read_text().strip())
    (project.ssh.home / "stubs" / name).unlink()

    done = project.fab("-H", "demo", "predeploy", "--version=v1", "--proof=restored")

    assert done.returncode == 0, done.stderr
    assert not socket_dir.exists()


@pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")
@pytest.mark.parametrize("place", ["cluster", "database"])
def test_too_little_space_is_refused_before_anything_is_written(drill_db, with_stubs, place):
    """Of a live server's disk as well, if it is to be seen."""
    free_kilobytes = {"cluster": 100000, "database": 15000}[place]
    df = f"echo '/dev/x 300000 200000 {free_kilobytes} 67% /'"
    name = drill_db.profile["BACKUP_DRILL_DB"]
    project = with_stubs({"df": df}, BACKUP_DRILL=place, BACKUP_DRILL_DB=name)

    done = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)

    assert done.returncode == 10
    assert "too little space for a test restore" in done.stderr
    assert project.predeploy().returncode == 0
    verified = project.fab("-H", "demo", "verify", "--proof=restored")
    assert verified.returncode == 10
    assert "too little space for a test restore" in verified.stderr
    assert grade(project) == "read"


@pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")
def test_a_disk_of_which_nobody_can_tell_is_taken_only_by_who_asks_for_it(drill_db, with_stubs):
    tr = r"""case "$1" in '\0') exit 1 ;; esac; exec /usr/bin/tr "$@" """
    project = with_stubs({"tr": tr}, BACKUP_DRILL_DB=drill_db.profile["BACKUP_DRILL_DB"])
    bin_dir = project.ssh.home / "clients"
    bin_dir.mkdir()
    for program in ("pg_dump", "pg_restore", "psql"):
        (bin_dir / program).symlink_to(project.pg.bin_dir / program)
    project = project.with_profile(DB_BIN_DIR=str(bin_dir))

    refused = project.fab("-H", "demo", "predeploy", "--version=v1", EQUAL)
    asked_for = project.fab(
        "-H", "demo", "predeploy", "--version=v2", EQUAL, BACKUP_DRILL="database"
    )

    assert refused.returncode == 10
    assert "BACKUP_DRILL=database restores there all the same" in refused.stderr
    assert asked_for.returncode == 0, asked_for.stderr
    assert "WARNING: the test restore will take about" in asked_for.stderr


def test_the_hashes_of_one_content_are_the_same_in_every_major_version(
    start_server, make_project, ssh
):
    """So that a server of another version, as one that was upgraded, can prove an archive."""
    told = []
    for major in (14, 18):
        pg = start_server(major)
        pg.superuser(f"CREATE DATABASE values{major} OWNER shop")
        pg.run_as("shop", VALUES, f"values{major}")
        project = make_project(pg, ssh, DB_NAME=f"values{major}", BACKUP_CONTENT="hash")
        assert project.predeploy().returncode == 0
        told.append([value for key, value in manifest(project) if key == "content"])
    assert told[0] == told[1]
    assert len(told[0]) == 4


# Each type that is hashed as it is, and some that are written out first.
VALUES = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN small AS integer;
CREATE SEQUENCE numbers;
CREATE TABLE hashed AS SELECT true AS a, 'c'::"char" AS b, 'n'::name AS c, 2::int2 AS d, 4 AS e,
    8::int8 AS f, 9::oid AS g, 1.5::float4 AS h, 'NaN'::float8 AS i, 1.50::numeric AS j,
    't'::text AS k,
    'v'::varchar AS l, 'p'::char(5) AS m, '\\x00ff'::bytea AS n, '2025-03-14'::date AS o,
    '12:00'::time AS p, '12:00+02'::timetz AS q, '2025-03-14 12:00'::timestamp AS r,
    '2025-03-14 12:00+02'::timestamptz AS s, '00000000-0000-0000-0000-000000000001'::uuid AS t,
    '{"a": [1, null]}'::jsonb AS u, '10.0.0.1'::inet AS v, '10.0.0.0/8'::cidr AS w,
    '08:00:2b:01:02:03'::macaddr AS x, '08:00:2b:01:02:03:04:05'::macaddr8 AS y, '1/2'::pg_lsn AS z;
INSERT INTO hashed (a) VALUES (NULL), (NULL);
CREATE TABLE written AS SELECT 'glad'::mood AS a, ROW(1, 'x')::pair AS b, 7::small AS c,
    '{{1,2},{3,NULL}}'::integer[] AS d, '[1,2)'::int4range AS e, '1 mon'::interval AS f,
    '{"b": 1}'::json AS g, '<a/>'::xml AS h, '(1,2)'::point AS i, B'101' AS j,
    12.5::numeric::money AS k, 'a b'::tsvector AS l, '{glad,sad}'::mood[] AS m,
    'pg_class'::regclass AS n;
"""


def test_the_script_on_the_host_makes_no_test_restore_and_says_so(project):
    done = project.fab("-H", "demo", "install", BACKUP_PROOF="equal")

    assert done.returncode == 2
    assert "makes no test restore" in done.stderr
    assert not (project.ssh.home / "remote-backup.sh").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="kills processes of the sandbox's user")
def test_a_database_whose_psql_is_killed_while_it_is_made_does_not_come_after_all(project):
    """Its session goes on to make it; and what is not there yet cannot be dropped."""
    pg = project.pg
    pg.superuser("ALTER ROLE shop CREATEDB")
    making = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE%'"
    try:
        with locked(pg, "pg_database IN EXCLUSIVE MODE"):
            there = project.with_profile(BACKUP_DRILL="database")
            run = there.start("-H", "demo", "predeploy", "--version=v1", EQUAL)
            wait_for(lambda: pg.superuser(making) == "1", 30)
            for pid in on_host(project):
                if b"/psql\0" in command_line(pid):
                    os.kill(pid, signal.SIGKILL)
            wait_for(lambda: pg.superuser(making) == "0", 30)
        _, errors = run.communicate(timeout=60)
    finally:
        pg.superuser("ALTER ROLE shop NOCREATEDB")

    assert run.returncode == 13, errors
    nothing_stays(project)
    assert not (project.backup_dir / "restore.database").exists()
