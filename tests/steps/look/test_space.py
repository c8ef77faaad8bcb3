"""How much room is left where the archives are."""

from fabric_predeploy.remote.steps import step


def space(host):
    report = host.run(step("space"), task="history")
    assert report.code == 0
    return report.of("space")


def test_it_is_that_of_the_directory_in_bytes(host):
    host.backup_dir.mkdir(0o700)
    header = "Filesystem 1024-blocks Used Available Capacity Mounted on"
    host.script("df", f"printf '%s\\n' '{header}' '/dev/a disk 900 800 100 89% /mnt/x 5% y'")
    assert space(host) == {"free_bytes": "102400"}


def test_of_a_directory_that_is_not_there_nothing_is_told(host):
    assert space(host) == {}
