"""Each step declares its variables, and the function of its name gives them."""

import inspect
import re
from importlib import import_module

import pytest
from fabric_predeploy.remote._door import script

steps = import_module("fabric_predeploy.remote.steps")
SCRIPTS = sorted(script.steps())


def declared(text: str) -> set[str]:
    """What the client gives; a line that ends in `# from …` names what earlier steps have set."""
    lines = [line for line in text.splitlines() if line.startswith(': "${')]
    from_client = [line for line in lines if "# from" not in line]
    return set(re.findall(r"\$\{(\w+):?\?\}", " ".join(from_client[:1])))


def functions():
    return {
        name: function
        for name, function in inspect.getmembers(steps, inspect.isfunction)
        if function.__module__.startswith(steps.__name__)
    }


def given(name, settings):
    arguments = {
        "settings": settings,
        "create": True,
        "proof": "read",
        "name": "x.dump",
        "terminate": True,
        "run": "0123456789abcdef",
        "offset": 0,
        "known_proof": "read",
    }
    arguments |= {
        "script": b"#!/bin/sh",
        "upload": "some",
        "dump_bytes": 5,
        "manifest_bytes": 0,
        "sha256": "abc",
    }
    wanted = inspect.signature(functions()[name]).parameters
    return functions()[name](**{key: arguments[key] for key in wanted if key in arguments})


def test_every_step_has_a_function_and_every_function_a_step():
    assert sorted(functions()) == SCRIPTS


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_step_is_given_exactly_the_variables_that_it_declares(name, settings):
    step = given(name, settings)
    assert step.name == name
    assert set(step.variables) == declared(script.source(f"{name}.sh"))


@pytest.mark.parametrize("name", sorted({*SCRIPTS} - {"standalone"}))  # which reports to people
def test_a_step_that_lacks_what_an_earlier_one_sets_stops_with_a_report(host, name):
    """`set -u` and `:?` end it, and the way out is still the one that reports."""
    report = host.run(given(name, host.settings))
    assert report.code is not None
    assert report.finished("result")
