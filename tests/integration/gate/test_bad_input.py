"""Bad input is told before anything is contacted: the host of these tests does not exist."""

import pytest

HOSTILE_VERSIONS = ["/", "ü;", "v1\n2", "-v1", "v" * 300]


@pytest.fixture
def nowhere(project):
    return project.with_profile(SSH_HOST="host.invalid")


@pytest.mark.parametrize("version", HOSTILE_VERSIONS)
def test_a_version_that_is_no_plain_name_is_exit_2(nowhere, version):
    done = nowhere.predeploy(version)

    assert done.returncode == 2
    assert "BACKUP_VERSION" in done.stderr
    assert "--version" in done.stderr


@pytest.mark.parametrize("number", ["0", "-1", "abc"])
def test_a_nonsensical_max_backups_is_exit_2_and_removes_nothing(project, number):
    project.predeploy("v1")
    project.predeploy("v2")
    before = project.archives()

    for command in (["predeploy", "--version=v3"], ["rotate"]):
        done = project.fab("-H", "demo", *command, MAX_BACKUPS=number)
        assert done.returncode == 2
        assert "MAX_BACKUPS" in done.stderr
    assert project.archives() == before


def test_an_unknown_profile_is_exit_2_and_the_known_ones_are_named(nowhere):
    done = nowhere.fab("-H", "dmeo", "predeploy", "--version=v1")

    assert done.returncode == 2
    assert "dmeo" in done.stderr
    assert "demo" in done.stderr


def test_a_missing_database_name_is_exit_2_with_the_name_of_the_setting(nowhere):
    done = nowhere.with_profile(DB_NAME=None).predeploy()

    assert done.returncode == 2
    assert "DB_NAME" in done.stderr


def test_an_unreadable_key_file_is_exit_2_with_the_name_of_the_setting(nowhere):
    project = nowhere.with_profile(SSH_KEY_FILE=str(nowhere.directory / "no-such-key"))

    done = project.predeploy(SSH_PRIVATE_KEY=None)

    assert done.returncode == 2
    assert "SSH_KEY_FILE" in done.stderr


def test_key_text_that_is_no_key_is_exit_2_with_the_name_of_the_setting(nowhere):
    done = nowhere.predeploy(SSH_PRIVATE_KEY="not a key")

    assert done.returncode == 2
    assert "SSH_PRIVATE_KEY" in done.stderr


def test_no_host_at_all_is_exit_2_and_says_how_to_give_one(nowhere):
    done = nowhere.fab("predeploy", "--version=v1")

    assert done.returncode == 2
    assert "PREDEPLOY_HOST" in done.stderr


def test_all_problems_are_told_at_once(nowhere):
    project = nowhere.with_profile(DB_USER=None, DB_PORT="many")

    done = project.predeploy("-v", MAX_BACKUPS="0")

    assert done.returncode == 2
    assert not [
        name
        for name in ("DB_USER", "DB_PORT", "BACKUP_VERSION", "MAX_BACKUPS")
        if name not in done.stderr
    ]


def test_fabs_own_dry_run_is_exit_2_and_names_what_looks_without_changing(nowhere):
    done = nowhere.fab("--dry", "-H", "demo", "predeploy", "--version=v1")

    assert done.returncode == 2
    assert "fab doctor" in done.stderr
    assert "nothing was contacted" in done.stderr
