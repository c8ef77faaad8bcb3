"""An archive that stands with less than was demanded is no success, however its run ended."""

from dataclasses import dataclass, field

import pytest
from fabric_predeploy.config.errors import HostError
from fabric_predeploy.config.loading import load
from fabric_predeploy.config.settings import Settings
from fabric_predeploy.remote._door.report import LOST, Report
from fabric_predeploy.tasks._gate import able_here
from fabric_predeploy.tasks._gate.gate import _run

ENVIRON = {"DB_NAME": "shop", "DB_USER": "owner", "BACKUP_VERSION": "v1"}
ENVIRON |= {"BACKUP_PROOF": "equal", "BACKUP_DRILL": "runner"}


@dataclass
class Host:
    settings: Settings
    reports: list[Report]
    asked: list = field(default_factory=list)

    def run(self, _task, steps, **_options):
        self.asked.append([step.name for step in steps])
        return self.reports.pop(0)

    def failure(self, _task, _report):
        return HostError("the connection was lost")


@pytest.fixture
def settings(tmp_path):
    return load("web1", environ=ENVIRON, directory=tmp_path)


def test_a_host_that_is_lost_once_it_has_published_is_a_failure(settings, monkeypatch):
    monkeypatch.setattr(able_here, "check_programs", lambda: None)
    told = dict.fromkeys(("publish", "gate", "defer"), ())
    host = Host(settings, [Report(told, LOST)])

    with pytest.raises(HostError):
        _run(host, accept_shrink=False)

    assert len(host.asked) == 1
    assert host.asked[0][-1] == "defer"
    assert not {"place", "drill", "prune"} & set(host.asked[0])
