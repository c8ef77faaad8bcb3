"""What is in the directory and is not ours."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.faults.fault import Fault
from tests.faults.means import Inject
from tests.faults.scene import Scene

GROUP = "What is not ours"

LIKE_OURS = "pricehawk-pre-deploy-v0.9.0-20250314-123456"


def there_is(make: Callable[[Path], dict[Path, str]]) -> Inject:
    """What `make` puts there, with the content that each file still has afterwards."""

    @contextmanager
    def inject(scene: Scene) -> Iterator[None]:
        made = make(scene.backup_dir)
        for path, text in made.items():
            path.write_text(text)
            os.chown(path, scene.ssh.uid, scene.ssh.uid)
        yield
        for path, text in made.items():
            assert path.read_text() == text
            path.unlink()
        for path in scene.backup_dir.glob(f"{LIKE_OURS}*"):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()

    return inject


def many(directory: Path) -> dict[Path, str]:
    return {directory / f"report-{number:05}.csv.dump": "" for number in range(10_000)}


def line_breaks(directory: Path) -> dict[Path, str]:
    like_ours = (f"a\n{LIKE_OURS}.dump", f"{LIKE_OURS}.dump\n", f"{LIKE_OURS}\n.manifest")
    names = (*like_ours, "\n", "-rf\n*")
    return dict.fromkeys((directory / name for name in names), "of somebody else")


def links(directory: Path) -> dict[Path, str]:
    """To files elsewhere, by all three names of an archive, and by that of an unfinished one."""
    elsewhere = directory.with_name("elsewhere.txt")
    for end in (".dump", ".dump.sha256", ".manifest", ".partial"):
        (directory / f"{LIKE_OURS}{end}").symlink_to(elsewhere)
    return {elsewhere: "of somebody else"}


def directories(directory: Path) -> dict[Path, str]:
    for end in (".dump", ".dump.sha256", ".manifest", ".partial"):
        (directory / f"{LIKE_OURS}{end}").mkdir()
    return {}


fault = partial(
    Fault,
    group=GROUP,
    codes=(0,),
    arguments=("--keep=2",),
    rotates=2,
    says=r"Proven readable",
)
FAULTS = [
    fault("10,000 files of somebody else", inject=there_is(many)),
    fault("names with line breaks that look like an archive", inject=there_is(line_breaks)),
    fault("links to elsewhere that are named like an archive", inject=there_is(links)),
    fault("directories that are named like an archive", rare=True, inject=there_is(directories)),
]
