"""What the fuzz has come to, over all processes of pytest-xdist."""

from collections import Counter


def pytest_terminal_summary(terminalreporter):
    rounds = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for key, value in getattr(report, "user_properties", ())
        if key == "fuzz" and report.when == "call"
    ]
    if not rounds:
        return
    codes = Counter((name, code) for name, code, *_ in rounds)
    struck = sum(dealt > 0 for *_, dealt, _ in rounds)
    terminalreporter.write_line(
        f"fuzz: {len(rounds)} rounds, in {struck} of them a blow has struck"
    )
    for name in sorted({name for name, _ in codes}):
        told = ", ".join(
            f"{code}: {codes[name, code]}" for _, code in sorted(c for c in codes if c[0] == name)
        )
        terminalreporter.write_line(f"  {name}: exit codes {told}")
