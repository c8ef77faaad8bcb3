"""Who takes part in a run; and how, and at what moment, one of them is hurt."""

import os
import re
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

KILL, TERM, INT, HUP = signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP
ON_THE_HOST = ("shell", "helper", "pg_dump", "psql", "pg_restore", "scratch", "any")
SIGNALS = {
    "client": (INT, TERM, KILL),
    "session": (KILL, TERM),
    "shell": (TERM, KILL, INT, HUP),
    "helper": (KILL, TERM),
    "pg_dump": (KILL, TERM, INT),
    "psql": (KILL, TERM, INT),
    "pg_restore": (KILL, TERM, INT),
    "scratch": (KILL, TERM),
    "any": (KILL, TERM),
    "backend": (TERM, INT, KILL),
    "server": (KILL,),
}
WAY_HURTS = ("cut", "cut", "closed", "closed", "closed", "silent")
EARLY = ("client", "session", "way", "any")
SPREAD_SECONDS = 0.12


@dataclass(frozen=True)
class Blow:
    """`wait` is a part of the time that a run takes, or seconds after the event."""

    whom: str
    how: str
    when: str  # before the run is at work on the host, during it, at a stage, or at sight
    stage: str
    wait: float
    lasts: float  # for the way: seconds until it is open again

    def __str__(self) -> str:
        moment = {
            "before": f"at {self.wait:.0%} of the time before the host is at work",
            "during": f"at {self.wait:.0%} of the host's time",
            "stage": f"{self.wait * 1000:.0f} ms after the begin of {self.stage}",
            "sight": f"{self.wait * 1000:.0f} ms after it has come",
        }[self.when]
        lasts = f" for {self.lasts:.1f} s" if self.how == "closed" else ""
        return f"{self.whom}: {self.how}{lasts}, {moment}"


def drawn(rng, stages):
    """One blow, mostly; each who takes part in such a run is as likely as any other."""
    whom = rng.choice(["client", "client", "session", "way", "way", "backend", "server", *ON_THE_HOST])
    how = rng.choice(WAY_HURTS) if whom == "way" else rng.choice(SIGNALS[whom]).name
    moments = ["during", "stage", "stage"]
    if whom in EARLY:
        moments.append("before")
    if whom in ON_THE_HOST or whom == "backend":
        moments += ["sight", "sight"]
    when = rng.choice(moments)
    wait = rng.random() ** 2 * SPREAD_SECONDS if when in ("stage", "sight") else rng.random()
    stage = rng.choice(stages) if when == "stage" else ""
    return Blow(whom, how, when, stage, wait, rng.uniform(0.1, 3))


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    words: bytes

    @property
    def program(self) -> str:
        return os.fsdecode(self.words.split(b"\0")[0]).rpartition("/")[2]


def below(pid):
    """All that this process began, and those that they began."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, *_ = stat.read_text().rpartition(")")[2].split()
            if state != "Z":
                children.setdefault(int(parent), []).append(int(stat.parent.name))
    found = [(child, pid) for child in children.get(pid, [])]
    for child, _ in found:
        found += [(each, child) for each in children.get(child, [])]
    seen = []
    for child, parent in found:
        with suppress(OSError):
            words = Path(f"/proc/{child}/cmdline").read_bytes()
            if words:  # an empty one is ending
                seen.append(Process(child, parent, words))
    return seen


class Host:
    """The processes of an account on the host, and of its database."""

    def __init__(self, ssh, pg):
        self.ssh, self.pg = ssh, pg

    def sessions(self):
        return [each for each in below(self.ssh.pid) if self._is_session(each)]

    def _is_session(self, process):
        return process.words.startswith(f"sshd: {self.ssh.user}".encode())

    def ours(self):
        """What runs there but sshd's own."""
        return [each for each in below(self.ssh.pid) if not process_of_sshd(each)]

    def find(self, whom):
        if whom == "backend":
            return [each for each in below(self.pg.pid) if b": shop shop" in each.words]
        if whom == "server":
            return [each for each in below(self.pg.pid) if b"checkpointer" in each.words]
        if whom == "session":
            return self.sessions()
        sessions = {each.pid for each in self.sessions()}
        ours = self.ours()
        if whom == "any":
            return ours
        if whom == "shell":
            return [each for each in ours if is_shell(each) and each.parent in sessions]
        if whom == "helper":
            return [each for each in ours if is_shell(each) and each.parent not in sessions]
        if whom == "scratch":
            return [each for each in ours if each.program.startswith(("initdb", "postgres"))]
        return [each for each in ours if each.program == whom]


def process_of_sshd(process):
    return process.words.startswith((b"sshd: ", b"/usr/sbin/sshd")) or b"sshd\0-D" in process.words


def is_shell(process):
    return b'"$(printf %b "$1")"' in process.words


class Fight:
    """A run, and the blows that it is dealt."""

    def __init__(self, host, way, run, blows, usual, report):
        self.host, self.way, self.run, self.usual, self.report = host, way, run, usual, report
        self.began = time.monotonic()
        self.pending = list(blows)
        self.first_seen = {}
        self.story = []
        self.struck = []
        self.opens = None
        self.sockets = set()
        self.ended = self.began

    def see_stages(self):
        with suppress(OSError):
            for stage in re.findall(r"(?m)^\w{32} begin (\w+)$", self.report.read_text()):
                self.first_seen.setdefault(stage, time.monotonic())
        with suppress(OSError):
            self.sockets.add((self.report.parent / "run.partial/cluster/socket").readlink())

    def go_on(self, rng, seconds):
        """Until the run has ended, here and on the host, or for that many seconds."""
        deadline = self.began + seconds
        looked, busy = 0.0, True
        while (self.run.poll() is None or busy) and time.monotonic() < deadline:
            self.see_stages()
            if self.run.poll() is None:
                self.ended = time.monotonic()
            self.open_again()
            for blow in [blow for blow in self.pending if self.is_due(blow)]:
                if self.strike(rng, blow):
                    self.pending.remove(blow)
            if time.monotonic() > looked + 0.1:
                looked, busy = time.monotonic(), bool(self.host.ours())
            time.sleep(0.004)
        self.way.open()
        return self.run.poll() is not None and not busy

    def open_again(self):
        if self.opens is not None and time.monotonic() > self.opens:
            self.way.open()
            self.opens = None

    def is_due(self, blow):
        now = time.monotonic()
        at_work = self.first_seen.get("lock")
        if blow.when == "before":
            return now - self.began >= blow.wait * self.usual["before"]
        if blow.when == "during":
            return at_work is not None and now - at_work >= blow.wait * self.usual["during"]
        if blow.when == "sight":
            if blow.whom not in self.first_seen and at_work is not None and self.host.find(blow.whom):
                self.first_seen[blow.whom] = now
            return blow.whom in self.first_seen and now - self.first_seen[blow.whom] >= blow.wait
        return blow.stage in self.first_seen and now - self.first_seen[blow.stage] >= blow.wait

    def strike(self, rng, blow):
        if blow.whom == "way":
            return self.strike_way(blow)
        if blow.whom == "client":
            hit = self.run.poll() is None
            if hit:
                self.run.send_signal(signal.Signals[blow.how])
        else:
            found = self.host.find(blow.whom)
            hit = bool(found)
            if hit:
                process = rng.choice(found) if blow.whom in ("any", "scratch", "helper") else found[0]
                hit = send(process.pid, blow.how)
                self.tell(blow, process.words.replace(b"\0", b" ")[-60:])
                return hit
        if hit:
            self.tell(blow, b"")
        return hit

    def strike_way(self, blow):
        if self.run.poll() is not None:
            return True
        if blow.how == "cut":
            self.way.cut()
        elif blow.how == "silent":
            self.way.fall_silent()
        else:
            self.way.close()
            self.opens = time.monotonic() + blow.lasts
        self.tell(blow, b"")
        return True

    def tell(self, blow, words):
        since = time.monotonic() - self.began
        stage = max(self.first_seen, key=self.first_seen.get, default="-")
        self.struck.append(blow)
        self.story.append(f"{since:.3f} s, after the begin of {stage}: {blow} {words!r}")


def send(pid, how):
    with suppress(ProcessLookupError):
        os.kill(pid, signal.Signals[how])
        return True
    return False
