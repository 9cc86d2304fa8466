"""Counts of what a forward does: without a clock, so they are the same on every machine.

It counts calls of Python functions, operations that the framework runs, values that are fetched
from it, and graphs that `torch.compile` makes, for our network and the same one written by hand.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.cells import Cell, Effort
from benchmarks.native import by_hand
from benchmarks.networks import LAYOUTS, made, networks
from benchmarks.subjects import SUBJECTS, alike, array

Counted = tuple["Counter[str]", int]
"""The operations that were run, by name, and how many values were fetched."""


def measure(framework: str, effort: Effort) -> list[Cell]:
    cells = []
    for subject in SUBJECTS:
        ours = subject.ours(framework)
        theirs = getattr(by_hand(framework), subject.block)(**subject.arguments)
        x = alike(ours, [theirs], array(2, *subject.shape))
        cells += counted(framework, subject.name, [ours, theirs], [x, x], effort)
    for network in networks(effort):
        nets, inputs = made(framework, network, LAYOUTS[framework][0])
        cells += counted(framework, f"{network.what}, {network.size}", nets, inputs, effort)
    return cells


def counted(
    framework: str, what: str, nets: list[Any], inputs: list[Any], effort: Effort
) -> list[Cell]:
    """What a call of ours and one of the one by hand do."""
    rows: dict[str, list[int]] = {}
    cells, operations = [], []
    with by_hand(framework).inference():
        for net, x in zip(nets, inputs, strict=True):
            net(x)
            net(x)  # what only the first calls do is not counted
            ran, fetched = COUNTS[framework](net, x)
            operations.append(ran)
            rows.setdefault("Python calls", []).append(python_calls(net, x))
            rows.setdefault("operations", []).append(ran.total())
            rows.setdefault("values fetched", []).append(fetched)
            if framework == "torch" and not effort.quick:
                rows.setdefault("graphs of torch.compile", []).append(graphs(net, x))
    for name, numbers in rows.items():
        for label, number in zip(("ours", "by hand"), numbers, strict=True):
            cells.append(Cell(what, label, number, {"counted": name}))
    besides = (operations[0] - operations[1]).total()  # not those that only one of them has
    where = {"counted": "operations that by hand there are not"}
    cells.append(Cell(what, "ours", besides, where))
    return cells


def watched(net: Any, x: Any, note: Callable[[Any, str, Any], None]) -> None:
    """Call `net` under a profiler of Python."""
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        net(x)
    finally:
        sys.setprofile(before)


def python_calls(net: Any, x: Any) -> int:
    """The functions of Python that one call of `net` calls, itself included."""
    events: list[str] = []
    watched(net, x, lambda frame, event, _: events.append(event))
    return events.count("call")


def count_torch(net: Any, x: Any) -> Counted:
    from torch.utils._python_dispatch import TorchDispatchMode  # documented, there and only there

    found: Counter[str] = Counter()

    class Count(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            found[str(func).replace("_.", ".")] += 1  # in place it is the same operation
            return func(*args, **(kwargs or {}))

    with Count():
        net(x)
    return found, found["aten._local_scalar_dense.default"]


def count_tensorflow(net: Any, x: Any) -> Counted:
    """By the calls of the two functions through which TensorFlow runs operations eagerly."""
    found: Counter[str] = Counter()
    fetched = 0

    def note(frame: Any, event: str, function: Any) -> None:
        nonlocal fetched
        if event == "c_call" and function.__name__ in ("TFE_Py_FastPathExecute", "TFE_Py_Execute"):
            found[frame.f_code.co_name] += 1
        fetched += event == "call" and frame.f_code.co_name == "_numpy"

    watched(net, x, note)
    return found, fetched


def count_mxnet(net: Any, x: Any) -> Counted:
    """By MXNet's own profiler."""
    from unified_blocks_mxnet.compat import mx

    mx.nd.waitall()
    with TemporaryDirectory() as folder:
        # It deletes a file of this name first: as root, /dev/null too.
        file = str(Path(folder) / "profile.json")
        mx.profiler.set_config(profile_all=True, aggregate_stats=True, filename=file)
        mx.profiler.set_state("run")
        net(x)
        mx.nd.waitall()
        mx.profiler.set_state("stop")
        found = json.loads(mx.profiler.dumps(reset=True, format="json"))["Time"]
    ran = Counter({name: row["Count"] for name, row in found["operator"].items()})
    del ran["DeleteVariable"]  # an array is freed
    fetched = found["MXNET_C_API"].get("MXNDArraySyncCopyToCPU", {"Count": 0})
    return ran, fetched["Count"]


COUNTS: dict[str, Callable[[Any, Any], Counted]] = {
    "torch": count_torch,
    "tensorflow": count_tensorflow,
    "mxnet": count_mxnet,
}


def graphs(net: Any, x: Any) -> int:
    """How many graphs `torch.compile` makes of a call: one more than it breaks it."""
    import torch

    found = []

    def keep(graph: Any, _: Any) -> Any:
        found.append(graph)
        return graph.forward

    torch.compiler.reset()
    torch.compile(net, backend=keep)(x)
    return len(found)
