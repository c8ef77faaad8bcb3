"""logs: what a run has said on the host, for whoever was not there."""


def logs(project, *options):
    return project.fab("-H", "demo", "logs", *options)


def test_the_last_run_is_told_as_it_was_logged(project):
    project.predeploy("v1")
    project.predeploy("v2", DB_PASSWORD="wrong")

    done = logs(project)

    assert done.returncode == 0
    newest = max(project.backup_dir.glob("backup-*.log"))
    assert done.stdout == newest.read_text()
    assert "predeploy: exit code 10" in done.stdout
    assert newest.name in done.stderr


def test_a_run_is_found_by_the_archive_that_it_has_made(project):
    project.predeploy("v1")
    (log,) = project.backup_dir.glob("backup-*.log")
    first = log.rename(project.backup_dir / "backup-20250314-123456.log")
    project.predeploy("v2")

    done = logs(project, "--file=v1")

    assert done.stdout == first.read_text()
    assert "-v1-" in done.stdout
    assert first.name in done.stderr


def test_the_log_of_a_restore_is_found_by_what_it_has_kept(project):
    project.predeploy("v1")
    assert project.fab("-H", "demo", "restore", "--file=v1", "--yes").returncode == 0

    assert "restore, asked for by" in logs(project, "--file=pre-restore").stdout


def test_a_log_that_has_gone_is_14_and_says_so(project):
    assert logs(project).returncode == 14
    project.predeploy("v1")
    (log,) = project.backup_dir.glob("backup-*.log")
    log.unlink()
    project.predeploy("v2")

    done = logs(project, "--file=v1")

    assert done.returncode == 14
    assert "is gone" in done.stderr
    assert logs(project, "--file=v3").returncode == 14


def test_a_log_gives_no_orders_to_the_terminal(project):
    project.predeploy("v1")
    (log,) = project.backup_dir.glob("backup-*.log")
    log.write_bytes(b"\x1b[2J\x9b5n\xff\t\xe2\x80\xa6\n")

    assert logs(project).stdout == "\\x1b[2J\ufffd5n\ufffd\t…\n"


def test_of_a_huge_log_the_end_is_shown_and_how_much_is_left_out(project):
    project.predeploy("v1")
    (log,) = project.backup_dir.glob("backup-*.log")
    log.write_text("".join(f"{n:015}\n" for n in range(200_000)))

    done = logs(project)

    assert "its first 3.0 MB are left out" in done.stderr
    assert done.stdout.endswith(f"{199_999:015}\n")
    assert len(done.stdout) == 200_000
