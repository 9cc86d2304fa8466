"""Which parts there are, and the process in which one is measured."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from benchmarks import ROOT
from benchmarks.cells import Cell, Effort

BACKENDS = ("torch", "tensorflow", "mxnet")


@dataclass(frozen=True)
class Part:
    """A module of this package that measures something.

    Attributes:
        about: one line, the title of its tables.
        frameworks: those of `FRAMEWORKS` that it is measured in.
    """

    about: str
    frameworks: tuple[str, ...] = BACKENDS


PARTS: dict[str, Part] = {
    "counts": Part("what a forward does, counted"),
    "overhead": Part("a block, over the same network written by hand"),
    "compiled": Part("what ub.compile makes of a block, over what it was before"),
    "peers": Part("the MLP by this library and by others", (*BACKENDS, "keras", "thinc")),
    "training": Part("an epoch of fit, over loops written by hand"),
    "watching": Part(
        "an epoch of fit with metrics and validation, and predict, over loops by hand"
    ),
    "loaders": Part("an epoch of fit on a loader, over a loop by hand"),
    "distributed": Part("an epoch of fit in two processes, over their engine by hand"),
    "networks": Part(
        "networks of images and sequences, over the same ones written by hand",
        (*BACKENDS, "keras"),
    ),
    "porting": Part("a ported ResNet-50, over one written by hand", ("torch", "tensorflow")),
    "growth": Part("the cost over depth, width and batch", (*BACKENDS, "keras", "thinc")),
    "imports": Part("what importing takes", ("core", *BACKENDS)),
    "creation": Part("making a block, over making it by hand"),
    "transfers": Part("moving a model's numbers, over numpy.copyto"),
}
"""By the name of the module, in the order in which they run."""


@dataclass(frozen=True)
class Framework:
    """The framework of a process.

    Attributes:
        needs: the packages that must be there.
        environment: what is set in its environment.
    """

    needs: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        return [name for name in self.needs if find_spec(name) is None]


FRAMEWORKS: dict[str, Framework] = {
    "core": Framework(),  # no framework at all
    "torch": Framework(("torch",)),
    "tensorflow": Framework(("tensorflow",), {"KERAS_BACKEND": "tensorflow"}),
    "mxnet": Framework(("mxnet",)),
    "keras": Framework(("keras", "torch"), {"KERAS_BACKEND": "torch"}),  # Keras on PyTorch
    "thinc": Framework(("thinc", "torch")),
}


def processes(parts: list[str], frameworks: list[str]) -> Iterator[tuple[str, str]]:
    """The pairs of part and framework to measure: those selected, or all if none is."""
    for name in parts or PARTS:
        for framework in PARTS[name].frameworks:
            if not frameworks or framework in frameworks:
                yield name, framework


def measure(part: str, framework: str, effort: Effort) -> list[Cell]:
    """The cells of the part, measured in this process."""
    cells = importlib.import_module(f"benchmarks.{part}").measure(framework, effort)
    return [replace(cell, part=part, framework=framework) for cell in cells]


def measure_apart(part: str, framework: str, effort: Effort) -> tuple[list[Cell], dict[str, str]]:
    """Its cells, measured in a separate process, and what `benchmarks.machine` reports about that.

    Raises:
        subprocess.CalledProcessError: when the process failed; it has printed why.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.json"
        asked = {"part": part, "framework": framework, "path": str(path)}
        asked |= {"pairs": effort.pairs, "quick": effort.quick}
        environment = {"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ}
        environment |= FRAMEWORKS[framework].environment
        command = [sys.executable, "-m", "benchmarks.worker", json.dumps(asked)]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=sys.stderr)
        found = json.loads(path.read_text())
    return [Cell.from_json(cell) for cell in found["cells"]], found["process"]
