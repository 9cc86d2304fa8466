"""Says at the end how soon the pages were seen, whichever process opened them."""

import statistics


def pytest_terminal_summary(terminalreporter):
    seconds = {
        report.nodeid.partition("[")[2].rstrip("]"): dict(report.user_properties)["first paint"]
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if "first paint" in dict(report.user_properties)
    }
    if seconds:
        slowest = max(seconds, key=seconds.get)
        terminalreporter.section("first paint of a page, from the disk")
        terminalreporter.line(
            f"{len(seconds)} pages: median {statistics.median(seconds.values()):.2f} s, "
            f"slowest {seconds[slowest]:.2f} s, {slowest}"
        )
