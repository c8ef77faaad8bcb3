"""A run is one argument of the login shell, of which Linux takes 128 KiB."""

import subprocess
from dataclasses import replace

import pytest
from fabric_predeploy.remote import shell, steps
from fabric_predeploy.tasks.predeploy import gate

LIMIT = 128 * 1024
ROOM = 8 * 1024  # for long names and paths


def length(several):
    return len(shell._COMMAND.format(shell._encoded(shell.script(several, {}))))


@pytest.mark.parametrize("proof", ["read", "equal"])
def test_the_longest_predeploy_has_room(settings, proof):
    assert length(gate(replace(settings, proof=proof), "require")) < LIMIT - ROOM


def test_sql_that_an_earlier_step_was_given_is_not_sent_again(settings):
    both = [steps.rehearse(), steps.drill(replace(settings, drill_db="scratch"))]
    apart = sum(length([each]) - length([]) for each in both)
    assert length(both) - length([]) < apart - len(steps._sql("ours"))


@pytest.mark.parametrize(
    "value",
    ["", "it's", "' ' ' '", '"$HOME" `x` \\ \\\\', "a\n'b'\n", "'!'!'!'", "é'é'é'", "'$(x) ${y}'"],
)
def test_a_value_arrives_as_it_is_whichever_quotes_are_the_shorter(host, value):
    (assignment,) = shell._assignments({"value": value})
    host.script("told", f'{assignment}; printf %s "$value"')
    told = subprocess.run([host.bin / "told"], capture_output=True, check=True).stdout
    assert told.decode() == value
