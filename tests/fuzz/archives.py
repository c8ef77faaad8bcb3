"""The archives of a directory, read and judged by other means than those that made them."""

import hashlib
import subprocess

RANK = {"written": 1, "read": 2, "restored": 3, "equal": 4}
KEPT = 2  # MAX_BACKUPS


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
    """By docs/retention.md: the newest proven, the newest of the best proof, and the pinned."""
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
    dump, manifest = directory / name, directory / name.replace(".dump", ".manifest")
    for part in (dump, directory / f"{name}.sha256", manifest):
        if not part.exists():
            return f"{part.name} is not there"
    digest = hashlib.sha256(dump.read_bytes()).hexdigest()
    sidecar = (directory / f"{name}.sha256").read_text()[:64]
    if {facts(manifest.read_text())["sha256"], sidecar} != {digest}:
        return f"{name} is not what its checksum says"
    return "" if contents is None else holds(pg, dump, contents)


def holds(pg, dump, contents):
    """Why it does not, or nothing."""
    listed = [pg.bin_dir / "pg_restore", "--file=-", dump]
    done = subprocess.run(listed, capture_output=True, check=False)
    if done.returncode != 0:
        return f"pg_restore says of {dump.name}: {done.stderr}"
    same = plain(done.stdout.decode()) == plain(contents)
    return "" if same else f"{dump.name} holds something else than the database"


def plain(sql):
    """Without comments, and what depends on who restores where."""
    return [
        line
        for line in sql.splitlines()
        if line and not line.startswith(("--", "\\restrict", "\\unrestrict"))
    ]
