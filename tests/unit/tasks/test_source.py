"""Which archive a restore goes back to, of what the host has and of what lies here."""

import hashlib
from types import SimpleNamespace

import pytest
from fabric_predeploy.config.errors import RefusedError, UnprovenError
from fabric_predeploy.remote._door.report import Report
from fabric_predeploy.remote.catalog import PRE_RESTORE
from fabric_predeploy.tasks._restore.source import source


def record(version, stamp, **changes):
    label = changes.get("label", "pre-deploy")
    project = changes.get("project", "pricehawk")
    name = f"{project}-{label}-{version}-{stamp}.dump"
    created = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}T{stamp[9:11]}:{stamp[11:13]}:{stamp[13:]}Z"
    facts = {
        "format": "1",
        "project": project,
        "label": label,
        "version": version,
        "database": "shop",
        "created": created,
        "bytes": "9",
        "present_bytes": "9",
        "sha256": "ab" * 32,
        "proof": "read",
        **changes,
    }
    return [("archive", name), *facts.items()]


OLD = record("v1.0.0", "20250101-000000", proof="equal")
NEW = record("v1.0.1", "20250102-000000")
OTHERS = record("v2.0.0", "20250103-000000", database="other")
FOREIGN = record("v3.0.0", "20250104-000000", project="another")
SAFETY = record("before-v1.0.1", "20250105-000000", label=PRE_RESTORE)
NEWEST_SAFETY = record("before-v1.0.0", "20250106-000000", label=PRE_RESTORE)
OTHERS_SAFETY = record("before-v9", "20250107-000000", label=PRE_RESTORE, database="other")
NIGHTS = [record("nightly", f"2025012{day}-030000", label="on-host") for day in (1, 2, 3)]
OTHERS_NIGHT = record("nightly", "20250129-030000", label="on-host", database="other")
ALL = [OLD, NEW, OTHERS, FOREIGN, SAFETY, NEWEST_SAFETY, OTHERS_SAFETY, *NIGHTS, OTHERS_NIGHT]


class Host:
    """What `source` asks of one: the catalog, and to take an upload."""

    name = "web1"
    settings = SimpleNamespace(
        project="pricehawk",
        db_name="shop",
        backup_dir="~/backups",
        profile="web1",
        lock_wait_seconds=0,
        reconnect_seconds=120,
        db_bin_dir=None,
    )

    def __init__(self, *records):
        self.records = records
        self.received = b""

    def command(self, task):
        return f"fab -H web1 {task}"

    def must(self, _task, _steps, payload=None):
        if payload is None:
            return Report({"catalog": [fact for record in self.records for fact in record]}, 0)
        self.received = b"".join(payload)
        return Report({"receive": [("file", "/home/hawk/backups/upload.partial/it.dump")]}, 0)


@pytest.fixture
def host(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return Host(*ALL)


def version_of(found):
    return found.name.split("-2025")[0].removeprefix("pricehawk-")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("latest", "pre-deploy-v1.0.1"),
        ("latest@read", "pre-deploy-v1.0.1"),
        ("latest@restored", "pre-deploy-v1.0.0"),
        ("latest@equal", "pre-deploy-v1.0.0"),
        ("latest:pre-deploy", "pre-deploy-v1.0.1"),
        ("latest:pre-deploy@equal", "pre-deploy-v1.0.0"),
        ("latest:on-host", "on-host-nightly"),
        ("latest:on-host@read", "on-host-nightly"),
        ("latest:pre-restore", "pre-restore-before-v1.0.0"),
        ("v1.0.0", "pre-deploy-v1.0.0"),
        ("v2.0.0", "pre-deploy-v2.0.0"),
        ("20250102", "pre-deploy-v1.0.1"),
        (NEW[0][1], "pre-deploy-v1.0.1"),
        ("before-v1.0.1", "pre-restore-before-v1.0.1"),
    ],
)
def test_an_archive_is_found_and_a_kept_state_only_by_its_own_name(host, wanted, found):
    assert version_of(source(host, wanted)) == found


NOT_ONE = ["v1.0", "v4", "nightly", "latest@best", "latest@", "", "\n", "-2025"]
NOT_ONE += ["latest:", "latest:no", "latest:@read", "latest:on-host@", "latest:on-host@restored"]
NOT_ONE += ["latest@read:on-host"]


@pytest.mark.parametrize("wanted", NOT_ONE)
def test_what_is_none_or_several_is_refused_with_what_there_is(host, wanted):
    with pytest.raises(RefusedError, match=r"exit 14\)\n  What to do: .*fab -H web1 history"):
        source(host, wanted)


def test_latest_is_none_that_has_shrunk_which_its_name_finds():
    shrunk = record("v1.0.2", "20250108-000000", proof="equal", shrunk="yes")
    host = Host(OLD, NEW, shrunk)
    assert version_of(source(host, "latest")) == "pre-deploy-v1.0.1"
    assert version_of(source(host, "latest@equal")) == "pre-deploy-v1.0.0"
    assert version_of(source(host, "v1.0.2")) == "pre-deploy-v1.0.2"


def test_a_label_that_no_archive_has_is_refused_with_those_that_there_are(host):
    with pytest.raises(RefusedError, match="that are there: on-host, pre-deploy, pre-restore"):
        source(host, "latest:nightly")


def test_the_newest_of_a_label_is_not_the_one_before_an_unreadable_one():
    broken = record("nightly", "20250124-030000", label="on-host", sha256="?")
    with pytest.raises(RefusedError, match="not certain which archive is the latest"):
        source(Host(*NIGHTS, broken), "latest:on-host")
    assert version_of(source(Host(*NIGHTS, NEW, broken), "latest")) == "pre-deploy-v1.0.1"


def test_without_an_archive_of_this_database_there_is_no_latest():
    with pytest.raises(RefusedError, match="No archive is latest"):
        source(Host(OTHERS, FOREIGN, SAFETY), "latest")


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/srv/it.dump", "/srv/it.dump"),
        ("~/it's.dump", "~/it's.dump"),
        ("kept/it.dump", "~/kept/it.dump"),
    ],
)
def test_a_path_that_is_none_here_is_one_on_the_host(host, wanted, path):
    found = source(host, wanted)
    assert (found.name, found.upload) == (path, "")


@pytest.mark.parametrize(
    "wanted", ["../../etc/passwd", "~/../x", "~nobody-of-that-name/it", "/a\nb", "/" + "x" * 5000]
)
def test_a_path_that_leads_elsewhere_is_refused(host, wanted):
    with pytest.raises(RefusedError, match="a path on the host must"):
        source(host, wanted)


def test_a_file_here_is_sent_with_its_manifest(host, tmp_path):
    (tmp_path / "it's.dump").write_bytes(b"PGDMP and more")
    (tmp_path / "it's.manifest").write_bytes(b"database=shop\n")
    for wanted in ("./it's.dump", "~/it's.dump", str(tmp_path / "it's.dump"), "it's.dump"):
        found = source(host, wanted)
        assert found.name == "/home/hawk/backups/upload.partial/it.dump"
        assert found.upload == "it's"
        assert host.received == b"database=shop\nPGDMP and more"


def test_the_catalog_comes_before_a_file_here_of_the_same_name(host, tmp_path):
    (tmp_path / "v1.0.0").write_bytes(b"PGDMP and more")
    assert version_of(source(host, "v1.0.0")) == "pre-deploy-v1.0.0"


@pytest.mark.parametrize("sidecar", ["it.dump.sha256", "it.manifest"])
def test_a_file_that_its_sidecar_gives_away_is_not_sent(host, tmp_path, sidecar):
    (tmp_path / "it.dump").write_bytes(b"PGDMP and more")
    good = hashlib.sha256(b"PGDMP and more").hexdigest()
    lines = {"it.dump.sha256": "{}  it.dump\n", "it.manifest": "format=1\nsha256={}\n"}
    (tmp_path / sidecar).write_text(lines[sidecar].format(good))
    source(host, "./it.dump")
    host.received = b""

    (tmp_path / sidecar).write_text(lines[sidecar].format("0" * 64))
    with pytest.raises(UnprovenError, match=r"is not what its \.\w+ says"):
        source(host, "./it.dump")
    assert host.received == b""


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b"PGD", "is no archive of pg_dump --format=custom"),
        (b"CREATE TABLE t ();\n", "is SQL as text"),
        (b"\x1f\x8b\x08", "is packed with gzip"),
    ],
)
def test_a_file_that_is_no_archive_is_not_sent(host, tmp_path, content, what):
    (tmp_path / "it.sql").write_bytes(content)
    with pytest.raises(RefusedError, match=what) as refused:
        source(host, "./it.sql")
    assert "exit 14" in str(refused.value)
    assert host.received == b""


def test_a_directory_is_refused(host, tmp_path):
    with pytest.raises(RefusedError, match="is a directory"):
        source(host, f"{tmp_path}/")
