"""What must hold whatever was done to a run: nothing told that is not so, no archive harmed, nothing left."""

import fcntl
import hashlib
import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.integration.everything import plain_dump

from .arena import DATABASE, OWNER, PREDEPLOY

RANK = {"written": 1, "read": 2, "restored": 3, "equal": 4}
KEPT = 2  # MAX_BACKUPS
OF_PROOF = ("proof", "proof_time")
UNCHANGED_CODES = (10, 11, 12, 13, 14)
LOST_AT_THE_END = "whether the restore holds could not be learnt"
ENDS = {0, 1, 3, 10, 12, 13, 15, 16, 130}
OWN_FILES = re.compile(
    r"backup-\d{8}-\d{6}\.log|status|lock|restores|run\.report|run\.report\.before"
)


def facts(text):
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def catalog(directory):
    """The manifest of each archive."""
    return {
        dump.name: facts(dump.with_suffix(".manifest").read_text())
        for dump in directory.glob("*.dump")
        if dump.with_suffix(".manifest").exists()
    }


def rank(manifest):
    return RANK.get(manifest.get("proof"), 0)


def to_be_kept(archives, proof, last=KEPT):
    """By README: the newest that are proven, the newest of the best proof, and those that are pinned."""
    kept = {name for name, each in archives.items() if each.get("pinned") == "yes"}
    ours = {name: each for name, each in archives.items() if each["label"] == "pre-deploy"}
    newest_first = sorted(ours, key=lambda name: (ours[name]["created"], name), reverse=True)
    proven = [name for name in newest_first if rank(ours[name]) >= RANK[proof]]
    best = max((rank(each) for each in ours.values()), default=0)
    kept.update(proven[:last], [name for name in newest_first if rank(ours[name]) == best][:1])
    unproven = [name for name in newest_first if rank(ours[name]) < RANK[proof]]
    newest = proven[0] if proven else ""
    kept.update(
        name
        for name in unproven
        if not newest or (ours[name]["created"], name) > (ours[newest]["created"], newest)
    )
    return kept


def is_whole(pg, directory, name, contents=None):
    """Why it is not, or nothing."""
    dump = directory / name
    if not dump.exists():
        return f"{name} is not there"
    for side in (f"{name}.sha256", name.replace(".dump", ".manifest")):
        if not (directory / side).exists():
            return f"{side} is not there"
    told = facts(dump.with_suffix(".manifest").read_text())
    digest = hashlib.sha256(dump.read_bytes()).hexdigest()
    if told["sha256"] != digest or not (directory / f"{name}.sha256").read_text().startswith(digest):
        return f"{name} is not what its checksum says"
    if contents is None:
        return ""
    listed = [pg.bin_dir / "pg_restore", "--file=-", dump]
    done = subprocess.run(listed, capture_output=True, check=False)
    if done.returncode != 0:
        return f"pg_restore says of {name}: {done.stderr}"
    if plain(done.stdout.decode()) != plain(contents):
        return f"{name} holds something else than the database"
    return ""


def plain(sql):
    """Without comments, and what depends on who restores where."""
    return [
        line
        for line in sql.splitlines()
        if line and not line.startswith(("--", "\\restrict", "\\unrestrict"))
    ]


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
            if handed or "You can roll back to" in output:
                self.say(f"exit code {code}, and yet success is told")
            if code in (10, 12, 13, 15) and status.get("result") == "success":
                self.say(f"exit code {code}, and yet status tells of success")
            if code == 1 and "was killed" not in errors:
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
        named = re.findall(r"You can roll back to (\S+\.dump)", output)
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
        if code in UNCHANGED_CODES or (code == 15 and LOST_AT_THE_END not in errors):
            if state != "before":
                self.say(f"exit code {code}, and the database is as {state}")

    def wait_for_sessions(self):
        ours = f"SELECT pid, query FROM pg_stat_activity WHERE usename = '{OWNER}'"
        deadline = time.monotonic() + 15
        while left := self.arena.ask(ours):
            if time.monotonic() > deadline:
                self.say(f"sessions are left: {left}")
                return
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
            if name in self.before and (self.directory / name).read_bytes() != (
                self.arena.before / name
            ).read_bytes():
                self.say(f"{name} is not what it was")
        kept = to_be_kept({**self.between, **there}, PREDEPLOY.proof)
        if set(there) != kept:
            self.say(f"the next run has kept {sorted(there)} instead of {sorted(kept)}")

    def _nothing_left(self, there, sockets):
        known = set()
        for name in there:
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
        self.wait_for_sessions()
        databases = self.arena.ask("SELECT datname FROM pg_database ORDER BY 1")
        swapped = [name for name in databases if name.startswith(f"{DATABASE}_before_")]
        if self.task.words[-1] != "--mode=swap" or self.state != "after":
            swapped = []
        left = set(databases) ^ set(self.arena.databases) - set(swapped)
        if left:
            self.say(f"other databases than before: {left}")
        if self.arena.ask("SELECT rolname FROM pg_roles ORDER BY 1") != self.arena.roles:
            self.say("other roles than before")
