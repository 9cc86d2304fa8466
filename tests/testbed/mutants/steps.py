"""Checks of what a training step does besides: that it is the formula."""

from __future__ import annotations

import numpy as np

import unified_blocks as ub
from testbed.formula import Formula, X, Y, check, dense
from unified_blocks.backend import StepOptions
from unified_blocks.training.history import History
from unified_blocks.training.learning.improvement import Improvement
from unified_blocks.training.learning.schedules import rates

MOMENTUM = ub.SGD(0.25, 0.75)
NESTEROV = ub.SGD(0.25, 0.75, nesterov=True, weight_decay=0.125)
ROWS = np.arange(10)


def updates(optimizer, factors=(1.0, 1.0, 1.0), batch_size=10, **options):
    """A check: some updates of all samples are those of the formula."""

    def function(backend_name):
        backend, chosen = ub.get_backend(backend_name), StepOptions(**options)
        net, formula = dense(), Formula(optimizer, chosen)
        step = backend.training_step(net, optimizer, "mse", chosen)
        x, y = (backend.from_numpy(a) for a in (X, Y))
        for factor in factors:
            more = {}
            if chosen.scheduled:
                rate = np.float32(optimizer.learning_rate * factor)
                more["rates"] = np.array([rate])
            loss = step.epoch(x, y, ROWS, batch_size, **more)
            np.testing.assert_allclose(loss, [formula.update(ROWS, factor)], rtol=1e-12)
        check(net, formula, backend_name)
        for slot in step.averages():
            np.testing.assert_allclose(slot.read(), formula.average[slot.name], rtol=1e-12)

    return function


def schedules(backend_name):
    t = np.arange(12)
    step, cosine = ub.StepDecay(3, 0.5), ub.CosineDecay(8, 0.25)
    np.testing.assert_allclose([step(i) for i in t], 0.5 ** (t // 3))
    half = (1 + np.cos(np.pi * np.minimum(t / 8, 1))) / 2
    np.testing.assert_allclose([cosine(i) for i in t], 0.25 + 0.75 * half)
    warm = ub.WarmUp(4, then=step)
    assert [warm(i) for i in range(8)] == [0.25, 0.5, 0.75, 1, 1, 1, 1, 0.5]
    assert ub.StepDecay(2, unit="epoch").in_steps(7) == ub.StepDecay(14)
    assert rates(step, 0.1, 2, 2).tolist() == np.array([0.1, 0.05], "float32").tolist()


def improvement(backend_name):
    seen = Improvement("it", "loss", 1, 0.5)
    found = [(seen.see(History(loss=[value])), seen.without) for value in (3, 2.75, 2, 2, 1)]
    assert found == [(True, 0), (False, 1), (True, 0), (False, 1), (True, 0)]
    largest = Improvement("it", "accuracy", 1, 0.0)
    assert [largest.see(History(metrics={"accuracy": [v]})) for v in (1, 2, 1)] == [
        True,
        True,
        False,
    ]
