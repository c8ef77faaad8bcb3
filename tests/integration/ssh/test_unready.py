"""A host out of reach, not trusted or not ready: which exit code, and what is said."""

import subprocess
from contextlib import contextmanager


@contextmanager
def small_disk(project, size):
    """BACKUP_DIR on a tmpfs of its own, inside the mount namespace of the sandbox's sshd."""
    inside = ["nsenter", f"--target={project.ssh.pid}", "--mount"]
    options = f"size={size},uid={project.ssh.uid},gid={project.ssh.uid},mode=0700"
    project.backup_dir.mkdir()
    subprocess.run(
        [*inside, "mount", "-t", "tmpfs", "-o", options, "tmpfs", project.backup_dir], check=True
    )
    try:
        yield (
            lambda *command: (
                subprocess.run(
                    [*inside, "sh", "-c", 'cd "$0" && exec "$@"', project.backup_dir, *command],
                    capture_output=True,
                    check=True,
                    encoding="utf-8",
                ).stdout
            )
        )
    finally:
        subprocess.run([*inside, "umount", project.backup_dir], check=True)


def make_key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)


def refused(done, code, *words):
    assert done.returncode == code, done.stderr
    assert not [word for word in words if word not in done.stderr], done.stderr
    return True


def test_an_unknown_host_key_is_exit_3_and_the_line_that_it_shows_makes_it_known(project):
    done = project.predeploy(
        SSH_KNOWN_HOSTS="elsewhere " + project.ssh.known_hosts_line.split(" ", 1)[1]
    )
    assert refused(done, 3, "not known", "SHA256:")

    line = next(line for line in done.stderr.splitlines() if line.startswith("["))
    assert project.predeploy(SSH_KNOWN_HOSTS=line).returncode == 0
