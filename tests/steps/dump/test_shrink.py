"""The steps: what has shrunk is marked, kept and not let pass; who accepts it is on record."""

import pytest
from fabric_predeploy.remote.catalog import parse
from fabric_predeploy.remote.steps import rules, step

from tests.steps.host import KILLED

FULL = {"rows": "500 public.shop", "compress": "gzip:1", "proof": "read"}
BEFORE = "2025-03-14T12:34:56Z"


@pytest.fixture
def before(host):
    """A good archive of many rows, where the database of now has two."""
    return host.archive(created=BEFORE, **FULL)


def gated(host, *, accept=False, task="predeploy", gate=True):
    several = [
        *host.until_preflight(),
        rules.dump(host.settings),
        step("verify", proof="read"),
        step("shrink", host.settings, accept_shrink=accept),
        step("publish", host.settings),
    ]
    rotation = [step("gate"), rules.retention(host.settings), step("prune")] if gate else []
    return host.run(*several, *rotation, task=task)


def newest(host):
    name = host.dumps()[-1]
    return name, host.facts(name.replace(".dump", ".manifest"))


def log(host):
    return (host.backup_dir / host.status()["log"]).read_text()


def test_a_first_run_has_nothing_to_be_compared_with(host):
    report = gated(host)
    assert report.code == 0
    assert report.of("shrink") == {"shrunk": "", "shrink_accepted": ""}
    assert "shrunk" not in newest(host)[1]


def test_what_is_as_before_passes_and_the_log_tells_with_what_it_was_compared(host):
    host.archive(created=BEFORE, **{**FULL, "rows": "2 public.shop"})
    report = gated(host)
    assert report.code == 0
    assert report.of("shrink")["compared"] == "1"
    assert "compared with recent archives (1): nothing has shrunk much" in log(host)


def test_what_has_shrunk_is_14_and_tells_what_and_is_kept_and_marked(host, before):
    report = gated(host)
    assert report.code == 14
    name, manifest = newest(host)
    assert name in report.of("result")["reason"]
    assert report.problems == [("public.shop has 2 rows instead of at least 500 (-99 %)", "")]
    assert (manifest["shrunk"], manifest["proof"]) == ("yes", "read")
    assert host.dumps() == [before, name]
    assert "WARNING: the archive has shrunk: public.shop has 2 rows" in log(host)


def test_it_is_a_failure_to_status_which_names_the_archive(host, before):
    gated(host)
    status = host.status()
    assert (status["result"], status["code"], status["step"]) == ("failure", "14", "gate")
    assert status["archive"] == newest(host)[0]
    assert status["problem"] == "public.shop has 2 rows instead of at least 500 (-99 %)"


def test_trying_again_does_not_make_it_good_and_removes_nothing(host, before):
    host.set(max_backups=1)
    for tries in (1, 2, 3):
        assert gated(host).code == 14
        assert len(host.dumps()) == 1 + tries
    assert before in host.dumps()


def test_rotation_by_hand_removes_no_good_one_for_those_that_have_shrunk(host, before):
    host.set(max_backups=1)
    gated(host)
    gated(host)
    everything = host.dumps()
    assert host.rotate().code == 0
    assert host.dumps() == everything


def test_who_accepts_it_is_on_record_and_it_is_the_measure_from_then_on(host, before):
    host.set(max_backups=1)
    assert gated(host).code == 14
    marked, _ = newest(host)
    report = gated(host, accept=True)
    assert report.code == 0
    accepted, manifest = newest(host)
    client = rules.lock(host.settings, create=True).variables["client"]
    assert manifest["shrink_accepted"] == client
    assert "shrunk" not in manifest
    assert f"the archive has shrunk, which {client} accepts: public.shop has 2 rows" in log(host)
    assert host.dumps() == [accepted]
    gone = [value for key, value in report.facts["retention"] if key == "expired"]
    assert f"{marked} shrunk, newer proven archive {accepted} exists" in gone
    assert gated(host).code == 0


def test_to_accept_what_has_not_shrunk_is_not_on_record(host):
    assert gated(host, accept=True).code == 0
    assert "shrink_accepted" not in newest(host)[1]


def test_once_all_is_there_again_it_passes_and_what_had_shrunk_goes(host, before):
    gated(host)
    marked, _ = newest(host)
    psql = (host.bin / "psql").read_text()
    (host.bin / "psql").write_text(psql.replace("rows=2 public", "rows=501 public"))
    assert gated(host).code == 0
    assert host.dumps() == [before, newest(host)[0]]
    assert marked not in host.dumps()


def test_a_backup_alone_is_marked_and_no_failure(host, before):
    report = gated(host, gate=False, task="backup")
    assert report.code == 0
    assert newest(host)[1]["shrunk"] == "yes"
    assert host.status()["result"] == "success"
    assert gated(host).code == 14


def test_a_table_that_is_gone_is_told_and_passes(host):
    rows = "500 public.old\nrows=2 public.shop"
    host.archive(created=BEFORE, **{**FULL, "rows": rows})
    host.set(shrink_rows_percent=100)
    report = gated(host)
    assert report.code == 0
    assert report.of("shrink")["gone"] == "public.old"
    assert (
        "WARNING: tables of the last archive are not in the database any more: public.old"
        in log(host)
    )


def test_a_predeploy_that_is_stopped_before_its_gate_is_no_success(host, before):
    host.script("sync", '[ "$1" != . ] || kill -TERM $PPID; exec /bin/sync "$@"')
    report = gated(host)
    assert report.code == 130
    assert newest(host)[1]["shrunk"] == "yes"
    assert host.status()["result"] == "failure"


def test_switched_off_it_asks_nothing(host, before):
    host.set(shrink_bytes_percent=0, shrink_rows_percent=0)
    host.script("awk", 'echo asked >>"$HOME/asked"; exec ' + f'{host.tools}/awk "$@"')
    assert gated(host, gate=False).code == 0
    assert not (host.home / "asked").exists()


@pytest.mark.parametrize("how", ["gone", "failing"])
def test_without_an_awk_that_works_it_warns_and_the_archive_is_there(host, before, how):
    if how == "gone":
        host.without("awk")
    else:
        host.script("awk", "echo lost=everything; echo out of memory >&2; exit 2")
    report = gated(host, gate=False)
    assert report.code == 0
    assert report.of("shrink") == {"shrunk": "", "shrink_accepted": ""}
    assert "WARNING: it is not known whether the archive has shrunk: awk ended with" in log(host)


def test_what_has_shrunk_does_not_pass_because_what_it_says_was_lost(host, before):
    host.lose_lines("lost")
    assert gated(host).code == 14
    assert newest(host)[1]["shrunk"] == "yes"


@KILLED
def test_a_listing_that_was_cut_is_not_taken_for_all_that_there_was(host, before, who):
    host.cut_listings(who)
    report = gated(host, gate=False)
    assert report.code == 0
    assert "WARNING: it is not known whether the archive has shrunk: awk ended with" in log(host)


def test_variables_of_the_account_change_nothing(host, before, monkeypatch):
    for name in ("shrunk", "shrink_accepted", "losses", "comparison", "accept_shrink"):
        monkeypatch.setenv(name, "yes")
    assert gated(host).code == 14


def test_what_it_keeps_on_record_is_read_by_the_client(host, before):
    gated(host)
    told = host.run(step("catalog"), task="history").facts["catalog"]
    assert [each.shrunk for each in parse(told).archives] == [False, True]
