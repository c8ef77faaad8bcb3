"""What a session that the shell opens is like, asked of a real server."""

import shutil
import subprocess

import pytest
from fabric_predeploy.remote._door import contract

from tests.project import DATABASE, OWNER, PASSWORD

SHELLS = {name: shutil.which(name) for name in ("dash", "bash", "busybox")}
PSQL = contract.files()["psql.sh"]
# The library is not needed to open one.
OPENING = """
set -eu
newline='
'
run_dir=$1 bin_dir=$2 tables_sql=none configured_sql=none blockers_sql=none exclude_tables=
client_encoding=UTF8 db_host=$3 db_port=$4 db_user=$5 db_name=$6
. "$7"
db_password=$8
shift 8
( "$@" )
printf '%s\\n' "${PGPASSWORD-not exported}"
"""


@pytest.fixture(params=SHELLS)
def opened(request, pg, tmp_path):
    program = SHELLS[request.param]
    if program is None:
        pytest.skip(f"{request.param} is not installed here")
    sh = [program, *(["sh"] if request.param == "busybox" else [])]

    def run(*call):
        given = [tmp_path, pg.bin_dir, pg.host, str(pg.port), OWNER, DATABASE, PSQL, PASSWORD]
        done = subprocess.run(
            [*sh, "-c", OPENING, "sh", *given, *call],
            capture_output=True,
            encoding="utf-8",
            check=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C"},
        )
        return done.stdout.splitlines()

    return run


def psql(pg, *commands):
    return ["session", pg.bin_dir / "psql", *(f"--command={each}" for each in commands)]


def test_the_password_is_psqls_alone(pg, opened):
    seen = "\\! printf '%s\\n' \"${PGPASSWORD-not seen}\""
    assert opened(*psql(pg, "SELECT current_user", seen)) == [OWNER, "not seen", "not exported"]


def test_names_are_looked_up_in_pg_catalog_first_and_in_the_temporary_schema_last(pg, opened):
    hidden = "CREATE TEMP VIEW pg_class AS SELECT 'hidden' AS relname"
    answers = opened(
        *psql(
            pg,
            "SHOW search_path",
            hidden,
            "SELECT count(*) > 100 FROM pg_class",
        )
    )
    assert answers == ["pg_catalog, pg_temp", "t", "not exported"]


def test_a_policy_is_an_error_not_a_filter(pg, opened):
    assert opened(*psql(pg, "SHOW row_security"))[0] == "off"


def test_a_statement_that_fails_ends_the_session(pg, opened):
    with pytest.raises(subprocess.CalledProcessError):
        opened(*psql(pg, "SELECT 1/0", "SELECT 1"))


def test_one_question_is_asked_in_a_session_of_its_own(opened):
    assert opened("ask", "SHOW search_path")[0] == "pg_catalog, pg_temp"


def test_settings_of_the_role_do_not_reach_a_session(pg, opened):
    pg.superuser(f"ALTER ROLE {OWNER} SET array_nulls = off")
    pg.superuser(f"ALTER DATABASE {DATABASE} SET jit = on")
    try:
        answers = opened("ask", "SELECT current_setting('array_nulls'), current_setting('jit')")
    finally:
        pg.superuser(f"ALTER ROLE {OWNER} RESET array_nulls")
        pg.superuser(f"ALTER DATABASE {DATABASE} RESET jit")
    assert answers[0] == "on|off"


def test_a_session_that_our_settings_do_not_reach_ends_before_it_has_changed_anything(pg, opened):
    """As behind a pooler: nothing comes after the first statement."""
    with pytest.raises(subprocess.CalledProcessError) as failed:
        opened("eval", "token=; ask 'SELECT 1'")
    assert failed.value.stdout == ""
    assert "fabric_predeploy.session" in failed.value.stderr


def test_behind_a_pooler_a_session_is_told_the_same_settings_and_left_without_them(pg, opened):
    pg.superuser(f"ALTER ROLE {OWNER} SET array_nulls = off")
    behind = """
        pooled_at="$db_host $db_port" opening="$pin $restate $more" parting='{}'
        ask "SELECT current_setting('array_nulls'), current_setting('search_path'),
            current_setting('default_transaction_isolation')"
    """
    ours = "on|pg_catalog, pg_temp|read committed"
    try:
        answers = opened("eval", behind.format("SELECT $$left$$"))
        again = opened("eval", behind.format("DISCARD ALL"))
    finally:
        pg.superuser(f"ALTER ROLE {OWNER} RESET array_nulls")
    assert answers == [ours, "left", "not exported"]
    assert again == [ours, "not exported"]
