"""A host for the fuzz: a small database, archives from before, and a way that can be cut."""

import shutil
import subprocess
import time
from dataclasses import dataclass, replace
from itertools import count

from sandbox.postgres import SandboxError
from tests.integration.cutting import by
from tests.integration.everything import plain_dump

from .fight import Fight
from .participants import Host

OWNER = DATABASE = "shop"
CONTENTS = """
CREATE TABLE customers (id int PRIMARY KEY);
INSERT INTO customers VALUES (1);
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, what text);
INSERT INTO orders SELECT n, 1, repeat(md5(n::text), 10) FROM generate_series(1, 5000) n;
CREATE SEQUENCE numbers;
CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM orders;
SELECT lo_from_bytea(4711, 'a picture');
CREATE SCHEMA extra;
GRANT SELECT ON orders TO PUBLIC;
"""
RUIN = """
DROP TABLE customers CASCADE;
INSERT INTO orders VALUES (5001, 1, 'since');
ALTER TABLE orders ADD COLUMN half_done int;
CREATE TABLE added AS SELECT 1 AS n;
SELECT lo_put(4711, 0, 'overwritten');
"""
LATEST = ("--file=latest", "--yes")
THERE = """
SELECT 'database ' || datname FROM pg_database
UNION ALL SELECT 'role ' || rolname FROM pg_roles
UNION ALL SELECT 'prepared ' || gid FROM pg_prepared_xacts
UNION ALL SELECT 'session ' || pid || ' ' || left(query, 60)
    FROM pg_stat_activity WHERE usename = 'shop'
"""
_numbers = count()


@dataclass(frozen=True)
class Task:
    """A command as it is typed, with its settings; and what it leaves that others do not."""

    words: tuple[str, ...]
    settings: dict[str, str]
    proof: str = ""  # of the archive that it makes, or demands
    rotates: bool = False
    restores: bool = False


PREDEPLOY = Task(("predeploy", "--version=fuzz"), {}, "read", rotates=True)
TASKS = {
    "predeploy": PREDEPLOY,
    "predeploy, restored in a cluster": Task(
        ("predeploy", "--version=fuzz", "--proof=restored"),
        {"BACKUP_DRILL": "cluster"},
        "restored",
        rotates=True,
    ),
    "predeploy, equal in a database": Task(
        ("predeploy", "--version=fuzz", "--proof=equal"),
        {"BACKUP_DRILL": "database"},
        "equal",
        rotates=True,
    ),
    "backup": Task(("backup", "--version=fuzz"), {}, "written"),
    "verify": Task(("verify", "--all"), {}),
    "verify, equal in a cluster": Task(
        ("verify", "--file=latest", "--proof=equal"), {"BACKUP_DRILL": "cluster"}
    ),
    "rotate": Task(("rotate",), {"MAX_BACKUPS": "1"}, rotates=True),
    "restore by transaction": Task(
        ("restore", *LATEST, "--mode=transaction"), {}, "read", restores=True
    ),
    "restore by swap": Task(("restore", *LATEST, "--mode=swap"), {}, "read", restores=True),
}


class Arena:
    """`before` is a backup directory with four archives: each round begins with a copy of it."""

    def __init__(self, project, way):
        self.way, self.ssh, self.pg = way, project.ssh, project.pg
        self.host = Host(self.ssh, self.pg)
        self.pg.superuser(f"ALTER ROLE {OWNER} CREATEDB")
        self.pg.run_as(OWNER, CONTENTS, DATABASE)
        self.archived = plain_dump(self.pg, DATABASE)
        settings = {"MAX_BACKUPS": "2", "BACKUP_RECONNECT": "2", "BACKUP_CONTENT": "hash"}
        self.project = by(project, way, **settings)
        self.before = self.project.backup_dir
        self._fill()
        for name in ("archived", "ruined"):
            self.pg.superuser(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {DATABASE}")
            if name == "ruined":
                self.pg.run_as(OWNER, RUIN, name)
        self.ruined = plain_dump(self.pg, "ruined")
        self.there = self.look()
        self.holds = "archived"
        self.usual = {}

    def _fill(self):
        """The oldest has the best proof, the next is pinned: rotation is to leave both."""
        for version, *flags in (("v1", "--proof=equal"), ("v2",), ("v3",), ("v4",)):
            settings = {"MAX_BACKUPS": "9", "BACKUP_DRILL": "cluster"}
            done = self.project.fab(
                "-H", "demo", "predeploy", f"--version={version}", *flags, **settings
            )
            assert done.returncode == 0, done.stderr
        assert self.project.fab("-H", "demo", "pin", "--file=v2").returncode == 0
        for name in ("status", "run.report", "run.report.before"):
            (self.before / name).unlink(missing_ok=True)

    def ask(self, sql):
        """Also of a server that is about to be there again."""
        deadline = time.monotonic() + 20
        while True:
            try:
                return self.pg.superuser(sql).splitlines()
            except SandboxError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def look(self):
        """What there is in the server, and who is at work there."""
        return set(self.ask(THERE))

    def renew(self, task):
        """Back to what each round begins with."""
        self.way.open()
        wanted = "ruined" if task.restores else "archived"
        if self.holds != wanted:
            self._fill_database(wanted)
        self.holds = None if task.restores else wanted
        number = next(_numbers)  # a long path has the socket of a test restore go elsewhere
        backup_dir = self.ssh.home / ("backups-of-the-fuzz-" * (number % 2) + str(number))
        subprocess.run(["cp", "-a", self.before, backup_dir], check=True)
        project = replace(self.project, backup_dir=backup_dir)
        return project.with_profile(BACKUP_DIR=str(backup_dir))

    def _fill_database(self, template):
        ours = f"FROM pg_database WHERE datname ~ '^{DATABASE}'"
        self.ask(
            f"SELECT format('DROP DATABASE %I WITH (FORCE)', datname) {ours} \\gexec\n"
            f"CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE {template};"
        )

    def start(self, project, task):
        output = project.directory / "github-output"
        output.write_text("")
        return project.start("-H", "demo", *task.words, **task.settings, GITHUB_OUTPUT=str(output))

    def learn(self, name):
        """How long a run takes that nobody disturbs, before the host is at work, and there."""
        if name not in self.usual:
            task = TASKS[name]
            project = self.renew(task)
            run = self.start(project, task)
            watched = Fight(self.host, self.way, run, [], {}, project.backup_dir / "run.report")
            assert watched.go_on(None, 60)
            _, errors = run.communicate()
            assert run.returncode == 0, errors
            seen = dict(watched.first_seen)
            at_work = seen.pop("lock")
            during = watched.ended - at_work
            self.usual[name] = {
                "before": at_work - watched.began,
                "during": during,
                "stages": sorted([*seen, "lock"]),
            }
            shutil.rmtree(project.backup_dir)
        return self.usual[name]
