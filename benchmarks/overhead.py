"""What a block costs, compared with the same network written by hand, called and trained eagerly.

In each round ours, the one by hand, and a second one by hand are timed in turn: the ratio of the
last two, which would be 1 on a machine without noise, says how far to trust the first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import unified_blocks as ub
from benchmarks.cells import Cell, Effort
from benchmarks.clock import in_turn
from benchmarks.native import by_hand
from benchmarks.subjects import NATIVE, SUBJECTS, agree, alike, array, dense_stack, nested_stack
from unified_blocks.compiling.timing import ratio

BATCHES = (2, 64, 4096)
STACKS = {"Dense layers": (dense_stack, (1, 16, 256)), "MLPs": (nested_stack, (1, 16, 64))}
"""What is put one after the other in a MySequential, and how many of them."""
OURS, TWIN = "ours / by hand", "by hand / by hand"


def measure(framework: str, effort: Effort) -> list[Cell]:
    native, cells = by_hand(framework), []
    for subject in SUBJECTS:
        make = getattr(native, subject.block)
        for batch in BATCHES[:1] if effort.quick else BATCHES:
            nets = (
                subject.ours(framework),
                make(**subject.arguments),
                make(**subject.arguments),
            )
            cells += compared(
                framework,
                nets,
                (batch, *subject.shape),
                effort,
                what=subject.name,
                target=subject.target,
                setting={"batch": batch},
            )
    for what, (stack, depths) in STACKS.items():
        for depth in depths[:2] if effort.quick else depths:
            cells += compared(
                framework,
                stack(framework, depth),
                (2, 20),
                effort,
                what=f"MySequential of {what}",
                target=NATIVE,
                setting={"batch": 2, "depth": depth},
            )
    return cells


def compared(
    framework: str,
    nets: tuple[Any, Any, Any],
    shape: tuple[int, ...],
    effort: Effort,
    *,
    what: str,
    target: float,
    setting: dict[str, Any],
) -> list[Cell]:
    """What a call, and what a step of training, costs of ours over the two by hand."""
    native, backend = by_hand(framework), ub.get_backend(framework)
    x = alike(nets[0], list(nets[1:]), array(*shape))
    y = backend.from_numpy(np.zeros_like(backend.to_numpy(backend.run(nets[0], [x]))))
    cells = []
    for way in ("forward", "training step"):
        if way == "forward":
            calls = [lambda net=net: net(x) for net in nets]
            with native.inference():
                times = in_turn(calls, effort, backend.finish, precisely=True)
        else:
            steps = [native.training_step(net, x, y) for net in nets]
            agree([backend.to_numpy(step()) for step in steps], what)
            times = in_turn(steps, effort, backend.finish, precisely=True)
        others = {"what": what, "setting": {"pass": way, **setting}}
        cells.append(Cell.seconds(measure="by hand", times=times[:, 1], **others))
        found = ratio(times[:, 0], times[:, 1])
        cells.append(Cell.ratio(measure=OURS, ratio=found, target=target, **others))
        twin = ratio(times[:, 2], times[:, 1])
        cells.append(Cell.ratio(measure=TWIN, ratio=twin, **others))
    return cells
