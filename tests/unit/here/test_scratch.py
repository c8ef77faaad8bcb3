"""Where an archive lies on this machine: ours alone, for one run at a time, and not for ever."""

import os
import stat
from pathlib import Path

import pytest
from fabric_predeploy.config.errors import LockedError, PreflightError
from fabric_predeploy.config.machine import cache_directory, harmless_environment
from fabric_predeploy.remote.here import scratch

SHA256 = "0123456789abcdef" * 4


@pytest.fixture
def base(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(scratch, "account", lambda: None)  # nobody could not come here
    return tmp_path / "fabric-predeploy"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_can_look_into_it(base):
    with scratch.taken(SHA256, 0) as directory:
        assert (mode(base), mode(directory)) == (0o700, 0o700)


def test_one_that_others_may_write_to_is_refused(base):
    base.mkdir()
    base.chmod(0o770)

    with pytest.raises(PreflightError, match="XDG_CACHE_HOME"):
        scratch.base()


def test_a_link_to_elsewhere_is_refused(base, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    base.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(PreflightError, match="we alone"):
        scratch.base()


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_one_that_others_could_exchange_is_refused(base, tmp_path, mode):
    tmp_path.chmod(mode)

    with pytest.raises(PreflightError, match=f"who may change {tmp_path}"):
        scratch.base()
    tmp_path.chmod(mode | stat.S_ISVTX)
    assert scratch.base() == base


def test_for_nobody_the_way_there_must_be_open(base, tmp_path, monkeypatch):
    monkeypatch.setattr(scratch, "account", lambda: "nobody")
    tmp_path.chmod(0o700)

    with pytest.raises(PreflightError, match="cannot pass"):
        scratch.base()
    assert not scratch.reachable(tmp_path)


def test_two_runs_do_not_try_the_same_archive_at_once(base):
    with scratch.taken(SHA256, 0), pytest.raises(LockedError), scratch.taken(SHA256, 0):
        pass
    with scratch.taken(SHA256, 0), scratch.taken(SHA256[::-1], 0):
        pass


def test_what_has_come_is_removed_at_the_end_also_of_one_that_fails(base):
    def fail(directory):
        (directory / "incoming").write_bytes(b"PGDMP")
        raise KeyError

    with pytest.raises(KeyError), scratch.taken(SHA256, 0) as directory:
        fail(directory)
    assert not directory.exists()


def test_what_was_left_of_a_run_that_was_killed_is_not_used_again(base):
    directory = base / SHA256[:16]
    (directory / "programs").mkdir(parents=True)
    (directory / "incoming").write_bytes(b"PGDMP")
    base.chmod(0o700)
    with scratch.taken(SHA256, 0) as taken:
        assert (taken, [*taken.iterdir()]) == (directory, [])


def test_what_others_have_left_is_removed_but_not_what_is_in_use(base):
    with scratch.taken(SHA256, 0) as directory:
        (base / SHA256[::-1][:16]).mkdir()
        with scratch.left_behind() as unfinished:
            assert unfinished == []
        assert [*base.iterdir()] == [directory]


def test_a_run_that_was_killed_is_found_and_files_of_others_are_not(base):
    directory = base / SHA256[:16]
    (directory / "run.partial").mkdir(parents=True)
    base.chmod(0o700)
    (base / "notes").mkdir()

    with scratch.left_behind() as unfinished:
        assert unfinished == [directory]
    with pytest.raises(LockedError, match="still at work"), scratch.taken(SHA256, 0):
        pass
    assert (directory / "run.partial").exists()
    assert (base / "notes").exists()


def test_the_server_hears_of_no_secret(monkeypatch):
    monkeypatch.setenv("DB_PASSWORD", "secret")
    monkeypatch.setenv("PATH", "/bin")

    environment = harmless_environment(Path("/some"))

    assert environment["HOME"] == "/some"
    assert environment["PATH"] == "/bin"
    assert "secret" not in environment.values()


@pytest.mark.parametrize("base", ["", "relative"])
def test_without_a_word_it_is_below_the_home_and_for_root_where_others_can_come(base, monkeypatch):
    environ = {"XDG_CACHE_HOME": base}
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert cache_directory(environ) == Path.home() / ".cache" / "fabric-predeploy"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert cache_directory(environ) == Path("/var/cache/fabric-predeploy")
