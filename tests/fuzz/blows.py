"""Who of a run is hurt; and how, and at what moment."""

import signal
from dataclasses import dataclass

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
    whom = rng.choice(
        ["client", "client", "session", "way", "way", "backend", "server", *ON_THE_HOST]
    )
    how = rng.choice(WAY_HURTS) if whom == "way" else rng.choice(SIGNALS[whom]).name
    moments = ["during", "stage", "stage"]
    if whom in EARLY:
        moments.append("before")
    if whom in ON_THE_HOST or whom == "backend":
        moments += ["sight", "sight"]
    when = rng.choice(moments)
    if (
        how == "silent" and when == "before"
    ):  # a proxy acknowledges what it swallows: TCP cannot tell
        when = "during"
    wait = rng.random() ** 2 * SPREAD_SECONDS if when in ("stage", "sight") else rng.random()
    stage = rng.choice(stages) if when == "stage" else ""
    return Blow(whom, how, when, stage, wait, rng.uniform(0.1, 3))
