"""The record of restores is told as it stands, its last lines alone, and not through a link."""

from fabric_predeploy.remote.steps import step


def told(host):
    report = host.run(step("restores", most_lines=1000), task="restore")
    assert report.code == 0
    return report.of("restores").all("line")


def test_without_a_record_there_are_no_lines(host):
    assert told(host) == ()
    host.backup_dir.mkdir(0o700)
    assert told(host) == ()
    (host.backup_dir / "restores").touch()
    assert told(host) == ()


def test_the_last_lines_are_told_in_their_order(host):
    host.backup_dir.mkdir(0o700)
    lines = [f"{number} restored a dump" for number in range(1500)]
    (host.backup_dir / "restores").write_text("".join(f"{line}\n" for line in lines))
    assert list(told(host)) == lines[-1000:]


def test_a_link_is_not_followed(host, tmp_path):
    host.backup_dir.mkdir(0o700)
    (tmp_path / "secret").write_text("secret\n")
    (host.backup_dir / "restores").symlink_to(tmp_path / "secret")
    assert told(host) == ()
