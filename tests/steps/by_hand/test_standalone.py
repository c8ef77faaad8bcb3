"""The script that needs no client: the steps of predeploy, in a file of the host."""

import os
import re
import signal
import subprocess
import time
from dataclasses import replace

import pytest
from fabric_predeploy.config.settings import ON_THE_HOST, SPECS
from fabric_predeploy.remote.by_hand.standalone import stamped
from fabric_predeploy.tasks._gate.by_hand import current, text

from tests.project import READABLE

PASSWORD = 'p\'w "$HOME" \\ `é`'


class Script:
    def __init__(self, host):
        self.host = host
        self.file = host.home / "remote-backup.sh"

    def install(self):
        self.file.write_text(stamped(text(self.host.settings), "0"))

    def start(self, *arguments, stdin=subprocess.DEVNULL, **variables):
        self.install()
        environment = {**self.host.environment(), **variables}
        shell = [str(self.host.tools / "sh"), str(self.file)]
        return subprocess.Popen(
            [*shell, *arguments],
            env={name: value for name, value in environment.items() if value is not None},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            encoding="utf-8",
        )

    def __call__(self, *arguments, **options):
        process = self.start(*arguments, **options)
        output, errors = process.communicate(timeout=25)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


@pytest.fixture
def script(host):
    return Script(host)


def ending(process):
    output, errors = process.communicate(timeout=25)
    return process.returncode, output, errors


# It does what a run from the client does.


def test_it_leaves_what_predeploy_leaves(host, script):
    assert host.predeploy().code == 0
    (first,) = host.dumps()
    by_client = host.facts(first.replace(".dump", ".manifest")), host.status()
    done = script("v1")
    assert done.returncode == 0, done.stderr
    (second,) = set(host.dumps()) - {first}
    by_hand = host.facts(second.replace(".dump", ".manifest")), host.status()
    assert by_hand[0]["label"] == "on-host"
    moments = {"created", "proof_time", "time", "archive", "log", "dump_seconds", "label"}
    for left, right in zip(by_client, by_hand, strict=True):
        assert list(left) == list(right)
        assert {k: left[k] for k in left if k not in moments} == {
            k: right[k] for k in right if k not in moments
        }
    assert host.unfinished() == []
    assert host.processes() == []


def test_people_read_on_stdout_what_predeploy_tells_and_no_facts(host, script):
    done = script("v1")
    (archive,) = host.dumps()
    manifest = host.facts(archive.replace(".dump", ".manifest"))
    assert done.stdout.splitlines() == [
        f"{READABLE} {archive}",
        f"  proof    read, sha256 {manifest['sha256']}",
        f"  size     13 bytes, 2 entries, dumped in {manifest['dump_seconds']} s",
        f"  where    {host.backup_dir}/{archive}",
        f"  how      fab -H web1 restore --file={archive}",
        f"  next     fab -H web1 verify --file={archive} --proof=restored   (makes a test restore)",
    ]
    shown = done.stderr.splitlines()
    assert shown[-1].endswith("predeploy: done")
    assert [line for line in shown if not re.match(r"\d\d:\d\d:\d\d ", line)] == []


@pytest.mark.parametrize(
    ("number", "words"), [(999, "999 bytes"), (1000, "1.0 kB"), (1234567, "1.2 MB")]
)
def test_sizes_read_as_the_client_tells_them(host, script, number, words):
    host.stub("pg_dump", f'head -c {number} /dev/zero >"$file"')
    assert f"  size     {words}, " in script().stdout


def test_it_rotates_as_the_client_would(host, script):
    days = (f"2025-03-1{day}T12:00:00Z" for day in (1, 2, 3))
    old = [host.archive(created=day, proof="read", label="on-host") for day in days]
    done = script("v1", MAX_BACKUPS="2")
    assert done.returncode == 0
    assert old[2] in host.dumps()
    assert len(host.dumps()) == 2
    assert f"removed {old[0]}: beyond the newest 2" in done.stderr


def test_a_rotation_that_fails_is_loud_and_does_not_fail_the_gate(host, script):
    old = host.archive(label="on-host")
    host.script("rm", f'case $* in *{old}*) exit 1 ;; esac; exec /bin/rm "$@"')
    done = script()
    assert done.returncode == 0
    assert "WARNING: the archive is made and proven, but the rotation failed" in done.stderr
    assert "Proven readable" in done.stdout
    assert old in host.status()["rotation"]


def test_what_has_shrunk_is_14_until_somebody_accepts_it(host, script):
    before = host.archive(label="on-host", proof="read", rows="500 public.shop")
    (host.backup_dir / before).rename(host.backup_dir / before.replace("pre-deploy", "on-host"))
    for end in (".manifest", ".dump.sha256"):
        file = host.backup_dir / before.replace(".dump", end)
        file.rename(host.backup_dir / file.name.replace("pre-deploy", "on-host"))
    done = script("v1")
    assert (done.returncode, done.stdout) == (14, "")
    assert "  - public.shop has 2 rows instead of at least 500 (-99 %)" in done.stderr
    assert host.status()["result"] == "failure"
    assert script("--accept-shrink", "v2").returncode == 0
    accepted = host.facts(host.dumps()[-1].replace(".dump", ".manifest"))
    assert accepted["shrink_accepted"].endswith("by hand or cron")


def test_what_fails_is_told_with_its_remedy_and_its_exit_code(host, script):
    host.stub("pg_dump", "echo no such thing >&2; exit 1")
    done = script()
    assert done.returncode == 12
    assert done.stdout == ""
    assert (
        "remote-backup.sh: pg_dump ended with exit code 1: no such thing (exit 12)" in done.stderr
    )
    assert "  What to do: see what it says above" in done.stderr
    assert host.dumps() == []
    assert host.status()["result"] == "failure"


def test_all_that_is_missing_is_told_at_once(host, script):
    host.without("awk")
    (host.bin / "pg_restore").unlink()
    done = script()
    assert done.returncode == 10
    assert [line for line in done.stderr.splitlines() if line.startswith("  - ")] == [
        "  - there is no program awk, which decides what rotation removes — ask the host for mawk,"
        " gawk or busybox",
        f"  - pg_dump, pg_restore and psql were not found together in {host.bin} — install"
        " PostgreSQL's client programs on the host, or set DB_BIN_DIR to where they are",
    ]


def rehearsing(host, *facts):
    """A database that tells, of a way back, these facts."""
    host.database()
    told = " ".join(f"'{fact}'" for fact in facts)
    psql = (host.bin / "psql").read_text()
    line = f"*ROLLBACK*) printf '%s\\n' {told} ;;"
    (host.bin / "psql").write_text(psql.replace("case $line in", f"case $line in\n{line}", 1))


def test_a_way_back_that_is_closed_is_not_open_because_its_words_were_lost(host, script):
    rehearsing(host, "obstacle=the view v belongs to bob")
    host.lose_lines("obstacle")
    assert "could not restore it here" in script().stdout
    required = script(BACKUP_REHEARSAL="require")
    assert required.returncode == 14
    assert len(host.dumps()) == 1


def test_that_there_would_be_no_way_back_is_told(host, script):
    rehearsing(host, "obstacle=the view v belongs to bob")
    done = script()
    assert done.returncode == 0
    (archive,) = host.dumps()
    assert f"Proven, but owner could not restore it here: {archive}" in done.stdout
    assert f"fab -H web1 restore --file={archive} --plan" in done.stdout
    assert "could not go back to this archive: the view v belongs to bob" in done.stderr


def test_one_way_back_is_enough(host, script):
    rehearsing(host, "swap_obstacle=may not create databases")
    assert "Proven readable" in script().stdout
    rehearsing(host, "swap_obstacle=may not create", "transaction_obstacle=too many locks")
    done = script()
    assert "could not restore it here" in done.stdout
    assert "too many locks" in done.stderr


def test_a_way_back_can_be_required_or_not_be_asked_for(host, script):
    rehearsing(host, "obstacle=the view v belongs to bob")
    done = script(BACKUP_REHEARSAL="require")
    assert done.returncode == 14
    assert "  - the view v belongs to bob" in done.stderr
    assert host.dumps() == []
    done = script(BACKUP_REHEARSAL="off")
    assert done.returncode == 0
    assert "Proven readable" in done.stdout
    assert "bob" not in done.stderr


def test_an_archive_with_less_proof_is_told_for_what_it_is(host, script):
    done = script(BACKUP_PROOF="written")
    (archive,) = host.dumps()
    assert f"Taken, but not proven beyond its checksum: {archive}" in done.stdout
    assert f"fab -H web1 verify --file={archive}" in done.stdout


# Nobody is there: cron, ssh without a terminal, a closed window.


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full 2>&1"])
def test_it_works_with_whatever_is_closed(host, script, closed):
    script.install()
    command = f"exec {host.tools}/sh {script.file} nightly {closed}"
    done = subprocess.run(["/bin/sh", "-c", command], env=host.environment(), check=False)
    assert done.returncode == 0
    assert "-nightly-" in host.dumps()[0]
    assert host.status()["result"] == "success"


def test_a_stdin_that_never_says_anything_does_not_hold_it_up(host, script):
    reading, writing = os.pipe()
    done = script(stdin=reading)
    os.close(reading)
    os.close(writing)
    assert done.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("to_all", [True, False], ids=["of the terminal", "to the shell"])
def test_a_signal_stops_it_and_leaves_nothing(host, script, number, to_all):
    host.script("sleep", "exec /bin/sleep 0.1")
    host.stub("pg_dump", 'printf PGD >"$file"; echo >"$HOME/dumping"; exec /bin/sleep 60')
    process = script.start()
    while not (host.home / "dumping").exists():
        assert process.poll() is None
        time.sleep(0.02)
    # Twice, as bash may sleep through a signal that comes right before it begins to wait.
    for _ in range(2):
        (os.killpg if to_all else os.kill)(process.pid, number)
        time.sleep(0.3)
        if process.poll() is not None:
            break
    code, output, errors = ending(process)
    assert (code, output) == (130, "")
    assert "interrupted" in errors
    assert host.processes() == []
    assert host.kept() == {}
    assert host.unfinished() == []
    assert (host.status()["result"], host.status()["code"]) == ("failure", "130")


def test_a_second_one_is_11_while_the_first_is_at_work(host, script):
    host.stub(
        "pg_dump",
        'echo >"$HOME/dumping"; while [ ! -e "$HOME/go" ]; do /bin/sleep 0.05; done\n'
        'printf PGDMP >"$file"',
    )
    first = script.start("first")
    while not (host.home / "dumping").exists():
        assert first.poll() is None
        time.sleep(0.02)
    second = script("second")
    assert second.returncode == 11
    assert "by hand or cron" in second.stderr
    (host.home / "go").touch()
    assert ending(first)[0] == 0
    assert [name.split("-")[3] for name in host.dumps()] == ["first"]


# Its settings.


def test_the_password_of_the_environment_reaches_pg_dump_and_nothing_else(host, script):
    seen = 'tr "\\000" "\\n" <"/proc/$PPID/environ" >"$HOME/shell"'
    host.stub(
        "pg_dump",
        f'printf %s "${{PGPASSWORD-unset}} ${{DB_PASSWORD-unset}}" >"$HOME/seen"; {seen}; exit 1',
    )
    done = script(DB_PASSWORD=PASSWORD)
    assert (host.home / "seen").read_text() == f"{PASSWORD} unset"
    (host.home / "seen").unlink()
    (host.home / "shell").unlink()
    assert PASSWORD not in done.stdout + done.stderr
    for path in host.home.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes()


def test_without_a_password_none_is_set_so_that_pgpass_is_looked_at(host, script):
    host.stub("pg_dump", 'printf %s "${PGPASSWORD-unset}" >"$HOME/seen"; exit 1')
    script()
    assert (host.home / "seen").read_text() == "unset"


def test_the_password_may_come_by_the_name_that_psql_knows(host, script):
    seen = 'tr "\\000" "\\n" <"/proc/$PPID/environ" >"$HOME/shell"'
    host.stub("pg_dump", f'printf %s "${{PGPASSWORD-unset}}" >"$HOME/seen"; {seen}; exit 1')
    host.stub("sha256sum", 'printf %s "${PGPASSWORD-unset}" >>"$HOME/others"; exit 1')
    for variables, expected in (
        ({"PGPASSWORD": "of the account"}, "of the account"),
        ({"PGPASSWORD": "of the account", "DB_PASSWORD": "ours"}, "ours"),
        ({"PGPASSWORD": "", "DB_PASSWORD": "ours"}, "ours"),
    ):
        script(**variables)
        assert (host.home / "seen").read_text() == expected
    others = host.home / "others"
    assert not others.exists() or "of the account" not in others.read_text()


@pytest.mark.parametrize(
    ("given", "name"),
    [("release/2024.1", "release-2024.1"), ("../a b;", "a-b"), ("v1--x", "v1--x")],
)
def test_a_version_that_fits_no_file_name_is_made_to_fit_and_said(host, script, given, name):
    done = script(given)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rf"pricehawk-on-host-{name}-\d+-\d+\.dump", host.dumps()[0])
    assert (f"the version {given} is {name} in names" in done.stderr) == (given != name)


def test_no_password_is_ever_baked_in(host):
    host.set(db_password=PASSWORD)
    assert PASSWORD not in text(host.settings)
    assert "DB_PASSWORD" not in ON_THE_HOST.values()


def test_the_environment_wins_over_what_was_installed_and_an_empty_value_is_none(host, script):
    host.set(db_name="installed", db_host="db.example")
    host.stub("pg_dump", 'printf %s "$PGUSER@$PGHOST:$PGPORT/$PGDATABASE" >"$HOME/seen"; exit 1')
    script(DB_NAME='it\'s; a "shöp" $(x)', DB_USER="", DB_PORT="05433")
    assert (host.home / "seen").read_text() == 'owner@db.example:5433/it\'s; a "shöp" $(x)'


def test_what_was_installed_may_hold_any_character(host, script):
    odd = 'it\'s; a "shöp" $(x) `y` \\n %s * é'
    host.set(db_name=odd)
    host.stub("pg_dump", 'printf %s "$PGDATABASE" >"$HOME/seen"; exit 1')
    script()
    assert (host.home / "seen").read_text() == odd


@pytest.mark.parametrize(
    ("arguments", "variables", "version"),
    [
        ([], {}, "manual"),
        (["v2"], {}, "v2"),
        ([], {"BACKUP_VERSION": "v3"}, "v3"),
        (["v2"], {"BACKUP_VERSION": "v3"}, "v2"),
    ],
)
def test_the_version_is_the_argument_or_manual(host, script, arguments, variables, version):
    assert script(*arguments, **variables).returncode == 0
    assert re.fullmatch(rf"pricehawk-on-host-{version}-\d+-\d+\.dump", host.dumps()[0])


def test_help_is_usage_with_the_settings_of_now_and_touches_nothing(host, script):
    done = script("--help", DB_NAME="other")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: remote-backup.sh [--accept-shrink] [VERSION]\n")
    for variable in ON_THE_HOST.values():
        assert f"\n  {variable}=" in done.stdout
    assert "\n  DB_NAME=other\n" in done.stdout
    settings = tuple(f"  {variable}=" for variable in ON_THE_HOST.values())
    lines = [line for line in done.stdout.splitlines() if not line.startswith(settings)]
    assert max(map(len, lines)) <= 80
    assert not host.backup_dir.exists()


@pytest.mark.parametrize(
    "arguments", [["--verbose"], ["-x"], ["v1", "v2"], ["/"], ["v1", "--accept-shrink"]]
)
def test_a_wrong_command_line_is_2_and_touches_nothing(host, script, arguments):
    assert script(*arguments).returncode == 2
    assert not host.backup_dir.exists()


def test_all_wrong_settings_are_told_at_once_and_not_shown(host, script):
    done = script(MAX_BACKUPS="s3cret", BACKUP_PROOF="sworn", DB_PORT="70000")
    assert done.returncode == 2
    wrong = [line.split()[1] for line in done.stderr.splitlines() if line.startswith("  - ")]
    assert wrong == ["DB_PORT", "BACKUP_PROOF", "MAX_BACKUPS"]
    assert "s3cret" not in done.stderr
    assert not host.backup_dir.exists()


NUMBERS = (
    "0",
    "1",
    "5",
    "007",
    "-1",
    "+1",
    "1.5",
    "1e3",
    " 1",
    "x",
    "99999",
    "9999999999",
    "10001",
)
WORDS = (
    "read",
    "written",
    "warn",
    "require",
    "off",
    "none",
    "Read",
    "read ",
    "equal",
    "*",
    "[a-z]",
)
NAMES = ("v1.0+x_y-z", "-x", ".x", "x y", "x/y", "ü", "x" * 50, "x" * 51, "x" * 101, "x\n", "$(x)")
LINES = ("plain", "with blank", 'it\'s "$x" \\ é', "tab\tbed", "two\nlines", "bell\a", "x" * 4097)
PATHS = ("/", "//", "/.", "/./", "~", "~/", "~/x", "~bob", "~bob/x", "x", "x/../y", "..", "/x/..")
PATHS += ("/...", "/x//y/./z/", "x..y/z")
COMPRESSIONS = ("gzip:1", "gzip:9", "gzip:0", "gzip:10", "gzip", "zstd:1", "zstd:9", "zstd:19")
COMPRESSIONS += ("zstd:22", "zstd:23", "zstd:0", "zstd:", "lz4")
SAMPLES = (*NUMBERS, *WORDS, *NAMES, *LINES, *PATHS, *COMPRESSIONS)


def accepted(variable, value):
    spec = next(each for each in SPECS.values() if each.variable == variable)
    try:
        (spec.there or spec.parse)(value)  # BACKUP_VERSION is also an argument there
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("variable", sorted({*ON_THE_HOST.values(), "BACKUP_VERSION"}))
def test_what_the_client_takes_and_refuses_it_takes_and_refuses(host, script, variable):
    """All samples in one shell: each takes the place of the setting in turn."""
    script.install()
    whole = script.file.read_text()
    head, _, _ = whole.partition("\ncheck_settings\ngive_settings\n")
    each = '(check_settings) >/dev/null 2>&1 && echo "$n yes" >&7 || echo "$n no" >&7'
    trap = "trap - EXIT; trap 'exit $?' EXIT; tell_outcome() { :; }; finish() { exit 2; }"
    tries = [f"n={n} {variable}='{quoted(value)}'\n{each}" for n, value in enumerate(SAMPLES)]
    script.file.write_text("\n".join([head, trap, *tries]))
    shell = [str(host.tools / "sh"), str(script.file)]
    done = subprocess.run(
        shell, env=host.environment(), capture_output=True, check=False, text=True
    )
    told = dict(line.split() for line in done.stdout.splitlines())
    assert len(told) == len(SAMPLES)
    for n, value in enumerate(SAMPLES):
        assert (told[str(n)] == "yes") == accepted(variable, value), (variable, value)


def quoted(value):
    return value.replace("'", "'\\''")


def test_every_setting_that_a_step_is_given_can_be_changed_on_the_host(host):
    """Nothing of one's own settings is anywhere but among the defaults."""
    other = replace(
        host.settings,
        profile="web2",
        db_name="x",
        db_user="x",
        db_password="x",
        db_host="x",
        db_port=1,
        db_bin_dir="/x",
        backup_dir="/x",
        max_backups=77,
        keep_days=77,
        keep_daily=77,
        keep_weekly=77,
        keep_monthly=77,
        project="x",
        version="x",
        git_commit="x",
        proof="written",
        rehearsal="off",
        shrink_bytes_percent=77,
        shrink_rows_percent=77,
        compress="none",
        lock_timeout_seconds=77,
        lock_wait_seconds=77,
    )
    first, second = (
        re.sub(r"\ndefaults=(['\"]).*?\1\nprofile=\w+\n", "\n", text(each), flags=re.DOTALL)
        for each in (host.settings, other)
    )
    assert first == second


def test_the_stamp_changes_with_the_settings_and_only_then(host):
    assert current(host.settings) == current(replace(host.settings, db_password="x", version="y"))
    assert current(host.settings) != current(replace(host.settings, max_backups=9))
