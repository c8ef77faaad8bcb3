"""Chosen tables come back into a schema beside the live ones, which nothing touches."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fabric_predeploy.config.loading import load
from fabric_predeploy.config.settings import Settings
from fabric_predeploy.remote._door import shell
from fabric_predeploy.remote.recipes import taking
from fabric_predeploy.remote.steps import rules, step

from sandbox.postgres import Postgres, create_owner, identifier, postgres
from sandbox.wheels import downloaded
from tests.integration.everything import GROUPS, create_everything, fail_a_deploy, plain_dump
from tests.local import LocalLine

MAJORS = (14, 17, 18)
# Where what pg_dump of a version writes is read; a gate tries the rest on one version.
in_each_major = pytest.mark.parametrize("server", MAJORS, indirect=True, scope="module")
PASSWORD = "it's a pw"
SECRETS = {"DB_PASSWORD": PASSWORD}
DATABASE = OWNER = "app"
DESCRIBED = """
SELECT format('%I.%I', nspname, relname), coalesce(string_agg(concat_ws(' ', attname,
    format_type(atttypid, atttypmod), attnotnull, attgenerated), ', ' ORDER BY attnum), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
LEFT JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
WHERE relkind IN ('r', 'p') AND nspname !~ '^(pg_|information_schema)'
GROUP BY 1
"""
# Whose names need no SQL to be typed, and which the failed deploy drops, empties or alters.
KINDS = {
    "by its bare name": ("orders", "shop.orders"),
    "with its schema": ("shop.refunds", "shop.refunds"),
    "quoted": ('shop."EXTENSION - x postgres"', 'shop."EXTENSION - x postgres"'),
    "as it stands": ("EXTENSION - x postgres", 'shop."EXTENSION - x postgres"'),
    "in capitals": ("SHOP.Wishes", "shop.wishes"),
    "with everything odd in its name": (
        """"Läden & ""Co."" \\1"."Preis.Liste 'A' ""B"" \\" """,
        """"Läden & ""Co."" \\1"."Preis.Liste 'A' ""B"" \\\"""",
    ),
    "with a line break in its name": ("-- two lines", 'shop."-- two\nlines"'),
    "with an identity": ("stock.items", "stock.items"),
    "unlogged": ("cache", "shop.cache"),
    "of a composite type": ("typed", "shop.typed"),
    "an heir of an heir": ("puppy", "shop.puppy"),
    "an heir whose parent has another column since": ("dog", "shop.dog"),
    "renamed since": ("egg", "shop.egg"),
    "a partition": ("events_eu_2024", "parts.events_eu_2024"),
    "partitioned, with what it is made from": ("events", "parts.events"),
    "without columns": ("columnless", "shop.columnless"),
    "without rows": ("shop.empty", "shop.empty"),
    "changed in its type": ("plain", "public.plain"),
    "with policies": ("secrets", "shop.secrets"),
    "of a group": ("shop.shelves", "shop.shelves"),
}


@dataclass(frozen=True)
class Failed:
    """A database after a failed deploy, an archive from before, and what was in it."""

    pg: Postgres
    settings: Settings
    archive: str
    rows: dict[str, str]
    columns: dict[str, str]

    def salvage(self, *tables: str, **changes: object) -> shell.Report:
        settings = replace(self.settings, **changes)  # type: ignore[arg-type]
        several = [
            rules.lock(settings, create=False),
            step("programs", settings),
            rules.psql(settings),
            step("preflight", settings, dumps=False),
            step("archive", archive=self.archive),
            step("verify", proof="written", archive=self.archive),
            step("salvage", settings, tables=list(tables)),
        ]
        return shell.run(
            LocalLine(), several, variables=variables(settings, "restore"), secrets=SECRETS
        )

    def dump(self) -> str:
        return plain_dump(self.pg, DATABASE)

    def ask(self, sql: str) -> str:
        return self.pg.superuser(sql, DATABASE)

    def schemas(self) -> list[str]:
        return self.ask("SELECT nspname FROM pg_namespace WHERE nspname ~ '^restored_'").split()


def variables(settings: Settings, task: str) -> dict[str, str]:
    return {"task": task, "backup_dir": settings.backup_dir, "keeps_status": "yes"}


def contents(pg: Postgres, name: str) -> str:
    """Row by row, in one order, with the names and types of the columns in front of the values."""
    return pg.superuser(f"SELECT t::text FROM {name} t ORDER BY 1", DATABASE)  # noqa: S608 - our own


def described(pg: Postgres) -> dict[str, str]:
    lines = pg.superuser(f"SELECT json_object_agg(n, c) FROM ({DESCRIBED}) t (n, c)", DATABASE)  # noqa: S608 - our own
    return dict(json.loads(lines))


@pytest.fixture(
    scope="module",
    params=[17, *(pytest.param(major, marks=pytest.mark.thorough) for major in (14, 18))],
)
def server(request: pytest.FixtureRequest, ground: Path) -> Iterator[Postgres]:
    with postgres(downloaded(request.param), ground, settings={"fsync": "off"}) as pg:
        create_owner(pg, role=OWNER, password=PASSWORD, database=DATABASE)
        create_everything(pg, DATABASE, OWNER)
        yield pg


@pytest.fixture(scope="module")
def after(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Failed:
    directory = tmp_path_factory.mktemp("host")
    environ = {
        "DB_NAME": DATABASE,
        "DB_USER": OWNER,
        "DB_HOST": server.host,
        "DB_PORT": str(server.port),
        "DB_BIN_DIR": str(server.bin_dir),
        "BACKUP_VERSION": "v1",
        "BACKUP_DIR": str(directory / "backups"),
        "BACKUP_LOCK_TIMEOUT": "2",
    }
    settings = load("x", environ=environ, directory=directory)
    taken = shell.run(
        LocalLine(),
        taking(settings, "read"),
        variables=variables(settings, "predeploy"),
        secrets=SECRETS,
    )
    assert taken.code == 0
    rows = {name: contents(server, only(name)) for _, name in KINDS.values()}
    columns = described(server)
    fail_a_deploy(server, DATABASE, OWNER)
    archive = taken.of("publish")["archive"]
    return Failed(server, settings, archive, rows, columns)


def only(name: str) -> str:
    """An heir's rows are not its parent's; a partition's are."""
    return name if name == "parts.events" else f"ONLY {name}"


@pytest.fixture
def failed(after: Failed) -> Iterator[Failed]:
    """Whatever a test does, all but the schemas of salvages is as it was afterwards."""
    before = after.dump()
    yield after
    for schema in after.schemas():
        after.ask(f"SET client_min_messages = error; DROP SCHEMA {schema} CASCADE")
    assert after.dump() == before


def assert_nothing_left(failed: Failed) -> None:
    assert failed.schemas() == []
    own = "application_name = 'fabric-predeploy'"
    wait_for(lambda: failed.ask(f"SELECT count(*) FROM pg_stat_activity WHERE {own}") == "0")  # noqa: S608 - our own


def wait_for(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def reason(report: shell.Report) -> str:
    return report.of("result")["reason"]


@in_each_major
def test_tables_of_every_kind_come_back_as_they_were(failed):
    # The names of tables that share a schema cannot clash, so all of them go at once.
    report = failed.salvage(*dict.fromkeys(typed for typed, _ in KINDS.values()))

    assert report.code == 0, report.of("result")
    (schema,) = failed.schemas()
    assert re.fullmatch(r"restored_\d{8}_\d{6}", schema)
    assert report.of("salvage")["schema"] == schema
    columns = described(failed.pg)
    for name in failed.rows:
        new = schema + name[re.match(r'("([^"]|"")+"|[^.]+)', name).end() :]
        assert (
            contents(failed.pg, only(new) if name != "parts.events" else new) == failed.rows[name]
        ), name
        if name != "shop.typed":
            assert columns[new] == failed.columns[name], name


@in_each_major
@pytest.mark.parametrize("kind", ["an heir of an heir", "a partition", "quoted"])
def test_a_table_is_told_with_its_rows_and_stands_by_itself(failed, kind):
    typed, name = KINDS[kind]
    report = failed.salvage(typed)

    assert report.code == 0, report.of("result")
    (schema,) = failed.schemas()
    told = [value for key, value in report.facts["salvage"] if key == "salvaged"]
    table = name.split(".", 1)[1]
    assert told == [f"{len(failed.rows[name].splitlines())} {table}"]
    tables = f"SELECT count(*) FROM pg_class WHERE relnamespace = '{schema}'::regnamespace"  # noqa: S608 - our own
    assert failed.ask(f"{tables} AND relkind IN ('r', 'p')") == "1"
    assert (
        failed.ask(
            "SELECT count(*) FROM pg_inherits WHERE inhrelid = "  # noqa: S608 - our own
            f"'{schema}.{table}'::regclass".replace("'", "$$")
        )
        == "0"
    )


def test_an_archive_in_another_encoding_and_partitions_filled_through_their_root(server, tmp_path):
    server.superuser(
        f"CREATE DATABASE latin OWNER {OWNER} ENCODING LATIN1 TEMPLATE template0 LOCALE 'C'"
    )
    server.run_as(OWNER, LATIN, "latin")
    dumped = from_elsewhere(server, tmp_path, "--load-via-partition-root")

    report = dumped.salvage("Größe", "hashed")
    again = from_elsewhere(server, tmp_path).salvage("Größe")
    inserts = from_elsewhere(server, tmp_path, "--inserts").salvage("Größe")
    typo = dumped.salvage("größe")

    told = [value for key, value in report.facts["salvage"] if key == "salvaged"]
    assert told == ['2 "Größe"', "4 hashed"]
    schema = report.of("salvage")["schema"]
    rows = server.superuser(f'SELECT t FROM {schema}."Größe" t ORDER BY 1', "latin")  # noqa: S608
    assert sorted(rows.splitlines()) == ["(ß,2)", "(ä,1)"]
    assert again.code == 0, again.problems  # though there are two of them by now
    assert inserts.code == 15
    assert "INSERT" in reason(inserts)
    assert typo.code == 14
    assert typo.problems[0].what.startswith("größe is no table of the archive")


LATIN = """
CREATE TABLE "Größe" ("Schlüssel" text, "line
break" integer);
INSERT INTO "Größe" VALUES ('ä', 1), ('ß', 2);
CREATE TYPE letter AS ENUM ('a', 'b', 'c', 'd');
CREATE TABLE hashed (l letter) PARTITION BY HASH (l);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed VALUES ('a'), ('b'), ('c'), ('d');
"""


def from_elsewhere(pg: Postgres, directory: Path, *options: str) -> Failed:
    """An archive without sidecars, of the database `latin`."""
    file = directory / f"x{len(list(directory.iterdir()))}.dump"
    where = ["-h", pg.data_dir.parent, "-p", str(pg.port), "-U", "postgres", "-f", file]
    subprocess.run([pg.bin_dir / "pg_dump", "-Fc", *where, *options, "latin"], check=True)
    environ = {"DB_NAME": "latin", "DB_USER": OWNER, "DB_HOST": pg.host, "DB_PORT": str(pg.port)}
    environ |= {"DB_BIN_DIR": str(pg.bin_dir), "BACKUP_DIR": str(directory / "backups")}
    (directory / "backups").mkdir(exist_ok=True, mode=0o700)
    settings = load("x", environ=environ, directory=directory)
    return Failed(pg, settings, str(file), {}, {})


@in_each_major
def test_two_tables_of_one_name_are_told_apart(failed):
    failed.pg.run_as(
        OWNER,
        "SET client_min_messages = error; CREATE SCHEMA twin; CREATE TABLE twin.plain (n integer);"
        "INSERT INTO twin.plain VALUES (1), (2), (3)",
        DATABASE,
    )
    try:
        taken = shell.run(
            LocalLine(),
            taking(failed.settings, "read"),
            variables=variables(failed.settings, "predeploy"),
            secrets=SECRETS,
        )
        newer = replace(failed, archive=taken.of("publish")["archive"])
        report = newer.salvage("twin.plain", "public.plain")
        ambiguous = newer.salvage("plain")
    finally:
        failed.pg.run_as(OWNER, "DROP SCHEMA twin CASCADE", DATABASE)

    told = [value for key, value in report.facts["salvage"] if key == "salvaged"]
    assert told == ["3 twin_plain", "0 public_plain"]
    assert ambiguous.code == 14
    assert "public.plain, twin.plain" in str(ambiguous.problems[0])


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("nothing_like_it", "is no table of the archive"),
        ("order", "similar are: shop.orders"),
        ("shop.good", "is a view"),
        ("shop.sums", "is a materialized view"),
        ("shop.huge", "is a sequence"),
        ("shop.orders_id_seq", "is a sequence"),
        ("likeness.far", "is a foreign table"),
        ("a.b.c", "is no table of the archive"),
        ("'; DROP TABLE shop.orders; --", "is no table of the archive"),
        ("pg_class", "is no table of the archive"),
    ],
)
def test_what_has_no_rows_in_the_archive_is_refused_by_name(failed, typed, told):
    report = failed.salvage("orders", typed)

    assert report.code == 14
    assert [problem for problem in report.problems if told in str(problem)] == report.problems
    assert_nothing_left(failed)


@in_each_major
def test_a_type_that_has_gone_is_15_and_named(failed):
    report = failed.salvage("orders", "customers")

    assert report.code == 15
    assert 'shop.customers: type "shop.span" does not exist' in reason(report)
    assert "create it again" in report.of("result")["remedy"]
    assert_nothing_left(failed)


def test_a_role_that_may_not_create_schemas_is_refused_with_the_remedy(failed):
    groups = ", ".join(map(identifier, GROUPS))
    failed.pg.superuser(
        f"ALTER DATABASE {DATABASE} OWNER TO postgres;"
        f"REVOKE CREATE ON DATABASE {DATABASE} FROM {groups}"
    )
    try:
        report = failed.salvage("orders")
    finally:
        failed.pg.superuser(
            f"ALTER DATABASE {DATABASE} OWNER TO {OWNER};"
            f"GRANT CREATE ON DATABASE {DATABASE} TO {groups}"
        )

    assert report.code == 14
    assert f"GRANT CREATE ON DATABASE {DATABASE} TO {OWNER}" in str(report.problems[0])
    assert_nothing_left(failed)


def test_a_lock_that_does_not_come_is_15_in_bounded_time(failed):
    with holding(failed, "LOCK TABLE pg_namespace IN SHARE MODE"):
        begun = time.monotonic()
        report = failed.salvage("orders")

    assert report.code == 15
    assert "lock timeout" in reason(report)
    assert time.monotonic() - begun < 10
    assert_nothing_left(failed)


@contextmanager
def holding(failed: Failed, sql: str) -> Iterator[None]:
    options = ["-h", failed.pg.data_dir.parent, "-p", str(failed.pg.port), "-U", "postgres"]
    psql = subprocess.Popen(
        [failed.pg.bin_dir / "psql", "-Xq", *options, DATABASE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert psql.stdin
    assert psql.stdout
    psql.stdin.write(f"BEGIN; {sql};\n\\echo held\n")
    psql.stdin.flush()
    assert psql.stdout.readline() == "held\n"
    try:
        yield
    finally:
        psql.communicate("ROLLBACK;\n", timeout=10)


def test_what_takes_a_hold_on_a_live_table_is_15_and_undone(failed):
    """Whoever does it: here an event trigger, at the CREATE TABLE."""
    failed.ask(
        "CREATE FUNCTION public.meddle() RETURNS event_trigger LANGUAGE plpgsql AS"
        " $$BEGIN DELETE FROM shop.orders; END$$;"
        "CREATE EVENT TRIGGER meddle ON ddl_command_end WHEN tag IN ('CREATE TABLE')"
        " EXECUTE FUNCTION public.meddle()"
    )
    try:
        failed.ask("GRANT DELETE ON shop.orders TO PUBLIC")
        report = failed.salvage("refunds")
    finally:
        failed.ask("DROP EVENT TRIGGER meddle; DROP FUNCTION public.meddle()")

    assert report.code == 15
    assert "RowExclusiveLock on table shop.orders" in reason(report)
    assert_nothing_left(failed)


def with_program(failed: Failed, tmp_path: Path, name: str, body: str) -> dict[str, str]:
    """PostgreSQL's programs, one of them replaced by a script in which "$real" is the true one."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for program in ("pg_dump", "pg_restore", "psql"):
        (programs / program).symlink_to(failed.pg.bin_dir / program)
    (programs / name).unlink()
    (programs / name).write_text(f"#!/bin/sh\nreal={failed.pg.bin_dir / name}\n{body}\n")
    (programs / name).chmod(0o755)
    return {"db_bin_dir": str(programs)}


ROWS_ALONE = 'case " $* " in *" --data-only "*) ;; *) exec "$real" "$@" ;; esac\n'


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('"$real" "$@" | head -c 2000; echo cut >&2; exit 1', "cut"),
        ("echo broken >&2; exit 1", "broken"),
        ("kill -KILL $$", ""),
        ('"$real" "$@" | sed "s/^[0-9]/x&/"', "invalid input syntax"),
        ('"$real" "$@" | sed "/^150\t/d"', "171 rows instead of 172"),
        ('"$real" "$@" | sed "s/^COPY shop.orders (id/COPY shop.orders (idd/"', "idd"),
        (
            '"$real" "$@" | sed "s/^COPY .*/COPY shop.orders FROM PROGRAM \'x\' FROM stdin;/"',
            "not understood",
        ),
    ],
)
def test_rows_that_do_not_come_as_they_were_are_15_and_undone(failed, tmp_path, body, told):
    report = failed.salvage(
        "refunds", "orders", **with_program(failed, tmp_path, "pg_restore", ROWS_ALONE + body)
    )

    assert report.code == 15
    assert told in reason(report)
    assert_nothing_left(failed)


def test_statements_behind_the_rows_are_not_executed(failed, tmp_path):
    body = f'{ROWS_ALONE}"$real" "$@"; echo "COMMIT; DROP TABLE shop.orders;"'
    report = failed.salvage("orders", **with_program(failed, tmp_path, "pg_restore", body))

    assert report.code == 0


def test_a_definition_cannot_end_the_transaction(failed, tmp_path):
    body = """case " $* " in *" --verbose "*) ;; *) exec "$real" "$@" ;; esac
"$real" "$@" || exit
for argument; do case $argument in --file=*) file=${argument#--file=} ;; esac; done
sed -i 's/^);$/); COMMIT; DROP TABLE shop.orders;/' "$file\""""
    report = failed.salvage("refunds", **with_program(failed, tmp_path, "pg_restore", body))

    assert report.code == 15
    assert_nothing_left(failed)


@pytest.mark.parametrize("victim", ["backend", "psql", "pg_restore", "client"])
def test_a_kill_in_the_middle_leaves_nothing(failed, tmp_path, victim):
    body = f'{ROWS_ALONE}echo $$ >{tmp_path}/pid\n"$real" "$@" | {{ head -c 2000; sleep 3; cat; }}'
    programs = with_program(failed, tmp_path, "pg_restore", body)

    def kill() -> None:
        wait_for((tmp_path / "pid").exists)
        time.sleep(0.3)
        backend = "FROM pg_stat_activity WHERE application_name = 'fabric-predeploy'"
        if victim == "backend":
            failed.ask(f"SELECT pg_terminate_backend(pid) {backend}")
        elif victim == "client":
            os.kill(os.getpid(), signal.SIGTERM)
        elif victim == "pg_restore":
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        else:
            port = failed.ask(f"SELECT client_port {backend}")
            os.kill(owner_of(int(port), failed.pg.port), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    if victim == "client":
        report = failed.salvage("orders", **programs)
        assert report.code == 130
    else:
        report = failed.salvage("orders", **programs)
        assert report.code == 15, report.of("result")
    killer.join()
    assert_nothing_left(failed)


def owner_of(port: int, server: int) -> int:
    """The process that has this port in a connection to that one: others may have it elsewhere."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = f":{port:04X}", f":{server:04X}"
    (inode,) = [line[9] for line in lines if (line[1][-5:], line[2][-5:]) == ends]
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) == f"socket:[{inode}]":
                return int(link.parts[2])
        except OSError:
            continue
    raise AssertionError(port)
