"""Tell whether an advisory names what requirements.lock pins: then exit 1.

The advisories are fetched; where they cannot be had, that is said, and nothing fails.
"""

import json
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements.lock"
COMMAND = ("-m", "pip_audit", "--disable-pip", "--require-hashes", "--format=json")
OPTIONS = ("--progress-spinner=off", "--timeout=30", f"--requirement={LOCK}")


def findings(answer: str, complaint: str) -> tuple[list[str], list[str]]:
    """Return what is known of the pins, and what could not be learnt about them."""
    try:
        pins = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return [], [(complaint.strip().splitlines() or ["no answer"])[-1]]
    known = [
        f"{pin['name']} {pin['version']}: {found['id']}, fixed in {found['fix_versions']}"
        for pin in pins
        for found in pin.get("vulns", ())
    ]
    unknown = [pin["skip_reason"] for pin in pins if "skip_reason" in pin]
    return known, unknown if pins else ["no pin was looked at"]


def main() -> int:
    done = subprocess.run(
        [sys.executable, *COMMAND, *OPTIONS], capture_output=True, check=False, encoding="utf-8"
    )
    known, unknown = findings(done.stdout, done.stderr)
    if unknown:
        print(f"the advisories could not be had ({len(unknown)} times), such as: {unknown[0]}")
    for each in known:
        print(each)
    if not known and not unknown:
        print("no advisory names what requirements.lock pins")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main())
