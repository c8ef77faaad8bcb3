"""Accounts as hosts have them: any shell, any rc file, any home; and those that let nobody in."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from shutil import which

from sandbox.sshd import openssh
from tests.faults.fault import Fault
from tests.faults.scene import Run, Scene

GROUP = "Accounts and login shells"
NOISE = """
echo result=success; echo code=0; echo archive=forged.dump
printf 'no newline at the end, and a stray begin result'
echo "noise on stderr" >&2
"""
CHANGES = """
cd /
PATH=/nowhere:$PATH
IFS=abc
set -e -u -f
umask 000
alias mv=false rm=false
export IFS PGDATABASE=elsewhere PGOPTIONS='-c role=nobody' PGHOSTADDR=127.0.0.9 PGUSER=nobody
export TMPDIR=/nowhere POSIXLY_CORRECT=1 GREP_OPTIONS=-v LS_BLOCK_SIZE=human-readable
export ENV=/nowhere BASH_ENV=/nowhere CDPATH=/ partial=/ run_dir=/ report=/ children=1
"""
GERMAN = {
    "pg_dump": "pg_dump: Fehler: gibt es nicht",
    "pg_restore": "pg_restore: Fehler: gibt es nicht",
    "df": "Dateisystem 1K-Blöcke Benutzt Verfügbar Verw% Eingehängt auf",
    "ls": "ls: Zugriff nicht möglich",
}


def on(
    login_shell: str = "/bin/sh",
    *,
    extra_config: str = "",
    home_name: str = "",
    **files: str,
) -> Callable[[Scene], AbstractContextManager[None]]:
    """A host whose account is like that, with these files in its home."""

    @contextmanager
    def host(scene: Scene) -> Iterator[None]:
        shell = which(login_shell) or login_shell
        with openssh(
            scene.ground,
            login_shell=shell,
            extra_config=extra_config,
            home_name=home_name,
            path=scene.path,
        ) as ssh:
            for name, text in files.items():
                (ssh.home / f".{name}").write_text(text)
            scene.move_to(ssh)
            yield

    return host


@contextmanager
def fish(scene: Scene) -> Iterator[None]:
    with on("fish")(scene):
        (scene.ssh.home / ".config" / "fish").mkdir(parents=True)
        (scene.ssh.home / ".config" / "fish" / "config.fish").write_text("echo noise; cd /\n")
        yield


@contextmanager
def busybox(scene: Scene) -> Iterator[None]:
    """Its name tells it what to be; so of a link, and for whatever calls itself sh."""
    sh = scene.bin / "sh"
    sh.symlink_to(which("busybox") or "")
    with on(str(sh))(scene):
        yield


@contextmanager
def refusing(scene: Scene) -> Iterator[None]:
    """While a file says so."""
    script = (
        'test ! -e ~/refuse || { echo "no shell for you"; exit; }; eval "$SSH_ORIGINAL_COMMAND"'
    )
    with on(extra_config=f"ForceCommand {script}")(scene):
        yield


@contextmanager
def refused(scene: Scene) -> Iterator[None]:
    file = scene.ssh.home / "refuse"
    file.touch()
    yield
    file.unlink()


def shell_is(path: str) -> Callable[[Scene], AbstractContextManager[None]]:
    """For a while it is that of the account."""

    @contextmanager
    def changed(scene: Scene) -> Iterator[None]:
        accounts = scene.ssh.home.parents[1] / "etc" / "passwd"
        before = accounts.read_text()
        # In place, as another file would not be seen in the server's mounts.
        accounts.write_text(before.replace(f"{scene.ssh.home}:/bin/sh", f"{scene.ssh.home}:{path}"))
        yield
        accounts.write_text(before)

    return changed


@contextmanager
def translated(scene: Scene) -> Iterator[None]:
    """Programs that speak the language of the account, unless they are asked not to."""
    for name, words in GERMAN.items():
        script = f'#!/bin/sh\n[ "$LC_ALL" = C ] || {{ echo "{words}" >&2; exit 1; }}\n'
        scene.stub(name, script + 'exec {program} "$@"\n')
    german = "export LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8 LC_MESSAGES=de_DE.UTF-8 LANGUAGE=de\n"
    with on("bash", bashrc=german)(scene):
        yield


def private(scene: Scene, run: Run) -> None:
    """Nobody else can read what it makes."""
    assert run.end().returncode == 0
    assert scene.backup_dir.stat().st_mode & 0o777 == 0o700
    for path in scene.backup_dir.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def not_deceived(scene: Scene, run: Run) -> None:
    assert "forged" not in run.end().stdout
    assert "forged" not in run.outputs()
    private(scene, run)


fault = partial(Fault, group=GROUP)
good = partial(fault, codes=(0,), says="Proven readable")
NO_SHELL = "the host's shell did not begin our script"
FAULTS = [
    good("the login shell is dash", rare=True, where=on("dash"), needs=("dash",)),
    good("the login shell is busybox sh", where=busybox, needs=("busybox",)),
    good(
        "the login shell is bash, its .bashrc prints what looks like our facts",
        where=on("bash", bashrc=NOISE),
        during=not_deceived,
        needs=("bash",),
    ),
    good(
        "the login shell is bash, its .bashrc changes directory, PATH, IFS, options and umask 000",
        where=on("bash", bashrc=CHANGES),
        during=private,
        needs=("bash",),
    ),
    good(
        "the login shell is zsh, its .zshenv is noisy and changes everything",
        rare=True,
        where=on("zsh", zshenv=NOISE + CHANGES.replace("-e -u -f", "-u")),
        during=not_deceived,
        needs=("zsh",),
    ),
    good("the login shell is fish, its config.fish is noisy", where=fish, needs=("fish",)),
    good(
        "the login shell is csh, its .cshrc is noisy",
        rare=True,
        where=on("csh", cshrc="echo code=0; cd /; umask 000; set noglob\n"),
        during=private,
        needs=("csh",),
    ),
    good(
        "the login shell is tcsh, its .tcshrc is noisy",
        where=on("tcsh", tcshrc="echo code=0; cd /; umask 000; set noglob\n"),
        during=private,
        needs=("tcsh",),
    ),
    good("messages are translated", where=translated, needs=("bash",)),
    good(
        "the home directory has blanks and quotes in its name",
        where=on(home_name="ho'me  of the $(hawk)"),
    ),
    good(
        "the host has no sftp, and lets us have one session at a time",
        where=on(extra_config="MaxSessions 1\nSubsystem nothing /bin/false"),
    ),
    fault(
        "a forced command refuses",
        codes=(10,),
        where=refusing,
        inject=refused,
        says=NO_SHELL,
        unrecorded=True,
        needs=("root",),
    ),
    *[
        fault(
            f"the login shell is {name}",
            codes=(10,),
            where=on(),
            inject=shell_is(path),
            says=NO_SHELL,
            unrecorded=True,
            needs=("root", path),
        )
        for name, path in (("nologin", "/usr/sbin/nologin"), ("false", "/bin/false"))
    ],
    fault(
        "the login shell is not there",
        codes=(3,),
        where=on(),
        inject=shell_is("/nowhere/sh"),
        says="it does not let us in",
        unrecorded=True,
        needs=("root",),
    ),
]
