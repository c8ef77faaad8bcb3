"""A step of a run on the host: its file says what it is given, and this gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._door.contract import contract, source, steps
from .._door.script import Step

if TYPE_CHECKING:
    from ...config.settings import Settings

Value = str | int | bool | None | list[str] | tuple[str, ...]


def step(name: str, settings: Settings | None = None, **given: Value) -> Step:
    """The step of that name, with a value for each variable that its files declare.

    A value is given here, or it is the setting of that name, or the text that a name such as
    `plan_sql` stands for. A variable that may be empty is so where there is no value.
    """
    values = {}
    for part in (*contract(name).needs, name):
        for variable, may_be_empty in contract(part).given.items():
            if variable in given:
                values[variable] = _written(given[variable])
            elif hasattr(settings, variable):
                values[variable] = _written(getattr(settings, variable))
            elif variable.endswith(("_sql", "_awk")):
                values[variable] = text(*contract(part).files_of(variable))
            elif may_be_empty:
                values[variable] = ""
            else:
                raise TypeError(f"the step {name} is not given {variable}")
    if undeclared := given.keys() - values.keys():
        raise TypeError(f"the step {name} does not declare {', '.join(sorted(undeclared))}")
    return Step(name, values)


def text(*files: str) -> str:
    """What is in those files, one behind the other."""
    return "".join(source(name) for name in files)


def shown(name: str) -> str:
    """What a person reads while a step of that name is at work; empty where it takes no time."""
    return contract(name).lines.get("shows", "") if name in steps() else ""


def _written(value: Value) -> str:
    """As a shell tells it: what is not true is empty, and a list has a line for each."""
    if isinstance(value, (list, tuple)):
        return "\n".join(value)
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else str(value)
