"""Where things are in the repository."""

from pathlib import Path

TESTBED = Path(__file__).parent
TESTS = TESTBED.parent
ROOT = TESTS.parent
