"""How a run begins, and what it says at its end."""

import os
import signal
from collections import Counter

import pytest

from tests.measured import Measured

# Before anything that it measures is loaded.
MEASURED = Measured(os.environ["COVERAGE_FILE"]) if "COVERAGE_FILE" in os.environ else None


def pytest_configure(config: pytest.Config) -> None:
    # Whatever nohup or a background job has it ignore, all that tests start would ignore too.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if MEASURED is not None:
        config.pluginmanager.register(MEASURED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Each reason why tests were skipped, with how many: it says what to install or to run as."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).partition("Skipped: ")[2] for report in reports)
    if reasons:
        terminalreporter.section("not tested here")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} {'tests' if count > 1 else 'test'}: {reason}")
