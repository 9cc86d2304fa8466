"""The score of the mutants and of the random networks, after the tests' own summary."""

from collections import defaultdict


def pytest_terminal_summary(terminalreporter):
    found = defaultdict(list)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                for name, value in report.user_properties:
                    found[name].append(value)
    if mutants := found["mutant"]:
        caught, first, cause = (
            [answer for answer in answers if answer is not None]
            for answers in zip(*mutants, strict=True)
        )
        terminalreporter.write_line(
            f"mutants: {sum(caught)} of {len(caught)} caught, {sum(first)} of {len(first)} first "
            f"differences right, {sum(cause)} of {len(cause)} causes right"
        )
    if networks := found["networks"]:
        alarms, count = (sum(numbers) for numbers in zip(*networks, strict=True))
        terminalreporter.write_line(f"random networks: {alarms:,} of {count:,} false alarms")
