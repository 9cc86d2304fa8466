"""What a framework's threads cost on small batches, measured.

A step on a small batch is many short operations. Threads that wait for each other at each of them
can take many times as long as one thread does alone, above all where other programs compute too.
"""

from __future__ import annotations

import time
from contextlib import nullcontext

import numpy as np

from unified_blocks.backend import Backend
from unified_blocks.blocks.mlp import MLP
from unified_blocks.training.optimizers import SGD
from unified_blocks.training.trainer import Trainer

BATCH, FEATURES, STEPS, ROUNDS = 64, 100, 20, 5
MUCH = 3.0
"""How many times as long is worth telling."""


def cost_of_threads(backend: Backend) -> tuple[float, float] | None:
    """Seconds of a training step on a batch of 64 × 100, with the framework's threads and with one.

    Each is the median of five rounds of 20 steps, the two in turn.

    Returns:
        None where the framework cannot change how many threads it has while it runs.
    """
    if backend.one_thread is None:
        return None
    generator = np.random.default_rng(0)
    net = MLP.on(backend.name)(FEATURES, 10, in_units=FEATURES)
    trainer = Trainer(net, SGD(0.01), "cross_entropy", distributed=None)
    x = backend.from_numpy(generator.normal(size=(BATCH, FEATURES)).astype("float32"))
    y = backend.from_numpy(generator.integers(0, 10, BATCH))
    trainer.step(x, y)
    times: list[list[float]] = []
    for _ in range(ROUNDS):
        times.append([])
        for scope in (nullcontext(), backend.one_thread()):
            with scope:
                began = time.perf_counter()
                for _ in range(STEPS):
                    trainer.step(x, y)
                backend.finish()
                times[-1].append((time.perf_counter() - began) / STEPS)
    several, one = np.median(times, axis=0).tolist()
    return several, one


def advice(backend: Backend) -> str:
    """What to tell of it; empty when there is nothing."""
    found = cost_of_threads(backend)
    if found is None or found[0] < MUCH * found[1]:
        return ""
    several, one = found
    return (
        f"a training step on a small batch ({BATCH} × {FEATURES}) takes {several * 1e3:.2f} ms "
        f"with its threads and {one * 1e3:.2f} ms with one: set OMP_NUM_THREADS=1 for small models"
    )
