"""What the tests of doctor share."""

import json
from contextlib import contextmanager


def doctor(project, **changes):
    done = project.fab("-H", "demo", "doctor", "--json", BACKUP_VERSION="v1", **changes)
    return done.returncode, json.loads(done.stdout)


def failures(findings):
    return {
        each["check"]: f"{each['detail']} {each['remedy']}"
        for each in findings
        if each["result"] == "fail"
    }


def result_of(findings, check):
    return {each["result"] for each in findings if each["check"] == check}


def agree(project, code, check, *words, **changes):
    """Both refuse, with the same exit code and for the same cause."""
    diagnosed, findings = doctor(project, **changes)
    done = project.predeploy("v1", **changes)
    assert (diagnosed, done.returncode) == (code, code), (findings, done.stderr)
    failed = " ".join(text for name, text in _all_failures(findings) if name == check)
    assert not [word for word in words if word not in failed], findings
    assert not [word for word in words if word not in done.stderr], done.stderr
    return findings


def _all_failures(findings):
    return [
        (each["check"], f"{each['detail']} {each['remedy']}")
        for each in findings
        if each["result"] == "fail"
    ]


def _detail(findings, check):
    return "\n".join(each["detail"] for each in findings if each["check"] == check)


@contextmanager
def sql(project, make, undo):
    project.pg.superuser(make, "shop")
    try:
        yield
    finally:
        project.pg.superuser(undo, "shop")
