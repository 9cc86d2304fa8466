"""What importing the library takes, beyond the import of its framework.

Every measurement starts a new interpreter, which imports the framework (in the process `core` only
NumPy), then this library, and reports how long each took; the cases take turns. *With bytecode* is
how an installed package is imported: `pip` compiles it. *Without* is its first import in a
checkout, or any import if Python writes no bytecode.

`unified_blocks_torch` and the other adapters import `unified_blocks`, which counts as theirs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks import ROOT
from benchmarks.cells import Cell, Effort
from unified_blocks.compiling.timing import ratio

FIRST = {
    "core": "import numpy",
    "torch": "import torch",
    "tensorflow": "import tensorflow, keras",
    # As the adapter does, since today's NumPy is none that MXNet knows.
    "mxnet": "import importlib.util, runpy; "
    "adapter = importlib.util.find_spec('unified_blocks_mxnet').submodule_search_locations[0]; "
    "runpy.run_path(adapter + '/compat.py')",
}
OURS = {
    "core": {
        "unified_blocks": "import unified_blocks",
        "unified_blocks, all of it": "from unified_blocks import *",
    }
}
TARGETS = {"unified_blocks": 0.06, "adapter": 0.1}
STARTS = 15
"""How many interpreters a median is of; each takes seconds."""

SCRIPT = f"""
import sys
sys.path.append({str(ROOT)!r})  # last: what is installed is measured
from time import perf_counter
start = perf_counter()
{{first}}
middle = perf_counter()
{{ours}}
print(middle - start, perf_counter() - middle)
"""


def measure(framework: str, effort: Effort) -> list[Cell]:
    starts = effort.at_most(STARTS).pairs
    adapter = f"unified_blocks_{framework}"
    statements = OURS.get(framework, {adapter: f"import {adapter}"})
    cells = []
    for bytecode in ("with", "without")[: 1 if effort.quick else 2]:
        with tempfile.TemporaryDirectory() as folder:
            environment = surroundings(bytecode == "with", Path(folder))
            scripts = {
                n: SCRIPT.format(first=FIRST[framework], ours=o) for n, o in statements.items()
            }
            times = in_fresh_interpreters(scripts, environment, starts)
        for name, found in times.items():
            setting = {"bytecode": bytecode}
            target = TARGETS.get("adapter" if name == adapter else name)
            first, ours = seconds(found[:, 0]), seconds(found[:, 1])
            cells.append(Cell(name, "ours", **ours, setting=setting, target=target))
            cells.append(Cell(name, "what it needs anyway", **first, setting=setting))
    return cells


def surroundings(bytecode: bool, folder: Path) -> Mapping[str, str]:
    """The environment of an interpreter that keeps bytecode in the folder, or writes none."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    environment["PYTHONPYCACHEPREFIX"] = str(folder)
    return environment if bytecode else {**environment, "PYTHONDONTWRITEBYTECODE": "1"}


def in_fresh_interpreters(
    scripts: Mapping[str, str], environment: Mapping[str, str], starts: int
) -> dict[str, np.ndarray]:
    """What each script prints, of shape (starts, 2); each is started once more before that."""
    times: dict[str, list[list[float]]] = {name: [] for name in scripts}
    for _ in range(starts + 1):
        for name, script in scripts.items():
            command = [sys.executable, "-P", "-W", "ignore", "-c", script]
            done = subprocess.run(
                command, env=environment, check=True, stdout=subprocess.PIPE, text=True
            )
            times[name].append([float(word) for word in done.stdout.splitlines()[-1].split()])
    return {name: np.array(found[1:]) for name, found in times.items()}


def seconds(times: np.ndarray) -> dict[str, float | int | str]:
    """The median of some times with its interval, as a cell has it."""
    found = ratio(times, np.ones_like(times))
    return {
        "value": found.median,
        "low": found.low,
        "high": found.high,
        "pairs": found.pairs,
        "unit": "s",
    }
