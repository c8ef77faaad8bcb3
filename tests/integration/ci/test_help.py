"""What `fab --list` and `fab --help` show, on a terminal of 80 columns."""

import pytest
from fabric_predeploy.tasks import namespace

COLUMNS = 80


def shown(project, *arguments):
    done = project.fab(*arguments, COLUMNS=str(COLUMNS))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= COLUMNS
    return lines


def test_the_list_has_one_line_for_each_task(project):
    lines = [line for line in shown(project, "--list")[1:] if line]
    assert [line.split()[0] for line in lines] == sorted(namespace.task_names)


@pytest.mark.parametrize("task", namespace.task_names)
def test_help_tells_of_each_flag_in_two_lines_at_most(project, task):
    lines = shown(project, "--help", task)
    options = lines[lines.index("Options:") + 1 :]
    flags = [number for number, line in enumerate(options) if line.lstrip().startswith("-")]
    assert flags
    following = [*flags[1:], len([line for line in options if line])]
    assert max(after - flag for flag, after in zip(flags, following, strict=True)) <= 2
