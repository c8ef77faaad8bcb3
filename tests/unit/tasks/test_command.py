"""The flags of a command: those of the table of settings, and those of its function."""

import inspect

import pytest
from fabric_predeploy.config.settings import SPECS
from fabric_predeploy.tasks import namespace, predeploy, restore
from invoke import Context

TASKS = namespace.tasks.values()


def flags(task):
    return list(inspect.signature(task.body).parameters)[1:]


def test_a_flag_of_the_function_comes_first_unless_it_is_keyword_only():
    assert flags(restore)[0] == "file"
    assert flags(restore)[-3:] == ["lock_timeout", "lock_wait", "quiet"]
    assert flags(predeploy)[0] == "version"
    assert flags(predeploy)[-2:] == ["accept_shrink", "quiet"]


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_no_flag_must_be_given_so_that_invoke_takes_none_by_its_place(task):
    parameters = list(inspect.signature(task.body).parameters.values())[1:]
    assert parameters
    assert not [each for each in parameters if each.default is each.empty]
    assert task.positional == []


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_older_versions_of_invoke_find_the_same_flags(task):
    found = inspect.getfullargspec(task.body)
    assert found.args == ["c", *flags(task)]
    assert found.kwonlyargs == []


def test_every_command_that_the_table_of_settings_names_is_there():
    named = {name for spec in SPECS.values() for name in spec.flag.commands}
    assert named <= set(namespace.task_names)


def test_a_flag_that_a_command_does_not_have_is_refused():
    with pytest.raises(TypeError, match="'kept'"):
        predeploy(Context(), kept=3)
