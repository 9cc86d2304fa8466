"""Programs of this folder, run in processes of their own."""

import subprocess
import sys

from testbed.where import TESTBED


def program(name, *arguments):
    """What a program prints."""
    command = [sys.executable, "-W", "ignore", TESTBED / name, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
