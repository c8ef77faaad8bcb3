"""Where a restore ends before its host could say so, its error tells what the database is like."""

import pytest
from fabric_predeploy.config.errors import InterruptedRunError, PreflightError, RefusedError
from fabric_predeploy.tasks._restore.state import state_told


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("no such archive", "no such archive; nothing was touched (exit 14)"),
        (
            "No archive. There is a.dump.",
            "No archive. There is a.dump; nothing was touched (exit 14)",
        ),
        ("refused; nothing was touched", "refused; nothing was touched (exit 14)"),
    ],
)
def test_an_error_says_once_what_became_of_the_database_in_one_sentence(what, told):
    with pytest.raises(RefusedError) as raised, state_told("nothing was touched"):
        raise RefusedError(what, remedy="choose another")
    assert str(raised.value) == f"{told}\n  What to do: choose another"


def test_an_interruption_keeps_its_exit_code():
    with pytest.raises(InterruptedRunError) as raised, state_told("nothing was touched"):
        raise InterruptedRunError("interrupted by you")
    assert (raised.value.code, raised.value.what) == (
        130,
        "interrupted by you; nothing was touched",
    )


def test_an_error_before_the_host_is_asked_is_left_as_it_is():
    with pytest.raises(PreflightError) as raised, state_told("nothing was touched"):
        raise PreflightError("the host is not ready")
    assert str(raised.value) == "the host is not ready (exit 10)"
