"""`--undo` reads in the file `restores` what the last restore of this database has kept."""

from types import SimpleNamespace

import pytest
from fabric_predeploy.config.errors import RefusedError
from fabric_predeploy.remote._door.shell import Report
from fabric_predeploy.tasks._restore.undo import last_restore, safety

from tests.unit.tasks.test_source import OLD, OTHERS_SAFETY, SAFETY

KEPT = SAFETY[0][1]
SETTINGS = SimpleNamespace(db_name="shop", db_host="localhost", backup_dir="~/backups")


def line(verb="restored", kept=KEPT, time="2025-01-05T00:00:09Z", **changes):
    told = {"archive": "a.dump", "database": "shop", "server": "localhost", "lost": "no rows"}
    told |= changes
    return (
        f"{time} {verb} {told['archive']} into {told['database']} on {told['server']} by me@here"
        f" way=swap bytes=9 seconds=2 safety={kept} lost={told['lost']}"
    )


class Host:
    name = "web1"
    settings = SETTINGS

    def __init__(self, records, lines):
        catalog = [fact for record in records for fact in record]
        told = {"catalog": catalog, "restores": [("line", each) for each in lines]}
        self.report = Report(told, 0)

    def command(self, task):
        return f"fab -H web1 {task}"

    def must(self, _task, _steps):
        return self.report


def test_the_last_restore_of_this_database_counts_and_no_other():
    lines = [
        line(time="1"),
        line(time="2", database="shop2"),
        line(time="3", server="elsewhere"),
        line(time="4", database="other shop"),
        "nonsense",
    ]
    last = last_restore(lines, SETTINGS)
    assert last is not None
    assert last.time == "1"


@pytest.mark.parametrize(
    "changes",
    [
        {"archive": "my own file.dump"},
        {"lost": "at least 3 rows; not counted: public.x safety=evil.dump lost=y"},
        {"lost": ""},
    ],
)
def test_blanks_and_names_that_look_like_facts_do_not_mislead(changes):
    last = last_restore([line(**changes)], SETTINGS)
    assert last is not None
    assert last.safety == KEPT


@pytest.mark.parametrize("database", ["a b", "a into b", "x(.*)y", "é"])
def test_a_database_of_any_name_is_found(database):
    settings = SimpleNamespace(db_name=database, db_host="localhost")
    assert last_restore([line(database=database)], settings) is not None


def test_what_the_last_restore_has_kept_is_gone_back_to():
    older = line(kept="older.dump")
    assert safety(Host([OLD, SAFETY], [older, line("begins to restore"), line()])).name == KEPT


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "no restore of shop on localhost is on record"),
        ([line(database="other")], "no restore of shop on localhost is on record"),
        ([line(), line(kept="")], "kept nothing, as --no-safety was given"),
        ([line(), line("did not restore")], "changed nothing, so there is nothing to undo"),
        ([line(), line("begins to restore")], "has no end on record"),
        ([line(kept="gone.dump")], "kept gone.dump, which is not there any more"),
        ([line(kept=OLD[0][1])], "which is not there any more"),
        ([line(kept=OTHERS_SAFETY[0][1])], "which is not there any more"),
    ],
)
def test_where_there_is_nothing_to_undo_it_is_refused_with_what_older_ones_have_kept(lines, why):
    with pytest.raises(RefusedError, match=why) as refused:
        safety(Host([OLD, SAFETY, OTHERS_SAFETY], lines))
    told = str(refused.value)
    assert "nothing was touched (exit 14)" in told
    assert told.endswith(f"with --file:\n    {KEPT}")


def test_where_nothing_at_all_was_kept_the_catalog_is_named():
    with pytest.raises(RefusedError, match="choose an archive from `fab -H web1 history`"):
        safety(Host([OLD], []))
