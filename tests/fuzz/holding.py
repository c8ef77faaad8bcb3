"""What must hold whatever was done to a run.

Nothing is told that is not so, no archive is harmed, nothing is left.
"""

import fcntl
import re
import time
from contextlib import suppress
from pathlib import Path

from tests.integration.everything import plain_dump

from .archives import KEPT, RANK, catalog, facts, is_whole, rank, to_be_kept
from .arena import DATABASE, PREDEPLOY

OF_PROOF = ("proof", "proof_time")
UNCHANGED_CODES = (10, 11, 12, 13, 14)
LOST_AT_THE_END = "whether the database was restored is not known"
ENDS = {0, 1, 3, 10, 12, 13, 14, 15, 16, 130}
OWN_FILES = re.compile(
    r"backup-\d{8}-\d{6}\.log|status|lock|restores|run\.report|run\.report\.before"
)


class Holding:
    """Collects what does not hold, of one round."""

    def __init__(self, arena, project, task):
        self.arena, self.project, self.task = arena, project, task
        self.directory = project.backup_dir
        self.wrong = []
        self.before = catalog(arena.before)

    def say(self, what):
        if what:
            self.wrong.append(what)

    def whole(self, name, contents=None):
        return is_whole(self.arena.pg, self.directory, name, contents)

    def logs(self):
        """Those of this round."""
        known = {path.name for path in self.arena.before.glob("*.log")}
        new = sorted(path for path in self.directory.glob("*.log") if path.name not in known)
        return [f"{path.name}:\n{path.read_text(encoding='utf-8')}" for path in new]

    # After the run that was hurt

    def after(self, code, output, errors, *, client_was_hit):
        status = self.status()
        handed = facts((self.project.directory / "github-output").read_text())
        self._told_is_so(output, handed, status)
        if code == 0:
            self._success(output, handed, status)
        elif not client_was_hit:
            if code not in ENDS:
                self.say(f"exit code {code}")
            if handed or re.search("You can roll back to|Proven readable", output):
                self.say(f"exit code {code}, and yet success is told")
            if code in (10, 12, 13, 15) and status.get("result") == "success":
                self.say(f"exit code {code}, and yet status tells of success")
            if code == 1 and not re.search("was killed|ended unexpectedly", errors):
                self.say("exit code 1")
        if "Traceback" in errors and not (client_was_hit and "KeyboardInterrupt" in errors):
            self.say("a traceback")
        self._archives_unharmed()
        if self.task.restores:
            self._in_between(code, errors)
        self.between = catalog(self.directory)

    def status(self):
        with suppress(FileNotFoundError):
            return facts((self.directory / "status").read_text())
        return {}

    def _told_is_so(self, output, handed, status):
        named = re.findall(r"(?:You can roll back to|Proven readable; .*:) (\S+\.dump)", output)
        named += [handed["archive"]] if "archive" in handed else []
        if status.get("result") == "success" and not self.task.restores:
            named.append(status["archive"])
        for name in set(named):
            self.say(self.whole(name))

    def _success(self, output, handed, status):
        if self.task.words[0] in ("predeploy", "backup"):
            made = [name for name in catalog(self.directory) if name not in self.before]
            if len(made) != 1:
                self.say(f"exit code 0, and the new archives are {made}")
                return
            self.say(self.whole(made[0], self.arena.archived))
            manifest = catalog(self.directory)[made[0]]
            if rank(manifest) < RANK[self.task.proof]:
                self.say(f"exit code 0, with the proof {manifest['proof']}")
            if status.get("result") != "success" or status.get("archive") != made[0]:
                self.say(f"exit code 0, and status tells {status}")
            if made[0] not in output:
                self.say("exit code 0, and the archive is not named")
            if self.task.words[0] == "predeploy" and handed.get("archive") != made[0]:
                self.say(f"exit code 0, and what is handed over is {handed}")
        elif self.task.restores and status.get("result") != "success":
            self.say(f"exit code 0, and status tells {status}")

    def _archives_unharmed(self):
        there = catalog(self.directory)
        for name, was in self.before.items():
            if not (self.directory / name).exists():
                continue
            for side in (name, f"{name}.sha256"):
                now, then = self.directory / side, self.arena.before / side
                if not now.exists() or now.read_bytes() != then.read_bytes():
                    self.say(f"{side} is not what it was")
            now = there.get(name, {})
            if {**was, **{key: now.get(key) for key in OF_PROOF}} != now:
                self.say(f"the manifest of {name} is not what it was")
            if rank(now) < rank(was):
                self.say(f"the proof of {name} was {was['proof']} and is {now.get('proof')}")
        gone = set(self.before) - {path.name for path in self.directory.glob("*.dump")}
        if gone and not self.task.rotates:
            self.say(f"gone, without rotation: {gone}")
        last = int(self.task.settings.get("MAX_BACKUPS", KEPT))
        kept = to_be_kept({**self.before, **there}, self.task.proof or "read", last)
        if gone & kept:
            self.say(f"rotation has taken too much: {gone & kept}")

    def _in_between(self, code, errors):
        self.wait_for_sessions()
        now = plain_dump(self.arena.pg, DATABASE)
        state = {self.arena.archived: "after", self.arena.ruined: "before"}.get(now, "in between")
        self.state = state
        if state == "in between":
            self.say("the database is neither as before nor as in the archive")
        if code == 0 and state != "after":
            self.say(f"exit code 0, and the database is as {state}")
        unchanged = code in UNCHANGED_CODES or (code == 15 and LOST_AT_THE_END not in errors)
        if unchanged and state != "before":
            self.say(f"exit code {code}, and the database is as {state}")

    def wait_for_sessions(self):
        """What there is in the server once nobody of ours is at work there."""
        deadline = time.monotonic() + 15
        while True:
            there = self.arena.look()
            left = {each for each in there if each.startswith("session ")}
            if not left or time.monotonic() > deadline:
                self.say(f"sessions are left: {left}" if left else "")
                return there - left
            time.sleep(0.05)

    # After the next one

    def after_next(self, code, errors, sockets):
        if code != 0:
            self.say(f"the next run ends with exit code {code}: {errors}")
            return
        contents = self.arena.archived
        if self.task.restores and self.state == "before":
            contents = self.arena.ruined
        there = catalog(self.directory)
        newest = max(there, key=lambda name: there[name]["created"])
        self.say(self.whole(newest, contents))
        self._archives_unharmed_after(there)
        self._nothing_left(there, sockets)

    def _archives_unharmed_after(self, there):
        for name in there:
            if (
                name in self.before
                and (self.directory / name).read_bytes() != (self.arena.before / name).read_bytes()
            ):
                self.say(f"{name} is not what it was")
        kept = to_be_kept({**self.between, **there}, PREDEPLOY.proof)
        if set(there) != kept:
            self.say(f"the next run has kept {sorted(there)} instead of {sorted(kept)}")

    def _nothing_left(self, archives, sockets):
        known = set()
        for name in archives:
            known |= {name, f"{name}.sha256", name.replace(".dump", ".manifest")}
        for path in self.directory.iterdir():
            if path.name not in known and not OWN_FILES.fullmatch(path.name):
                self.say(f"{path.name} is left")
        for socket in sockets:
            if Path(socket).exists():
                self.say(f"{socket} is left")
        with (self.directory / "lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.say("the lock is held")
        there = self.wait_for_sessions()
        if self.task.words[-1] == "--mode=swap" and self.state == "after":
            there = {each for each in there if not each.startswith(f"database {DATABASE}_before_")}
        if there != self.arena.there:
            self.say(f"in the server is, or is no more: {there ^ self.arena.there}")
