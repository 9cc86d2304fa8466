"""The gradient of each operation is its slope, which the contract sees of whole blocks only."""

import numpy as np
import pytest
from numpy_tape import Tape

import unified_blocks as ub
from pytest_unified_blocks.op_cases import OPS


@pytest.mark.parametrize(
    "op", [op for op in OPS if op.differentiable], ids=lambda op: f"{op.name}-{op.label}"
)
def test_a_gradient_is_the_slope(op):
    arrays = op.arrays("float64")
    way = [np.random.default_rng(i).normal(size=a.shape) for i, a in enumerate(arrays)]

    def moved(step):
        return [ub.from_numpy(a + step * b, "numpy_tape") for a, b in zip(arrays, way, strict=True)]

    inputs = moved(0)
    with Tape() as tape:
        try:
            y = op.call(*inputs)
        except ub.UnsupportedError as error:
            pytest.skip(str(error))
        y = ub.ops.sum(y * y)
    gradients = tape.gradient(y, inputs)
    after, before = (op.call(*moved(step)).array for step in (1e-6, -1e-6))
    slope = (after**2 - before**2).sum() / 2e-6
    along = sum((g * b).sum() for g, b in zip(gradients, way, strict=True) if g is not None)
    assert along == pytest.approx(slope, rel=1e-6, abs=1e-6)
