"""The lines that init tells for a fabfile that is there: it keeps its tasks, and gets ours."""

import pytest
from fabric_predeploy.config.project import lines_for

TASK = "from invoke.tasks import task\n\n@task\ndef deploy(c):\n    print('deployed')\n"
COLLECTION = "from invoke.collection import Collection\n"
FABFILES = {
    "with tasks": TASK,
    "with fabric's tasks": TASK.replace("invoke.tasks", "fabric"),
    "with tasks named like ours": TASK + "\n@task\ndef status(c):\n    print('mine')\n",
    "with a collection ns": f"{TASK}{COLLECTION}ns = Collection(deploy)\n",
    "with a typed one": f"{TASK}{COLLECTION}ns: Collection = Collection(deploy)\n",
    "with a collection namespace": f"{TASK}{COLLECTION}namespace = Collection(deploy)\n",
}


@pytest.mark.parametrize("fabfile", FABFILES.values(), ids=FABFILES)
def test_with_these_lines_own_tasks_and_ours_are_there(project, fabfile):
    (project.directory / "fabfile.py").write_text(f"{fabfile}\n{lines_for(fabfile)}\n")

    listed = project.fab("--list").stdout.split()
    assert {"deploy", "db.predeploy", "db.restore", "db.doctor"} <= set(listed)
    assert project.fab("deploy").stdout == "deployed\n"
    assert project.fab("-H", "demo", "db.history").returncode == 0
