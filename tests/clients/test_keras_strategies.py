"""A block under the strategies of `tf.distribute`, beside its native twin."""

import subprocess
import sys

import pytest

from testbed.where import ROOT

pytest.importorskip("tensorflow", reason="tensorflow is not installed")


@pytest.mark.parametrize("kind", ["mirrored", "workers"])
def test_a_block_under_a_strategy(kind):
    script = ROOT / "tests/testbed/strategies.py"
    found = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), kind],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.split()[-1] == "10"
