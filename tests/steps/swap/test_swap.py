"""A swap makes nothing that is not on record before, and leaves nothing that it has made."""

import pytest
from fabric_predeploy.remote.steps import step

NEW = "shop_restore_20250314123456"
# It notes what it is told, with the database that it is in, and fails where it is told `FAILING`.
TALKING = """while IFS= read -r line; do
    printf '%s: %s\\n' "$PGDATABASE" "$line" >>"$HOME/told"
    case $line in
        FAILING) echo "ERROR:  broken" >&2; exit 3 ;;
        '\\echo :others') echo 0 ;;
        '\\echo '*) printf '%s\\n' "${line#?echo }" ;;
        *"SELECT 'new='"*) printf '%s\\n' new=NEW old=shop_before_20250314123456 creator=4711 ;;
        *:\\'create_database\\'*) cp "$HOME/backups/restore.database" "$HOME/record" ;;
        *pg_database_size*)
            printf '%s\\n' server_major=SERVER server_version=SERVER.4
            printf '%s\\n' database_bytes=8000 relations=3 ;;
        *pg_current_xact_id*) echo 700 ;;
        'SELECT count(*) FROM pg_database'*) echo 0 ;;
        '\\o :run_dir/rows'*) : >"$RUN_DIR/rows" ;;
    esac
done"""


def talking(server="15", failing="never"):
    return TALKING.replace("NEW", NEW).replace("SERVER", server).replace("FAILING", failing)


@pytest.fixture
def restore(host):
    """The whole run, into a server of that version, with a statement at which psql ends."""
    for tool in ("cp", "getconf"):
        (host.tools / tool).symlink_to(f"/usr/bin/{tool}")
    name = host.archive()

    def run(server="15", failing="never", version="15.18", killing=False):
        psql = talking(server, failing)
        if killing:
            psql = psql.replace("*pg_current_xact_id*)", KILLING)
        host.stub("psql", psql, version)
        return host.run(
            *host.until_preflight()[:3],
            step("preflight", host.settings, dumps=False),
            step("archive", archive=name),
            step("rehearse"),
            step("swap", host.settings, terminate=False),
            task="restore",
        )

    return run


def told(host):
    return (host.home / "told").read_text()


def test_the_new_database_is_on_record_before_it_is_made_and_no_more_once_it_is_live(host, restore):
    report = restore()
    assert report.code == 0
    assert report.of("swap")["old_database"] == "shop_before_20250314123456"
    assert (host.home / "record").read_text() == f"localhost 5432 {NEW}\n"
    assert not (host.backup_dir / "restore.database").exists()
    assert "DROP DATABASE" not in told(host).partition("create_database")[2]


def test_the_renames_are_one_transaction_asked_for_from_another_database(host, restore):
    restore()
    lines = [line for line in told(host).splitlines() if line.startswith("postgres: ")]
    text = "\n".join(lines).partition("BEGIN;")[2]
    assert text.index('RENAME TO :"old"') < text.index('RENAME TO :"live"') < text.index("COMMIT;")
    assert "shop: ALTER DATABASE" not in told(host)


FAULTS = {
    "the new database is refused": "*:\\'create_database\\'*",
    "its rows cannot be counted": "*ROLLBACK\\ TO*",
    "the renames are refused": "*'RENAME TO :'*",
    "its end is refused": "*pg_current_xact_id*",
}


@pytest.mark.parametrize("failing", FAULTS.values(), ids=FAULTS)
def test_whatever_fails_before_the_switch_is_15_and_the_new_database_is_dropped(
    host, restore, failing
):
    report = restore(failing=failing)
    assert report.code == 15
    assert "the database is as it was" in report.of("result")["reason"]
    assert "postgres: SET statement_timeout = '5s'; DROP DATABASE IF EXISTS :\"new\"" in told(host)
    assert not (host.backup_dir / "restore.database").exists()
    assert host.unfinished() == []
    assert host.processes() == []


def test_a_pg_restore_that_fails_is_15_and_what_it_said_first_is_told(host, restore):
    host.stub(
        "pg_restore",
        """case $1 in
        --list)
            printf '%s\\n' '; Archive' '215; 1259 5 TABLE public t owner' \\
                '3; 0 5 TABLE DATA public t owner' ;;
        *)
            echo 'pg_restore: error: COPY failed' >&2
            echo 'pg_restore: error: a worker died' >&2
            exit 1 ;;
        esac""",
    )
    report = restore()
    assert report.code == 15
    assert "exit code 1: pg_restore: error: COPY failed" in report.of("result")["reason"]
    assert "DROP DATABASE IF EXISTS" in told(host)


# When it is to read the script of the archive, it kills the other children of the run, also those
# that write it.
KILLING = """'\\i :run_dir/filtered')
            for stat in /proc/[0-9]*/stat; do
                read -r pid _ _ parent _ <"$stat" || continue
                [ "$parent" != "$PPID" ] || [ "$pid" = $$ ] || kill -KILL "$pid"
            done
            while IFS= read -r line; do
                case $line in '\\echo '*) printf '%s\\n' "${line#?echo }" ;; esac
            done <"$RUN_DIR/filtered" ;;
        *pg_current_xact_id*)"""


def test_whoever_writes_the_script_may_be_killed_and_nobody_waits_for_it(host, restore):
    """In each shell: none may keep an end of a pipe for itself."""
    host.stub(
        "pg_restore",
        """case $1 in
        --list) printf '%s\\n' '; Archive' '3; 2615 2200 SCHEMA - shop owner' ;;
        *) sleep 3; echo 'SELECT 1;' ;;
        esac""",
    )
    report = restore(killing=True)
    assert report.code == 15
    assert "pg_restore ended with exit code 137" in report.of("result")["reason"]
    assert "DROP DATABASE IF EXISTS" in told(host)
    assert host.unfinished() == []


def test_a_new_database_that_cannot_be_dropped_stays_on_record_and_goes_with_the_next_run(
    host, restore
):
    assert restore(failing="*'DROP DATABASE IF EXISTS'*|*'RENAME TO :'*").code == 15
    assert (host.backup_dir / "restore.database").read_text() == f"localhost 5432 {NEW}\n"
    host.stub("psql", talking())
    assert host.preflight().code == 0
    assert not (host.backup_dir / "restore.database").exists()
    assert "'DROP DATABASE %I WITH (FORCE)'" in told(host)


def test_programs_that_the_server_would_not_understand_are_refused_before_anything_is_made(
    host, restore
):
    for program in ("pg_dump", "pg_restore"):
        text = (host.bin / program).read_text()
        (host.bin / program).write_text(text.replace("15.18", "17.6"))
    report = restore(server="16", version="17.6")
    assert report.code == 15
    assert "pg_restore 17.6 cannot restore into PostgreSQL 16" in report.of("result")["reason"]
    assert "create_database" not in told(host)
