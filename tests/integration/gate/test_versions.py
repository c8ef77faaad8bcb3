"""Servers of every supported major version, each with its own programs and with others'."""

import pytest

from sandbox.sshd import available, openssh

MAJORS = (14, 15, 16, 17, 18)


@pytest.mark.parametrize("major", MAJORS)
def test_each_major_version_is_dumped_and_proven_with_the_fastest_compression_it_has(
    start_server, make_project, ssh, major
):
    project = make_project(start_server(major), ssh)

    done = project.predeploy()

    assert done.returncode == 0, done.stderr
    compression = "zstd:1" if major >= 16 else "gzip:1"
    assert f"pg_dump {project.pg.version} in {project.pg.bin_dir}, {compression};" in done.stderr
    assert project.fab("-H", "demo", "verify").returncode == 0


@pytest.mark.skipif(not available(), reason="needs OpenSSH's sshd")
def test_the_programs_of_the_servers_own_version_are_chosen_among_several(
    ground, start_server, make_project
):
    old, new = start_server(16), start_server(18)
    path = ":".join(str(each.bin_dir) for each in (new, start_server(17), old))
    with openssh(ground, login_shell="/bin/bash") as ssh:
        (ssh.home / ".bashrc").write_text(f"PATH={path}:$PATH\n")

        done = make_project(old, ssh, DB_BIN_DIR=None).predeploy()

    assert done.returncode == 0, done.stderr
    assert f"pg_dump {old.version}" in done.stderr


def test_programs_that_are_older_than_the_server_are_exit_10(start_server, make_project, ssh):
    project = make_project(start_server(17), ssh, DB_BIN_DIR=str(start_server(14).bin_dir))

    done = project.predeploy()

    assert done.returncode == 10
    assert "older" in done.stderr


def test_programs_that_are_newer_than_the_server_work_and_are_warned_about(
    start_server, make_project, ssh
):
    project = make_project(start_server(14), ssh, DB_BIN_DIR=str(start_server(18).bin_dir))

    done = project.predeploy()

    assert done.returncode == 0, done.stderr
    assert "newer than the server" in done.stderr


def test_zstd_is_refused_where_pg_dump_cannot_write_it(start_server, make_project, ssh):
    project = make_project(start_server(15), ssh, BACKUP_COMPRESS="zstd:3")

    done = project.predeploy()

    assert done.returncode == 10
    assert "zstd" in done.stderr


def test_a_subscription_that_is_left_out_is_named_everywhere(start_server, make_project, ssh):
    pg = start_server(15)
    pg.superuser(
        "CREATE SUBSCRIPTION feed CONNECTION 'dbname=nowhere' PUBLICATION p"
        " WITH (connect = false, slot_name = NONE)",
        "shop",
    )
    try:
        project = make_project(pg, ssh)
        done = project.predeploy()

        assert done.returncode == 0, done.stderr
        assert "subscription feed" in done.stdout
        assert "subscription feed" in done.stderr
        assert "subscription feed" in project.fab("-H", "demo", "history", "--json").stdout
    finally:
        pg.superuser("DROP SUBSCRIPTION feed", "shop")
