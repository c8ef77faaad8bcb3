"""A run in which somebody is hurt."""

import os
import re
import signal
import time
from contextlib import suppress

QUIET_SECONDS = 0.4


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
        looked, quiet_since = 0.0, None
        # Of a client that is gone, the host may hear a request a moment later.
        while not self.has_been(quiet_since) and time.monotonic() < deadline:
            self.see_stages()
            if self.run.poll() is None:
                self.ended = time.monotonic()
            self.open_again()
            for blow in [blow for blow in self.pending if self.is_due(blow)]:
                if self.strike(rng, blow):
                    self.pending.remove(blow)
            if time.monotonic() > looked + 0.1:
                looked = time.monotonic()
                busy = self.run.poll() is None or self.host.ours()
                quiet_since = None if busy else quiet_since or looked
            time.sleep(0.004)
        self.way.open()
        return quiet_since is not None

    @staticmethod
    def has_been(quiet_since):
        return quiet_since is not None and time.monotonic() > quiet_since + QUIET_SECONDS

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
            if (
                blow.whom not in self.first_seen
                and at_work is not None
                and self.host.find(blow.whom)
            ):
                self.first_seen[blow.whom] = now
            return blow.whom in self.first_seen and now - self.first_seen[blow.whom] >= blow.wait
        return blow.stage in self.first_seen and now - self.first_seen[blow.stage] >= blow.wait

    def strike(self, rng, blow):
        """False if nobody of that kind is there, yet."""
        if blow.whom == "way":
            self.hurt_way(blow)
            self.tell(blow)
            return True
        if blow.whom == "client":
            self.run.send_signal(signal.Signals[blow.how])
            self.tell(blow)
            return True
        found = self.host.find(blow.whom)
        process = rng.choice(found) if found else None
        hit = process is not None and send(process.pid, blow.how)
        if hit:
            self.tell(blow, process.words.replace(b"\0", b" ")[-60:])
        return hit

    def hurt_way(self, blow):
        if blow.how == "cut":
            self.way.cut()
        elif blow.how == "silent":
            self.way.fall_silent()
        else:
            self.way.close()
            self.opens = time.monotonic() + blow.lasts

    def tell(self, blow, words=b""):
        since = time.monotonic() - self.began
        stage = max(self.first_seen, key=self.first_seen.get, default="-")
        self.struck.append(blow)
        self.story.append(f"{since:.3f} s, after the begin of {stage}: {blow} {words!r}")


def send(pid, how):
    with suppress(ProcessLookupError):
        os.kill(pid, signal.Signals[how])
        return True
    return False
