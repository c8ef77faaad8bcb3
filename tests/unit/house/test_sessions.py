"""One place opens sessions in a database, and no query of ours comes before the pin."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHELL = sorted((ROOT / "remote").rglob("*.sh"))
SQL = sorted((ROOT / "remote").rglob("*.sql"))
PYTHON = [path for room in ("config", "remote", "tasks") for path in (ROOT / room).rglob("*.py")]
# Whatever of PostgreSQL goes to a database.
PROGRAMS = "psql|pg_dump|pg_dumpall|pg_restore|pg_isready|createdb|dropdb|createuser|vacuumdb"
STARTED = re.compile(rf'(\S+) +"(?:\$[{{\w%#* }}]+)/(?:{PROGRAMS})"')
OPENS = ("connect", "session", "use_psql")
PIN = "SET search_path = pg_catalog, pg_temp; SET row_security = off;"


def code(path):
    """Without comments, and with what belongs together in one line."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    return [re.sub(r"(^|\s)#.*", "", line) for line in text.splitlines()]


def function(name, path):
    text = path.read_text(encoding="utf-8")
    return re.search(rf"(?ms)^{name}\(\) \{{\n(.*?)^\}}", text)[1]


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SHELL, ids=relative)
def test_programs_that_go_to_a_database_are_started_in_one_place(path):
    for line in code(path):
        for before in STARTED.findall(line):
            only_a_file = "pg_restore" in line and "--dbname" not in line
            only_asked = before in {"-x", "$(version_of", "$(readlink"} or "version_of" in before
            assert before in OPENS or only_a_file or only_asked, line


@pytest.mark.parametrize("path", SHELL, ids=relative)
def test_no_program_is_started_by_its_bare_name(path):
    started = re.compile(
        rf"(^|[;&|({{]|\b(?:exec|start|start_function|then|do)\b)\s*(?:{PROGRAMS})\s+-"
    )
    assert [line for line in code(path) if started.search(line)] == []


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_python_opens_no_session(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(psycopg2?|asyncpg|pg8000|sqlalchemy)\b", text)
    assert not re.search(
        rf"""(?:run|Popen|check_output|call)\(\s*\[?\s*f?["'](?:{PROGRAMS})""", text
    )


def test_where_to_and_as_whom_is_told_to_those_programs_alone():
    exporting = re.compile(r"\bexport\b[^#\n]*\bPG[A-Z]+=")
    found = {path.name for path in SHELL for line in code(path) if exporting.search(line)}
    # The client's password, and that of the environment, are still exported when they come.
    assert found - {"standalone.sh"} == {"psql.sh"}
    assert "export PG" in function("connect", ROOT / "remote/steps/run/psql.sh")


def test_every_session_of_psql_begins_with_the_pin():
    psql = ROOT / "remote/steps/run/psql.sh"
    text = psql.read_text(encoding="utf-8")
    assert f"\npin='{PIN}'\n" in text
    assert '\nstrict_opening="$arrived $pin $more"\nopening=$strict_opening\n' in text
    session = function("session", psql)
    assert re.findall(r'--(?:command|file)=|"\$@"', session)[0] == "--command="
    assert re.search(r'--command="\$opening" [^|;&]*"\$@"$', session.strip())
    assert "--set=ON_ERROR_STOP=1" in session


def test_psql_is_started_by_session_alone():
    connected = [line for path in SHELL for line in code(path) if re.search(r"\bconnect \S", line)]
    begun = [re.search(r"\bconnect (\S+)", line)[1] for line in connected]
    assert sorted(set(begun)) == [
        '"$bin_dir/pg_dump"',
        '"$bin_dir/pg_restore"',
        '"$session_program"',
    ]
    assert begun.count('"$session_program"') == 1


# In a script of pg_restore, at whose end comes the pin; and how the path is kept and read again.
REPLAYED = r"set_config\('search_path', '', false\);"
KEPT = r"'search_path=|'search\\_path=|name = 'search_path'|manifest_value \"\$1\" search_path"


def test_after_each_script_of_an_archive_comes_the_pin():
    restoring = ROOT / "remote/steps/restore/_restoring.sh"
    told = function("tell_script", restoring)
    _, after = told.strip().split('\\i :run_dir/filtered"\n')
    waiting = ("heed_signals", "if hear_fence; then :; fi", "exec 8>&-")
    lines = [line.partition(" #")[0].strip() for line in after.splitlines()]
    lines = [line for line in lines if line and line not in waiting and line[0] != "#"]
    assert lines[-1] == "pin_path"
    assert all(
        re.match(r"tell_psql '(\\o|RESET client_encoding; SET )", each) for each in lines[:-1]
    )
    for path in SHELL:
        assert "\\i :run_dir" not in "\n".join(code(path)).replace(told, "") or path == restoring


@pytest.mark.parametrize("path", [*SHELL, *SQL], ids=relative)
def test_the_search_path_is_unpinned_for_code_of_the_databases_own_alone(path):
    """By `unpin_path`, which is followed by that statement and `pin_path`."""
    if path.name == "psql.sh":
        return
    lines = [line.strip() for line in code(path) if line.strip()]
    allowed = re.compile(rf"split_part\(setting|^--|{REPLAYED}|{KEPT}")
    assert [each for each in lines if "search_path" in each and not allowed.search(each)] == []
    for number, line in enumerate(lines):
        if line == "unpin_path":
            after = lines[number + 1 : number + 8]
            assert "pin_path" in after
            between = after[: after.index("pin_path")]
            assert all(
                re.match(r"tell_psql ('ANALYZE;'|'\\set |.*REFRESH )", each) for each in between
            )
