"""What each step says of itself holds: for the recipes, for Python, and for its shell."""

import ast
import re
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
from fabric_predeploy.remote import recipes
from fabric_predeploy.remote._door.contract import contract, files, source, steps
from fabric_predeploy.remote._door.script import LIBRARY
from fabric_predeploy.remote.steps import rules, shown, step

from tests.shell_names import Names, names_of

ROOT = Path(__file__).parents[3]
STEPS = sorted(steps())
# That one gives what a client would, and to that one nothing is handed over.
FOLLOWING = sorted({*STEPS} - {"standalone", "attend"})
NAMES = {
    path.stem: names_of(source(name)) for name, path in files().items() if path.suffix == ".sh"
}
LINES = re.compile(r"needs|tells|fails|shows|(perhaps )?after \w+( or \w+)*|\w+_(sql|awk)")
AFTER = re.compile(r"(perhaps )?after (.*)")


def own(name):
    return [*contract(name).needs, name]


def together(names):
    found = Names()
    for name in names:
        for kind, several in vars(found).items():
            several.update(getattr(NAMES[name], kind))
    return found


def given(names):
    return {variable for name in names for variable in contract(name).given}


IN_EACH_RUN = together([*LIBRARY, "door"])
IN_EACH_RUN.assigned.update(given(["state", "door"]))


def after(name, *, perhaps=True):
    """The steps of which one comes before that one, and the variables that it leaves."""
    for part in own(name):
        for line, variables in contract(part).lines.items():
            found = AFTER.fullmatch(line)
            if found and (perhaps or not found[1]):
                yield found[2].split(" or "), variables.split()


def handed_over(name):
    return {variable for _, variables in after(name) for variable in variables}


def steps_before(name):
    return {before for several, _ in after(name) for before in several}


def left_by(name):
    """What a step sets, itself or by a function of a step that comes before it."""
    called = together(own(name)).called
    lenders = [each for each in steps_before(name) if called & together(own(each)).functions]
    return together([*own(name), *(part for each in lenders for part in own(each))]).assigned


def text_of(name):
    """All that a step is made of, without what it says of itself."""
    texts = [source(f"{part}.sh") for part in own(name)]
    for part in own(name):
        for variable in contract(part).given:
            named = contract(part).files_of(variable)
            texts += [source(each) for each in named if each in files()]
    return re.sub(r"(?m)^# tells: .*$", "", "\n".join(texts))


@pytest.mark.parametrize("name", STEPS)
def test_a_step_says_what_it_does_and_of_itself_nothing_unknown(name):
    first, description, *_ = source(f"{name}.sh").splitlines()
    assert first == "#!/bin/sh"
    assert re.match(r"# [A-Z].*[.:]?", description)
    for part in own(name):
        assert [line for line in contract(part).lines if not LINES.fullmatch(line)] == []
    assert contract(name).lines.get("fails", "10") in {"10", "12", "13", "14", "15", "16"}
    assert steps_before(name) <= {*STEPS}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_uses_all_that_it_is_given(name):
    assert given(own(name)) <= together(own(name)).used


@pytest.mark.parametrize("name", FOLLOWING)
def test_what_a_step_uses_is_its_own_or_is_handed_over_as_it_says(name):
    everything = together(own(name))
    used = {each for each in everything.used if each.islower()}
    known = everything.assigned | given(own(name)) | IN_EACH_RUN.assigned
    assert used - known <= handed_over(name)


@pytest.mark.parametrize("name", FOLLOWING)
def test_what_a_step_says_that_it_is_handed_over_is_used_and_was_set_before(
    name,
):
    used = together(own(name)).used
    for several, variables in after(name):
        for before in several:
            assert {*variables} <= left_by(before) | given(own(before)), before
        assert {*variables} <= used


@pytest.mark.parametrize("name", FOLLOWING)
def test_a_function_is_a_steps_own_or_of_a_step_that_it_says_comes_before(name):
    everything = together(own(name))
    others = {
        function: each
        for each in FOLLOWING
        for part in own(each)
        for function in NAMES[part].functions
    }
    unknown = everything.called - everything.functions - IN_EACH_RUN.functions
    lent = {part for each in steps_before(name) for part in own(each)}
    assert unknown & {*others} <= together(lent).functions


@pytest.mark.parametrize("name", FOLLOWING)
def test_a_step_that_works_in_the_directory_of_the_run_first_sees_that_there_is_one(name):
    """Without it, `$run_dir/facts` would be a file of the whole machine."""
    everything = together(own(name))
    by_others = {"rewrite_manifest", "record", "relay"} & everything.called
    works = by_others or "run_dir" in everything.used
    if works and "run_dir" not in everything.assigned:
        assert '\n: "${run_dir:?}"\n' in source(f"{name}.sh")


def every_recipe(settings):
    archive = SimpleNamespace(name="x.dump", sha256="abc", proof="read")
    drills = ["cluster", "database", "runner", None]
    for proof, drill in product(["auto", "written", "read", "restored", "equal"], drills):
        some = replace(settings, proof=proof, drill=drill)
        for rehearsal in ("off", "warn", "require"):
            yield recipes.gate(some, rehearsal)
            yield recipes.looking(replace(some, rehearsal=rehearsal))
        yield recipes.taking(some, "written")
        for grade in ("written", "read", "restored", "equal"):
            yield recipes.verifying(some, grade, "x.dump")
        yield recipes.drilling_here(some, "x.dump")
        yield recipes.recording_and_rotating(some, archive)
    yield recipes.foreseeing(settings, "x.dump")
    for mode, keeps in product(["transaction", "swap"], [True, False]):
        yield recipes.restoring(
            settings, "x.dump", "", mode=mode, lost="", keeps=keeps, terminate=False
        )
    yield recipes.salvaging(settings, "x.dump", "", ["shop"])
    yield recipes.old_databases(settings)
    yield recipes.old_databases(settings, ["x"])
    yield recipes.receiving(settings, "x", 1, 1, "abc")
    yield from (recipes.listing(), recipes.listing_with_future(settings))
    yield recipes.listing_with_restores()
    yield from (recipes.judging(settings, locked=locked) for locked in (True, False))
    yield from (recipes.removing(settings), recipes.locking(settings))
    yield from (recipes.telling_status(), recipes.telling_log(""))
    yield recipes.pinning(settings, "x.dump", pinned=True)
    yield from (recipes.installing(settings, b"x"), recipes.uninstalling())


def test_in_each_recipe_a_step_comes_after_those_that_it_says(settings):
    for recipe in every_recipe(settings):
        names = [each.name for each in recipe]
        for place, name in enumerate(names):
            for several, _ in after(name, perhaps=False):
                assert {*several} & {*names[:place], name}, (name, several, names)


def test_every_step_is_in_a_recipe(settings):
    used = {each.name for recipe in every_recipe(settings) for each in recipe}
    assert used == {*STEPS} - {"standalone", "attend", "fetch"}


def test_every_recipe_is_tried_here(settings):
    tree = ast.parse((ROOT / "remote/recipes.py").read_text())
    public = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
    tried = set(re.findall(r"recipes\.(\w+)\(", Path(__file__).read_text()))
    parts = {"proving", "recording", "rotating"}  # of other recipes
    assert {name for name in public if name[0] != "_"} == tried | parts


def test_no_function_is_defined_in_two_files():
    """So none depends on which of two comes last; but that one stands in for a client."""
    others = [each.functions for name, each in NAMES.items() if name != "standalone"]
    defined = Counter(function for functions in others for function in functions)
    assert [function for function, times in defined.items() if times > 1] == []


def test_the_library_knows_no_step():
    """Neither does it choose by the name of a step, nor write one."""
    names = "|".join(STEPS)
    for name in LIBRARY:
        for line in source(f"{name}.sh").splitlines():
            assert not re.search(rf"\b(begin|end|step=) ?[\"']?({names})\b", line), line
            assert "$step" not in line or not re.search(r"\bcase |\[ ", line), line


def facts_read():
    """Each step and fact that Python reads together, where both are written out."""
    for room in ("tasks", "remote"):
        for path in (ROOT / room).rglob("*.py"):
            for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(function, ast.FunctionDef):
                    yield from facts_read_by(function)


READERS = {"get", "all", "whole", "time", "word", "matched", "counted"}


def facts_read_by(function):
    named = dict(named_reports(function))
    for node in ast.walk(function):
        for facts, fact in readings(node):
            yield step_of(facts) or named.get(ast.unparse(facts)), fact


def readings(node):
    match node:
        case ast.Call(ast.Attribute(facts, reader), [ast.Constant(fact), *_]) if reader in READERS:
            yield facts, fact
        case ast.Subscript(facts, ast.Constant(fact)):
            yield facts, fact
        case ast.Compare(ast.Constant(fact), [ast.In() | ast.NotIn()], [facts]):
            yield facts, fact


def named_reports(function):
    for node in ast.walk(function):
        match node:
            case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)):
                yield from zip(map(ast.unparse, targets), map(step_of, values), strict=True)
            case ast.Assign([target], value) | ast.NamedExpr(target, value):
                yield ast.unparse(target), step_of(value)


def step_of(node):
    match node:
        case ast.Call(ast.Attribute(_, "of" | "must"), [ast.Constant(name)]):
            return name


WORDS = {
    node.value
    for path in (ROOT / "tasks").rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Constant)
}


def test_what_python_reads_of_a_step_is_what_it_says_that_it_tells():
    read = {(name, fact) for name, fact in facts_read() if name not in (None, "result")}
    assert len(read) > 40
    for name, fact in sorted(read):
        assert fact in contract(name).words("tells"), (name, fact)


@pytest.mark.parametrize("name", STEPS)
def test_what_a_step_says_that_it_tells_it_tells_and_python_reads(name):
    text = text_of(name)
    # What it passes on from a file was written there by another.
    written = (
        "\n".join(source(f"{each}.sh") for each in NAMES)
        if re.search("without_rows|/status", text)
        else ""
    )
    for fact in contract(name).words("tells"):
        told = rf"\b{fact}=|\b(facts?|looked) (.* )?{fact} "
        passed_on = rf"\bpairs (.* )?{fact} |problem=" if written else "^$"
        assert re.search(told, text) or re.search(passed_on, written), fact
        assert fact in WORDS, fact


def test_the_exit_code_of_a_step_goes_with_its_name(settings):
    assert "begin dump 12\n" in rules.dump(settings).script()
    assert "begin gate\n" in step("gate").script()


def test_a_person_reads_what_a_step_says_that_is_shown():
    assert shown("dump") == "dumping"
    assert shown("gate") == shown("no step") == shown("_back") == ""


def test_a_step_is_made_with_all_that_it_declares_and_nothing_else(settings):
    assert step("verify", proof="read").variables == {"proof": "read", "archive": ""}
    made = step("outline", settings).variables
    assert made["lock_timeout_seconds"] == str(settings.lock_timeout_seconds)
    assert made["outline_sql"] == source("outline.sql")
    assert step("rehearse").variables["rehearse_sql"].endswith(source("unqualified.sql"))
    with pytest.raises(TypeError, match="the step verify is not given proof"):
        step("verify")
    with pytest.raises(TypeError, match="the step gate does not declare proof"):
        step("gate", proof="read")


@pytest.mark.parametrize("name", sorted({*STEPS} - {"standalone"}))  # which reports to people
def test_a_step_that_lacks_what_an_earlier_one_sets_stops_with_a_report(host, name):
    """`set -u` ends it, and the way out is still the one that reports."""
    values = dict.fromkeys(given(own(name)), "1")
    report = host.run(step(name, **values))
    assert report.code is not None
    assert report.finished("result")
