"""The host's clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial

from tests.faults.fault import Fault
from tests.faults.means import Inject, dumping, stubbed
from tests.faults.scene import Scene

GROUP = "The clock"


ELSEWHERE = stubbed(date='TZ=Asia/Kathmandu exec {program} "$@"')


def shifted(by: str) -> Inject:
    return stubbed(date=f'exec {{program}} --date="{by}" "$@"')


@contextmanager
def jumps_back(scene: Scene) -> Iterator[None]:
    """By an hour, while pg_dump is at work."""
    jumping = stubbed(
        date='[ ! -e {here}.back ] || set -- --date="1 hour ago" "$@"; exec {program} "$@"'
    )
    with jumping(scene), dumping(': >"${0%/*}/date.back"; exec {program} "$@"')(scene):
        yield


@contextmanager
def second_of_the_newest(scene: Scene) -> Iterator[None]:
    """The clock stands still at the time of the newest archive; only who sleeps gets on."""
    name = max(path.name for path in scene.backup_dir.glob("*.dump"))
    taken = datetime.strptime(name[-20:-5], "%Y%m%d-%H%M%S").replace(tzinfo=timezone.utc)
    slept = 'cat "${0%/*}/sleep.slept" 2>/dev/null | wc -l'
    still = f"now=$(($({slept}) + {int(taken.timestamp())}))"
    stubs = stubbed(
        date=still + '; exec {program} --date="@$now" "$@"',
        sleep='[ "$1" != 1 ] || echo >>{here}.slept; exec {program} "$@"',
    )
    with stubs(scene):
        yield


fault = partial(Fault, group=GROUP, codes=(0,), says=r"Proven readable")
FAULTS = [
    fault("the host is in another time zone", rare=True, inject=ELSEWHERE),
    fault(
        "it was set back by a day",
        inject=shifted("1 day ago"),
        says=r"WARNING:[^\n]*clock is off[^\n]*",
    ),
    fault(
        "it is a day ahead",
        rare=True,
        inject=shifted("1 day"),
        says=r"WARNING:[^\n]*clock is off[^\n]*",
    ),
    fault("it jumps back by an hour in the middle of the dump", inject=jumps_back),
    fault("it tells the second of another archive", inject=second_of_the_newest),
]
