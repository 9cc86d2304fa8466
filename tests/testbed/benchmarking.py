"""The benchmarks, which are no part of the installed package, for tests of them."""

import json
import os
import subprocess
import sys

from testbed.where import ROOT


def benchmark(folder, *options):
    """What `python -m benchmarks` writes with these options, and what it prints."""
    path = folder / "found.json"
    command = [sys.executable, "-m", "benchmarks", *options, "--json", str(path)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(path.read_text()), done.stdout
