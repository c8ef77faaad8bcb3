"""Nothing that a host forges, in archive or manifest, is run by the superuser of a test server."""

import hashlib
import os
import re
from dataclasses import replace

import pytest

from sandbox.sshd import available
from tests.project import OWNER

pytestmark = pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")

# Once a role may run programs, this leaves the mark; it tries so wherever it is run.
TRAP = """
CREATE FUNCTION public.spring() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch {mark}''';
    RETURN 1;
EXCEPTION WHEN insufficient_privilege THEN RETURN 1;
END $$;
CREATE FUNCTION public.fold(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
    AS 'BEGIN RETURN public.spring(); END';
CREATE TABLE public.baited (n int CHECK (public.fold(n) > 0));
CREATE INDEX ON public.baited (public.fold(n)) WHERE n = 1;
CREATE MATERIALIZED VIEW public.bait AS SELECT public.fold(1);
INSERT INTO public.baited VALUES (1);
"""
# A name so long leaves room for a statement in the place of its own.
ROOM = "x" * 60


@pytest.fixture
def mark(ground):
    """Where whoever runs programs on this machine may write."""
    directory = ground / f"marks-{os.getpid()}"
    directory.mkdir(exist_ok=True)
    directory.chmod(0o777)
    yield directory / "sprung"
    (directory / "sprung").unlink(missing_ok=True)


@pytest.fixture
def forged(pg, make_project, ssh, ground, mark):
    """An archive with a trap in it, on a host that may change it before it is tried here."""
    pg.superuser("DROP DATABASE IF EXISTS forged WITH (FORCE)")
    pg.superuser(f"CREATE DATABASE forged OWNER {OWNER}")
    pg.run_as(OWNER, TRAP.replace("{mark}", str(mark)), "forged")
    pg.run_as(OWNER, f"CREATE SCHEMA {ROOM}; CREATE EXTENSION pg_trgm SCHEMA {ROOM}", "forged")
    cache = ground / f"cache-{os.getpid()}"
    cache.mkdir(exist_ok=True)
    project = make_project(pg, ssh, DB_NAME="forged", BACKUP_DRILL="runner")
    here = {"XDG_CACHE_HOME": str(cache), "PATH": f"{pg.bin_dir}:{os.environ['PATH']}"}
    project = replace(project, secrets={**project.secrets, **here})
    done = project.predeploy(BACKUP_CONTENT="hash")
    assert done.returncode == 0, done.stderr
    yield project
    pg.superuser("DROP DATABASE forged WITH (FORCE)")


def changed(project, pattern, instead):
    (manifest,) = project.backup_dir.glob("*.manifest")
    text, count = re.subn(pattern, lambda _: instead, manifest.read_text(), flags=re.MULTILINE)
    assert count == 1
    manifest.write_text(text)


def verify(project):
    return project.fab("-H", "demo", "verify", "--proof=equal")


def test_an_archive_with_a_trap_is_proven_and_the_trap_not_sprung(forged, mark):
    done = verify(forged)

    assert done.returncode == 0, done.stderr
    assert not mark.exists()


def test_the_trap_goes_off_where_a_superuser_steps_into_it(forged, mark):
    forged.pg.superuser("SELECT public.spring()", "forged")

    assert mark.exists()


ROLES = """as_superuser=yes
role=pg_execute_server_program
role=fabric_predeploy
role_encoded=pg_execute_server_program
role_encoded=fabric\\npredeploy
role="""


def test_what_a_manifest_says_of_roles_widens_no_rights(forged, mark):
    changed(forged, "^as_superuser=no$", ROLES)

    done = verify(forged)

    assert done.returncode == 0, done.stderr
    assert not mark.exists()


@pytest.mark.parametrize(
    "locale",
    [
        "; \\! touch {mark} #",
        " LOCALE_PROVIDER libc CONNECTION LIMIT 1",
    ],
)
def test_a_locale_that_says_more_than_a_locale_is_refused(forged, mark, locale):
    (manifest,) = forged.backup_dir.glob("*.manifest")
    line = re.search("^locale=.*$", manifest.read_text(), re.MULTILINE)[0]
    changed(forged, "^locale=.*$", line + locale.format(mark=mark))

    done = verify(forged)

    assert done.returncode == 13, done.stderr
    assert "is not tried on this machine" in done.stderr
    assert not mark.exists()


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA {ROOM};",
        "COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching"
        " based on trigrams';",
    ],
    ids=["the extension", "its comment"],
)
def test_a_forged_statement_of_an_extension_is_not_run(forged, mark, statement):
    (dump,) = forged.backup_dir.glob("*.dump")
    data, old = dump.read_bytes(), statement.encode()
    new = f"COPY (SELECT 1) TO PROGRAM 'id>{mark}';".encode()
    assert data.count(old) == 1
    assert len(new) <= len(old)
    data = data.replace(old, new.ljust(len(old)))
    dump.write_bytes(data)
    told = hashlib.sha256(data).hexdigest()
    changed(forged, "^sha256=.*$", f"sha256={told}")
    dump.with_suffix(".dump.sha256").write_text(f"{told}  {dump.name}\n")

    done = verify(forged)

    assert done.returncode == 13, done.stderr
    assert not mark.exists()
