"""Each test has a host of its own, once for each shell."""

import faulthandler
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fabric_predeploy.config.loading import load
from fabric_predeploy.config.settings import Settings

from tests.steps.host import SHELLS, Host

# Where signals, pipes, `read`, `wait` or quoting matter, shells differ. Of the other modules the
# other shells run one test in a gate, and all of them in `make thorough`.
IN_EACH_SHELL = [
    "attend",
    "door",
    "dump",
    "fetch",
    "harmless",
    "interruption",
    "lock",
    "progress",
    "publish",
    "receive",
    "request",
    "standalone",
    "verify",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seen = set()
    for item in items:
        shell = getattr(item, "callspec", None) and item.callspec.params.get("sh")  # type: ignore[attr-defined]
        module = item.path.stem.removeprefix("test_")
        if Path(__file__).parent not in item.path.parents or shell in (None, "dash"):
            continue
        if module not in IN_EACH_SHELL and (module, shell) in seen:
            item.add_marker(pytest.mark.thorough)
        seen.add((module, shell))


@pytest.fixture(scope="session", params=SHELLS)
def sh(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if SHELLS[name] is None:
        pytest.skip(f"{name} is not installed here")
    return name


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    environ = {"DB_NAME": "shop", "DB_USER": "owner", "BACKUP_VERSION": "v1"}
    environ |= {"BACKUP_PROOF": "read", "BACKUP_REHEARSAL": "warn"}
    return load("web1", environ=environ, directory=tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def new_host(sh: str, settings: Settings) -> Callable[..., Any]:
    """A context manager: a host under that directory, into whose environment the steps are run."""

    @contextmanager
    def make(root: Path) -> Iterator[Host]:
        with pytest.MonkeyPatch.context() as patch:
            host = Host(root, sh, settings)
            for name, value in host.environment().items():
                patch.setenv(name, value)
            yield host

    return make


@pytest.fixture(scope="session")
def _stderr(pytestconfig: pytest.Config) -> Iterator[int]:
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        duplicate = os.dup(2)
    yield duplicate
    os.close(duplicate)


@pytest.fixture(autouse=True)
def _watchdog(_stderr: int) -> Iterator[None]:
    """A step that hangs would hang for good; this ends the whole run and shows where it was."""
    faulthandler.dump_traceback_later(30, exit=True, file=_stderr)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def host(new_host: Callable[..., Any], tmp_path: Path) -> Iterator[Host]:
    with new_host(tmp_path) as made:
        yield made
