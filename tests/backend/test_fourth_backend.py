"""A fourth framework is one folder with one entry point: no edit anywhere else."""

import os
import subprocess
import sys
from pathlib import Path

from testbed.where import TESTS


def test_it_runs_the_blocks_and_a_portable_one():
    path = os.pathsep.join(filter(None, [str(TESTS / "toy"), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-W", "ignore", TESTS / "toy" / "try_toyframe.py"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [
        "MLP toyframe",
        "NestMLP toyframe",
        "FixedHiddenMLP toyframe",
        "Residual toyframe",
        "Toyframe has no ops.gelu: nobody has written it",
        "nobody has written it",
    ]


def test_the_core_asks_no_backend_for_its_name():
    """`if backend == …` is nowhere: what differs is a method of the backend."""
    core = Path(__import__("unified_blocks").__file__).parent
    names = ('"torch"', '"tensorflow"', '"mxnet"', "'torch'", "'tensorflow'", "'mxnet'")
    for path in core.rglob("*.py"):
        for line in path.read_text().splitlines():
            code = line.split("#")[0]
            if any(f"== {name}" in code or f"{name} ==" in code for name in names):
                raise AssertionError(f"{path}: {line}")
