"""Whatever names and texts a database holds: nothing runs, nothing hangs, all of it comes back."""

import pytest

from sandbox.postgres import identifier, literal
from sandbox.sshd import available
from tests.integration import hostile
from tests.integration.everything import plain_dump
from tests.project import OWNER

pytestmark = pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")

MAJORS = (14, 15, 16, 17, 18)
DATABASE = "hostile"
RUIN = """
SET client_min_messages = warning;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT nspname FROM pg_namespace WHERE pg_has_role(nspowner, 'USAGE')
            AND nspname <> 'public' AND nspname !~ '^pg_'
        LOOP EXECUTE format('DROP SCHEMA %I CASCADE', name); END LOOP;
    FOR name IN SELECT matviewname FROM pg_matviews LOOP
        EXECUTE format('DROP MATERIALIZED VIEW IF EXISTS public.%I CASCADE', name); END LOOP;
END $$;
DROP TABLE parts CASCADE;
CREATE TABLE public.since (n int);
SELECT lo_unlink(4711);
"""


class Scene:
    """A database with that sample in it, and its way through everything that reads an archive."""

    def __init__(self, start_server, make_project, ssh, sample: int) -> None:
        self.pg = start_server(MAJORS[sample % len(MAJORS)])
        self.sample, self.mark = sample, ssh.home / hostile.MARK
        self.mark.unlink(missing_ok=True)
        self.drop()
        role = identifier(hostile.role(sample))
        for each in (role, "guest"):
            self.pg.superuser(
                f"DO $do$ BEGIN CREATE ROLE {each}; EXCEPTION WHEN duplicate_object THEN END $do$"
            )
        self.pg.superuser(
            f"CREATE DATABASE {DATABASE} OWNER {OWNER}; GRANT {role} TO {OWNER};"
            f"ALTER ROLE {OWNER} CREATEDB; GRANT CREATE ON DATABASE {DATABASE} TO {role}"
        )
        self.pg.superuser(f"GRANT CREATE ON SCHEMA public TO {role}", DATABASE)
        self.pg.run_as(OWNER, hostile.owners(sample), DATABASE)
        self.pg.run_as(OWNER, hostile.settings(sample, DATABASE), DATABASE)
        settings = {"DB_NAME": DATABASE, "BACKUP_CONTENT": "hash"}
        self.project = make_project(self.pg, ssh, **settings)

    def drop(self) -> None:
        for name in self.pg.superuser("SELECT datname FROM pg_database").splitlines():
            if name.startswith(DATABASE):
                self.pg.superuser(f"DROP DATABASE {identifier(name)} WITH (FORCE)")
        self.pg.superuser(f"ALTER ROLE {OWNER} NOCREATEDB")

    def dumped(self) -> str:
        settings = self.pg.superuser(
            "SELECT datacl, shobj_description(d.oid, 'pg_database'), setconfig FROM pg_database d"
            " JOIN pg_db_role_setting ON setdatabase = d.oid WHERE d.oid ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())",
            DATABASE,
        )
        return settings + plain_dump(self.pg, DATABASE)

    def fab(self, *arguments: str, **changes: str) -> None:
        done = self.project.fab("-H", "demo", *arguments, **changes)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not self.mark.exists()

    def proves(self, place: str = "cluster") -> None:
        self.fab("predeploy", "--version=v1", "--proof=equal", BACKUP_DRILL=place)

    def comes_back(self, mode: str) -> None:
        before = self.dumped()
        self.pg.run_as(OWNER, RUIN, DATABASE)
        archive = self.project.archives()[-1].name
        flags = (f"--file={archive}", "--yes", "--no-safety", f"--mode={mode}")
        self.fab("restore", *flags)
        assert self.dumped() == before

    def is_salvaged(self) -> None:
        """Each table with its rows, and its columns with their defaults."""
        names, contents = [], []
        for table in self.tables("relnamespace::regnamespace::text !~ '^restored_'"):
            names.append(f"--table={table.translate({10: ' ', 13: ' '})}")
            contents.append(self.contents(table))
        self.fab("restore", "--file=latest", "--yes", *names)
        salvaged = self.tables("relnamespace::regnamespace::text ~ '^restored_'")
        assert sorted(map(self.contents, salvaged)) == sorted(contents)
        self.pg.superuser(f"DROP SCHEMA {salvaged[0].split('.')[0]} CASCADE", DATABASE)

    def tables(self, which: str) -> list[str]:
        """Their names, quoted; a name may hold whatever else could stand between two."""
        name = "convert_to(format('%s.%I', relnamespace::regnamespace, relname), 'UTF8')"
        told = self.pg.superuser(
            f"SELECT encode({name}, 'hex') FROM pg_class"  # noqa: S608 - our own
            " WHERE relkind = 'r' AND NOT relispartition AND relnamespace >= 2200"
            f" AND relnamespace <> 'information_schema'::regnamespace AND {which} ORDER BY 1",
            DATABASE,
        )
        return [bytes.fromhex(each).decode() for each in told.split()]

    def contents(self, table: str) -> str:
        rows = f"SELECT t::text FROM ONLY {table} t ORDER BY 1;"  # noqa: S608 - our own
        columns = (
            "SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef"
        )
        columns += (
            " ON attrelid = adrelid AND attnum = adnum AND attgenerated = '' WHERE attnum > 0"
        )
        columns += (
            f" AND NOT attisdropped AND attrelid = {literal(table)}::regclass ORDER BY attname"
        )
        return self.pg.superuser(rows + columns, DATABASE)


@pytest.fixture
def scene(start_server, make_project, ssh):
    made = []

    def make(sample: int) -> Scene:
        made.append(Scene(start_server, make_project, ssh, sample))
        return made[-1]

    yield make
    for each in made:
        each.drop()


def goes_all_the_way(scene) -> None:
    scene.proves()
    scene.comes_back("transaction")
    if scene.pg.major > 14:  # a new database's schema public is a superuser's there
        scene.proves("database")
        scene.comes_back("swap")
    scene.is_salvaged()
    scene.pg.superuser(hostile.superusers(scene.sample, OWNER), DATABASE)
    scene.proves()


@pytest.mark.parametrize("sample", [9])
def test_a_database_of_hostile_names_and_texts_comes_back_exactly_and_runs_nothing(scene, sample):
    goes_all_the_way(scene(sample))


@pytest.mark.thorough
@pytest.mark.parametrize("sample", range(len(hostile.TEXTS)))
def test_each_hostile_text_in_each_kind_of_object_comes_back_and_runs_nothing(scene, sample):
    goes_all_the_way(scene(sample))
