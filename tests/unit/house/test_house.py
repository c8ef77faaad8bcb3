"""The house keeps its order: who may import, run, read and print what."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from fabric_predeploy import remote

ROOT = Path(__file__).parents[3]
ROOMS = ("config", "remote", "tasks")  # each may import those to its left
MODULES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imported(path):
    """Names of top-level modules; of ours their path from the root, as `/room/module`.

    Those in functions count, and those for types alone.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for alias in node.names:
                found = base / alias.name if base.is_dir() else base
                yield f"/{found.relative_to(ROOT)}"


def files_imported(path):
    """Our files among them; of a folder its __init__.py, for a name that is made there."""
    for name in imported(path):
        if name.startswith("/"):
            module = ROOT / name[1:]
            ways = (module.with_suffix(".py"), module / "__init__.py")
            yield next((way for way in ways if way.exists()), module.parent / "__init__.py")


def called_name(node):
    return ast.unparse(node.func)


def called(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield called_name(node)


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_imports_point_one_way(path):
    own = path.relative_to(ROOT).parts[0]
    rooms = {name.split("/")[1] for name in imported(path) if name.startswith("/")}
    assert rooms <= {*ROOMS[: ROOMS.index(own) + 1]}


def test_no_command_imports_another():
    """What two commands need lies in a folder beside them."""
    commands = {f"/{relative(path.with_suffix(''))}" for path in (ROOT / "tasks").glob("*.py")}
    inner = [path for path in (ROOT / "tasks").rglob("*.py") if path.name != "__init__.py"]
    others = {relative(path): {*imported(path)} & commands for path in inner}
    assert {path: found for path, found in others.items() if found} == {}


def test_no_module_imports_itself_by_way_of_others():
    everything = {path: {*files_imported(path)} - {path} for path in MODULES}
    assert any(path.parent.name == "_door" for path in everything)  # and so on: all are there
    left = dict(everything)
    while leaves := [path for path in left if not left[path] & left.keys()]:
        for path in leaves:
            del left[path]
    assert sorted(map(relative, left)) == []


def test_tasks_use_only_what_remote_offers_them():
    """Its __init__.py names what they may use of the folders that are its own."""
    private = {
        relative(path): sorted(name for name in imported(path) if name.startswith("/remote/_"))
        for path in MODULES
        if relative(path).startswith("tasks/")
    }
    assert {path: names for path, names in private.items() if names} == {}


def test_what_remote_offers_is_there_and_is_what_types_are_checked_with():
    tree = ast.parse((ROOT / "remote" / "__init__.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node.module:
            module = import_module(f"fabric_predeploy.remote.{node.module}")
            for alias in node.names:
                offered = getattr(remote, alias.name, None)
                types_alone = alias.name not in vars(remote)["_INTERFACE"]
                assert types_alone or offered is getattr(module, alias.name)


def test_what_is_private_to_a_command_is_not_used_by_the_room_below():
    folders = {path.parent.name for path in MODULES if relative(path).startswith("tasks/_")}
    shown = [path for path in MODULES if relative(path).startswith("tasks/_show/")]
    for path in shown:
        used = {name.split("/")[2] for name in imported(path) if name.startswith("/tasks/")}
        assert used & folders <= {"_show"}, relative(path)


def test_only_what_makes_the_connection_names_paramiko():
    naming = {path.name for path in MODULES if "paramiko" in imported(path)}
    ssh = {"agent.py", "hop.py", "login.py", "match_exec.py", "offers.py", "proxy.py"}
    ssh |= {"ssh_config.py", "transport.py"}
    assert naming == ssh


def test_every_program_that_is_started_here_is_told_what_it_may_know():
    starting = {"subprocess.run", "subprocess.Popen", "subprocess.check_output", "invoke.run"}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in starting:
                (environment,) = (each.value for each in node.keywords if each.arg == "env")
                assert re.search("without_secrets|harmless_environment", ast.unparse(environment))
    others = {"os.system", "os.popen", "os.execv", "os.execvp", "os.spawnv", "os.posix_spawn"}
    assert not [relative(path) for path in MODULES if others & set(called(path))]


def test_only_the_door_runs_anything_on_a_host():
    ways = {"line.begin", "channel.exec_command", "c.run", "connection.run"}
    users = {
        path.name: {each.removeprefix("self._") for each in called(path)} & ways for path in MODULES
    }
    assert {name: found for name, found in users.items() if found} == {
        "shell.py": {"line.begin"},
        "channel.py": {"channel.exec_command"},
    }


def test_what_a_host_says_is_read_in_one_place():
    times = {"datetime.strptime", "datetime.fromisoformat"}
    assert [relative(path) for path in MODULES if times & set(called(path))] == ["remote/facts.py"]
    unread = re.compile(r"report\.facts\[|told\.facts\[|isdecimal|isdigit")
    for path in MODULES:
        if relative(path).startswith("tasks/"):
            assert not unread.search(path.read_text(encoding="utf-8")), relative(path)


def test_no_message_tells_its_exit_code_by_itself_or_is_taken_apart():
    """The fields of an error are what it says, and config/errors.py makes its message of them."""
    apart = re.compile(r"(?:partition|split|find|index)\(.*(?: \(exit|What to do| — )")
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert not apart.findall(text), relative(path)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and re.search(r"Error$|^type\(|kind", called_name(node)):
                parts = [
                    *node.args,
                    *(each.value for each in node.keywords if each.arg != "message"),
                ]
                assert not [part for part in parts if "(exit" in ast.unparse(part)], relative(path)


def test_signals_are_met_in_one_place():
    meeting = {"signal.signal", "signal.setitimer", "signal.alarm", "signal.pthread_sigmask"}
    places = [relative(path) for path in MODULES if meeting & set(called(path))]
    assert places == ["remote/signals.py"]


def test_only_config_reads_the_environment():
    readers = {
        path.relative_to(ROOT).parts[0]
        for path in MODULES
        if "os.environ" in path.read_text(encoding="utf-8") or "os.getenv" in called(path)
    }
    assert readers == {"config"}


def test_all_that_is_printed_goes_through_one_door():
    printing = [relative(path) for path in MODULES if "print" in called(path)]
    assert printing == ["tasks/_show/stream.py"]
    writing = {"sys.stdout.write", "sys.stderr.write", "os.write"}
    # What a program on this machine reads from us is not printed.
    writers = [relative(path) for path in MODULES if writing & set(called(path))]
    assert writers == ["remote/here/local_host.py"]
    assert [relative(path) for path in MODULES if {"_print", "order"} & set(called(path))] == [
        "tasks/_show/obeyed.py",
        "tasks/_show/stream.py",
    ]


def test_optional_and_heavy_modules_are_not_imported_at_the_top():
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [
            alias.name for each in tree.body if isinstance(each, ast.Import) for alias in each.names
        ]
        names += [str(each.module) for each in tree.body if isinstance(each, ast.ImportFrom)]
        top = {name.split(".")[0] for name in names}
        assert not top & {"dotenv", "cryptography", "rich"}
