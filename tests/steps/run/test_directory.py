"""Nobody but us and root can put another directory, or another file, in the place of ours."""

import os
import stat

import pytest
from fabric_predeploy.remote import recipes
from fabric_predeploy.remote.steps import rules, step

NEIGHBOUR = 48199
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="giving a directory away needs root")
FOR_OTHERS = {"others": 0o757, "its group": 0o775, "everybody, with setgid": 0o2777}


@pytest.fixture
def below(host):
    """BACKUP_DIR three levels below the home."""

    def make(*, made=True):
        host.backup_dir = host.home / "sites" / "shop" / "backups"
        host.set(backup_dir=str(host.backup_dir))
        if made:
            host.backup_dir.mkdir(parents=True, mode=0o700)
        return host.home / "sites"

    return make


def refused(report, *words):
    told = [
        *map(str, report.problems),
        report.of("result")["reason"],
        report.of("result")["remedy"],
    ]
    assert report.code == 10
    for word in words:
        assert word in " ".join(told), told


READERS = {
    "history": lambda _: [step("catalog")],
    "status": lambda _: [step("status")],
    "logs": lambda _: [step("logs", most_bytes=recipes.LOG_BYTES)],
    "space": lambda _: [step("space")],
    "rotate --dry-run": lambda settings: [step("awk"), rules.retention(settings)],
    "fetch": lambda _: [step("fetch", archive="x-20250314-123456.dump", sha256="0" * 64, offset=0)],
    "attend": lambda _: [step("attend", run="0" * 32)],
}


def links_in(directory):
    return sorted(path.name for path in directory.iterdir() if path.is_symlink())


@pytest.mark.parametrize("mode", FOR_OTHERS.values(), ids=FOR_OTHERS)
@pytest.mark.parametrize("level", ["the parent", "the parent of the parent"])
def test_a_directory_in_one_that_others_may_write_is_refused(host, below, mode, level):
    top = below()
    open_one = top if level == "the parent of the parent" else top / "shop"
    open_one.chmod(mode)
    refused(host.predeploy(), f"others may write to {open_one}", f"chmod go-w '{open_one}'")
    assert list(host.backup_dir.iterdir()) == []
    open_one.chmod(mode & 0o755)
    assert host.predeploy().code == 0


@pytest.mark.parametrize("mode", FOR_OTHERS.values(), ids=FOR_OTHERS)
def test_none_is_made_in_one_that_others_may_write(host, below, mode):
    top = below(made=False)
    top.mkdir()
    top.chmod(mode)
    refused(host.predeploy(), f"others may write to {top}")
    assert list(top.iterdir()) == []


@as_root
@pytest.mark.parametrize("level", ["sites", "sites/shop"])
def test_a_directory_below_that_of_another_user_is_refused(host, below, level):
    below()
    os.chown(host.home / level, NEIGHBOUR, NEIGHBOUR)
    refused(host.predeploy(), f"{host.home / level} belongs to another user ({NEIGHBOUR})")
    assert list(host.backup_dir.iterdir()) == []


def test_a_sticky_directory_is_good_enough_for_what_is_ours(host, below):
    top = below()
    top.chmod(0o1777)
    assert host.predeploy().code == 0


@as_root
def test_what_another_user_has_put_into_a_sticky_directory_is_refused(host, below):
    top = below()
    top.chmod(0o1777)
    os.chown(top / "shop", NEIGHBOUR, NEIGHBOUR)
    refused(host.predeploy(), "belongs to another user")


@as_root
def test_a_link_of_another_user_is_refused_wherever_it_leads_to(host, below):
    top = below()
    top.chmod(0o1777)
    (top / "link").symlink_to("shop")
    os.chown(top / "link", NEIGHBOUR, NEIGHBOUR, follow_symlinks=False)
    host.set(backup_dir=f"{top}/link/backups")
    refused(host.predeploy(), f"{top}/link -> shop belongs to another user")


@pytest.mark.parametrize(
    "target", ["{root}/data/web/backups", "../data/web/backups", "../data/./web//backups/"]
)
def test_links_are_followed_and_what_they_lead_to_is_looked_at(host, target):
    real = host.root / "data" / "web" / "backups"
    real.mkdir(parents=True, mode=0o700)
    (host.home / "backups").symlink_to(target.format(root=host.root))
    assert host.predeploy().code == 0
    assert links_in(host.home) == ["backups"]
    (host.root / "data").chmod(0o777)
    refused(host.predeploy(), f"others may write to {host.root}/data")


def test_a_home_that_is_a_link_is_no_obstacle(host, monkeypatch):
    (host.root / "way").symlink_to(host.home)
    monkeypatch.setenv("HOME", str(host.root / "way"))
    host.set(backup_dir="~/backups")
    report = host.predeploy()
    assert report.code == 0
    assert host.dumps() == [report.of("publish")["archive"]]


def test_links_that_lead_in_a_circle_are_refused(host):
    (host.home / "a").symlink_to("b")
    (host.home / "b").symlink_to("a")
    host.set(backup_dir="~/a/backups")
    assert host.predeploy().code == 10


@pytest.mark.parametrize("reader", READERS)
def test_what_only_reads_refuses_it_too(host, below, reader):
    top = below()
    (host.backup_dir / "status").write_text("result=success\n")
    several = READERS[reader](host.settings)
    top.chmod(0o777)
    report = host.run(*several, task="status", keeps_status=False)
    refused(report, f"others may write to {top}", f"chmod go-w '{top}'")
    assert "result" not in report.of("status")
    top.chmod(0o755)
    assert host.run(*several, task="status", keeps_status=False).code != 10
    host.backup_dir.chmod(0o777)
    refused(host.run(*several, task="status", keeps_status=False), "others may write")


def test_who_only_looks_tells_of_it_and_shows_nothing_from_there(host, below):
    top = below()
    (host.backup_dir / "status").write_text("result=success\n")
    top.chmod(0o777)
    lock, *others = host.until_preflight()
    report = host.run(step("look"), lock, *others, task="doctor", keeps_status=False)
    assert report.code == 10
    assert report.of("lock")["failed"] == "directory"
    assert "last_result" not in report.of("look")


def test_the_status_does_not_go_on_telling_of_success_once_others_may_write(host, below):
    top = below()
    assert host.predeploy().code == 0
    top.chmod(0o777)
    assert host.predeploy().code == 10
    assert host.status()["result"] == "failure"


OWN = ["lock", "status", "restores", "restore.database", "run.report", "run.report.before"]
PLANTS = {
    "a link to a file of ours": lambda path, ours: path.symlink_to(ours),
    "a link to nothing": lambda path, _: path.symlink_to("nothing"),
    "a pipe": lambda path, _: os.mkfifo(path),
    "a directory": lambda path, _: path.mkdir(),
}


@pytest.fixture
def planted(host):
    """What somebody has put there who could once write."""
    host.backup_dir.mkdir(mode=0o700)
    ours = host.home / ".profile"
    ours.write_text("ours\n")
    yield ours
    assert ours.read_text() == "ours\n"
    assert not (host.backup_dir / "nothing").exists()


@pytest.mark.parametrize("how", PLANTS)
@pytest.mark.parametrize("name", OWN)
def test_what_stands_in_the_place_of_a_file_of_ours_is_refused(host, planted, name, how):
    PLANTS[how](host.backup_dir / name, planted)
    refused(host.predeploy(), f"{host.backup_dir}/{name} is not a plain file of this account")
    assert host.dumps() == []


@as_root
def test_a_file_of_another_user_is_not_written_to(host, planted):
    (host.backup_dir / "restores").touch()
    os.chown(host.backup_dir / "restores", NEIGHBOUR, NEIGHBOUR)
    refused(host.predeploy(), "restores is not a plain file of this account")


@pytest.mark.parametrize("how", ["a link to a file of ours", "a link to nothing", "a pipe"])
@pytest.mark.parametrize(
    "name",
    [
        *(
            f"pricehawk-pre-deploy-v1-20250314-005320{end}"
            for end in (".partial", ".manifest.partial", ".dump.sha256.partial")
        ),
        "status.partial",
        "run.partial",
        "upload.partial",
        "backup-20250315-005320.log",
        "backup-20250314-005320.log",
    ],
)
def test_nothing_is_written_into_what_was_put_there_for_us(host, planted, name, how):
    host.clock(1741913600)
    PLANTS[how](host.backup_dir / name, planted)
    assert host.predeploy().code == 0
    assert {stat.S_IFMT(path.lstat().st_mode) for path in host.backup_dir.iterdir()} >= {
        stat.S_IFREG
    }
    (archive,) = host.dumps()
    assert (host.backup_dir / archive).read_bytes() == b"PGDMP of shop"
    assert stat.S_ISREG((host.backup_dir / archive).lstat().st_mode)


@pytest.mark.parametrize("how", ["a link to a file of ours", "a pipe"])
def test_status_and_logs_show_nothing_that_is_no_file_of_ours(host, planted, how):
    for name in ("status", "backup-20250314-005320.log"):
        PLANTS[how](host.backup_dir / name, planted)
    for reader in ("status", "logs"):
        several = READERS[reader](host.settings)
        report = host.run(*several, task="status", keeps_status=False)
        assert "ours" not in str(report)


# What a neighbour could do who may write to the parent, or an administrator by mistake.
MOVED = '/bin/mv "$HOME/backups" "$HOME/away"; '
OTHERS_HAVE_IT = MOVED + '/bin/mkdir -m 777 "$HOME/backups"'
A_LINK = MOVED + '/bin/mkdir -m 700 "$HOME/else"; /bin/ln -s else "$HOME/backups"'
GONE = MOVED.removesuffix("; ")
EXCHANGES = {"another directory": OTHERS_HAVE_IT, "a link": A_LINK, "nothing": GONE}


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES)
@pytest.mark.parametrize("moment", ["after the lock", "during the dump", "before it is published"])
def test_a_directory_that_is_exchanged_gets_no_byte_and_publishes_nothing(host, exchange, moment):
    real = f"{host.tools}/sha256sum"
    if moment == "after the lock":
        host.script("mkdir", f'/bin/mkdir "$@"; case "$*" in *run.partial) {exchange} ;; esac')
    elif moment == "during the dump":
        host.stub("pg_dump", f'printf PGD >"$file"; {exchange}; printf MP >>"$file"')
    else:
        host.script("sha256sum", f'{exchange}; exec {real} "$@"')
    report = host.predeploy()
    assert report.code == 12, report.of("result")
    assert "was removed, or is another now" in report.of("result")["reason"]
    there = host.home / "backups"
    assert not there.exists() or list(there.iterdir()) == []
    assert list((host.home / "away").glob("*.dump")) == []
    assert list((host.home / "away").glob("*.partial")) == []


CHANGES = {
    "open to others": '/bin/chmod 644 "$file"',
    "open to its group": '/bin/chmod 660 "$file"',
    "its sidecar open": '(umask 0; : >"${file%.partial}.dump.sha256.partial")',
    "a link": '/bin/mv "$file" "$HOME/elsewhere"; /bin/ln -s "$HOME/elsewhere" "$file"',
}
if os.geteuid() == 0:
    CHANGES["of another user"] = f'/bin/chown {NEIGHBOUR} "$file"'


@pytest.mark.parametrize("change", [*CHANGES])
def test_a_dump_that_others_can_read_or_own_is_not_published(host, change):
    host.stub("pg_dump", f'printf PGDMP >"$file"; {CHANGES[change]}')
    report = host.predeploy()
    if change == "its sidecar open":  # it is made anew
        assert report.code == 0
        return
    assert report.code == 12
    assert "its owner or its mode is another now" in report.of("result")["reason"]
    assert host.kept() == {}


def test_the_dump_is_for_us_alone_from_its_first_byte(host):
    host.stub("pg_dump", '/bin/ls -l "$file" >"$HOME/seen"; printf PGDMP >"$file"')
    assert host.predeploy().code == 0
    assert (host.home / "seen").read_text().startswith("-rw------- 1 ")


def test_paths_that_are_told_are_whole_ones(host):
    name = host.archive()
    lock, programs, *_ = host.until_preflight(create=False)
    report = host.run(lock, programs, step("archive", archive=name), task="verify")
    assert report.of("archive")["file"] == str(host.backup_dir / name)
