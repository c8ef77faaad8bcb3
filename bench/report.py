"""What was measured, as a Markdown table for docs/performance.md and as numbers in a file."""

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from statistics import median

_UNITS = {"s": (1.0, 2), "MB": (1e-6, 1), "": (1.0, 0)}  # factor, digits


@dataclass(frozen=True)
class Row:
    """Pairs of measurements in seconds, bytes or counts; `target` limits their median ratio."""

    what: str
    ours: Sequence[float]
    theirs: Sequence[float]
    unit: str
    target: float | None = None

    @property
    def ratios(self) -> list[float]:
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        return round(median(self.ratios), 2)

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.ratio <= self.target

    def __str__(self) -> str:
        target = f"≤ {self.target:.2f}" if self.target is not None else ""
        verdict = {None: "", True: "met", False: "**missed**"}[self.met]
        ratio = f"**{self.ratio:.2f}**{_spread(self.ratios, '{:.2f}')}"
        cells = [
            self.what,
            self._shown(self.ours),
            self._shown(self.theirs),
            ratio,
            target,
            verdict,
        ]
        return f"| {' | '.join(cells)} |"

    def _shown(self, values: Sequence[float]) -> str:
        factor, digits = _UNITS[self.unit]
        scaled = [value * factor for value in values]
        number = f"{{:.{digits}f}}"
        return f"{number.format(median(scaled))}{_spread(scaled, number)} {self.unit}".rstrip()


def _spread(values: Sequence[float], number: str) -> str:
    low, high = (number.format(extreme(values)) for extreme in (min, max))
    return "" if low == high else f" ({low} to {high})"


def markdown(rows: Iterable[Row]) -> str:
    rows = list(rows)
    head = ["what", "predeploy", "by hand", "ratio", "target", ""]
    table = [f"| {' | '.join(head)} |", "|---|" + "---:|" * 4 + "---|", *map(str, rows)]
    missed = [row.what for row in rows if row.met is False]
    judged = [row for row in rows if row.met is not None]
    verdict = f"{len(judged) - len(missed)} of {len(judged)} targets met"
    if missed:
        verdict += f"; missed: {'; '.join(missed)}"
    return "\n".join([_circumstances(), "", *table, "", f"{verdict}."])


def page(text: str, rows: Iterable[Row]) -> str:
    """Return the page with what was measured now in place of what was measured before."""
    begin, end = "<!-- measured: written by make bench -->\n", "<!-- end -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{markdown(rows)}\n\n{end}{after}"


def _circumstances() -> str:
    gigabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=True).stderr
    libraries = [f"{name} {importlib.metadata.version(name)}" for name in ("fabric", "paramiko")]
    return (
        f"{datetime.now(timezone.utc):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}),"
        f" {gigabytes:.0f} GB of memory, client and host on one machine"
        f" (load {os.getloadavg()[1]:.1f});"
        f" Python {platform.python_version()}, {', '.join(libraries)}, {ssh.split(',')[0].strip()}."
        " Medians (min to max) of runs in turns; the ratio is the median of the pairs' ratios."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
