"""What a database answers is checked before it is told on: to psql, to a program, to arithmetic."""

import shlex

import pytest
from fabric_predeploy.remote.steps import rules, step

ODD = "0 \\! touch sprung #"
# It notes what it is told; to what holds WHEN it gives the odd answer, to all else the usual one.
ANSWERING = r"""while IFS= read -r line; do
    printf '%s\n' "$line" >>"$HOME/told"
    case $line in
        WHEN) printf '%s\n' ANSWER ;;
        '\echo :others') echo 0 ;;
        '\echo '*) printf '%s\n' "${line#?echo }" ;;
        *pg_export_snapshot*) echo snapshot=00000003-0000001B-1 ;;
        *"SELECT 'new='"*)
            printf '%s\n' new=shop_restore_20250314123456 old=shop_before_20250314123456
            echo creator=4711 ;;
        *pg_database_size*)
            printf '%s\n' server_major=15 server_version=15.18 database_bytes=8000 relations=3 ;;
        *rolcreatedb*) echo true 4711 ;;
        *pg_current_xact_id*) echo 700 ;;
        '\o :run_dir/rows'*) : >"$RUN_DIR/rows" ;;
        '\o :run_dir/context'*) : >"$RUN_DIR/context" ;;
    esac
done"""
FACTS = ("server_major=15", "server_version=15.18", "database_bytes=8000", "relations=3")
NAMES = ("new=shop_restore_20250314123456", "old=shop_before_20250314123456", "creator=4711")


def one_odd(lines, *answers):
    """The usual lines, but for one of them each time."""
    for answer in answers:
        key = answer.partition("=")[0]
        yield [answer if line.startswith(f"{key}=") else line for line in lines]


@pytest.fixture
def answering(host):
    for tool in ("cp", "getconf"):
        (host.tools / tool).symlink_to(f"/usr/bin/{tool}")

    def answers(when, *lines):
        quoted = " ".join(map(shlex.quote, lines))
        host.stub("psql", ANSWERING.replace("WHEN", when).replace("ANSWER", quoted))
        return host

    return answers


def nothing_came_of_it(host, report, *odd):
    assert not (host.home / "sprung").exists()
    told = (host.home / "told").read_text()
    assert "sprung" not in told
    assert not [each for each in odd if each in told]
    assert "not the" in report.of("result")["reason"] or "not the" in str(report.problems)


@pytest.mark.parametrize(
    "facts",
    [
        *one_odd(
            FACTS,
            "server_major=",
            f"server_major={ODD}",
            "server_major=a[$(touch sprung)]",
            f"server_version=15 {ODD}",
            "server_version=$(touch sprung)",
            f"database_bytes={ODD}",
            "database_bytes=a[$(touch sprung)]",
            "database_bytes=99999999999999999999",
            "database_bytes=-1",
            "relations=many",
        ),
        [],
        ["hello"],
    ],
)
def test_a_server_that_does_not_tell_what_it_is_is_10(answering, facts):
    host = answering("*pg_database_size*", *facts)
    report = host.predeploy()
    assert report.code == 10
    nothing_came_of_it(host, report)


def test_lines_that_nobody_asked_for_are_no_facts(answering):
    host = answering("*pg_database_size*", *FACTS, "bin_dir=/elsewhere", "sprung")
    facts = host.predeploy().of("preflight")
    assert facts["bin_dir"] == str(host.bin)


@pytest.mark.parametrize("odd", ["", "snapshot=", "snapshot=x --file=sprung", f"snapshot={ODD}"])
def test_what_is_no_snapshot_is_12(answering, odd):
    host = answering("*pg_export_snapshot*", odd)
    report = host.predeploy()
    assert report.code == 12
    assert host.dumps() == []
    nothing_came_of_it(host, report)


@pytest.mark.parametrize(
    "odd", ["true ", f"true {ODD}", "true ../../self", "true a[$(touch sprung)]"]
)
def test_what_is_no_number_of_a_session_is_10_where_a_place_is_chosen(answering, odd):
    host = answering("*rolcreatedb*", odd)
    host.set(drill="database")
    report = host.run(*host.until_preflight(), rules.place(host.settings))
    assert report.code == 10
    nothing_came_of_it(host, report)


def swapped(host):
    several = [
        *host.until_preflight()[:3],
        step("preflight", host.settings, dumps=False),
        step("archive", archive=host.archive()),
        step("rehearse"),
        step("swap", host.settings, terminate=False),
    ]
    return host.run(*several, task="restore")


@pytest.mark.parametrize(
    "names",
    [
        *one_odd(
            NAMES,
            f"creator={ODD}",
            "creator=",
            "creator=4711 OR true",
            "new=production",
            "new=other_restore_20250314123456",
            "new=shop_restore_20250314123456 sprung",
            "new=",
            f"old={ODD}",
            "old=shop",
        ),
        [],
    ],
)
def test_names_and_numbers_that_none_of_our_queries_makes_are_15_and_nothing_is_made(
    answering, names
):
    host = answering("*\"SELECT 'new='\"*", *names)
    report = swapped(host)
    assert report.code == 15
    nothing_came_of_it(host, report, "DROP DATABASE")
    assert not (host.backup_dir / "restore.database").exists()


@pytest.mark.parametrize("odd", [ODD, "", "a[$(touch sprung)]", "0|0'; DROP"])
def test_what_is_no_number_of_sessions_is_15(answering, odd):
    host = answering("'\\echo :others'", odd)
    report = swapped(host)
    assert report.code == 15
    nothing_came_of_it(host, report, "RENAME TO :")


@pytest.mark.parametrize("odd", [ODD, "", "700'); DROP TABLE t; --"])
def test_what_is_no_number_of_a_transaction_is_15(answering, odd):
    host = answering("*pg_current_xact_id*", odd)
    report = swapped(host)
    assert report.code == 15
    nothing_came_of_it(host, report, "pg_xact_status", "DROP TABLE t")
