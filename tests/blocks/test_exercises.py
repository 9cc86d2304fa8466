"""The exercises of the chapter: blocks side by side, and many of one kind."""

import copy
from itertools import pairwise

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal, run

X = normal(3, 6)


def test_parallel(backend_name):
    net = ub.Parallel(ub.Dense(3), ub.NestMLP(), ub.Dense(2), axis=-1)
    ub.initialize(ub.build(net, X.shape), 1, "torch_default")
    assert {name.split(".")[0] for name in ub.state(net)} == {"0", "1", "2"}
    parts = [run(block, X) for block in net.branches()]
    np.testing.assert_array_equal(run(net, X), np.concatenate(parts, axis=-1))
    np.testing.assert_allclose(run(net, X), net.reference(ub.state(net), X), rtol=1e-5, atol=1e-6)
    copied = copy.deepcopy(net)
    np.testing.assert_array_equal(run(copied, X), run(net, X))
    assert run(ub.Parallel(ub.Dense(4), ub.Dense(4), axis=0), X).shape == (6, 4)
    with pytest.raises(TypeError, match="at least one block; got none"):
        ub.Parallel()


def test_repeat_shares_nothing(backend_name):
    net = ub.repeat(lambda: ub.MySequential(ub.Dense(6), ub.ReLU()), 3)
    ub.initialize(ub.build(net, X.shape), 1)
    assert len(net) == 3
    assert len(ub.state(net)) == 6
    weights = [array for name, array in ub.state(net).items() if "weight" in name]
    assert all((a != b).any() for a, b in pairwise(weights))
    state = ub.state(net)
    state["0.0.weight"] = state["0.0.weight"] + 1
    ub.load_state(net, state)
    assert (ub.state(net)["1.0.weight"] == state["1.0.weight"]).all()
    assert len(ub.repeat(lambda: ub.ReLU(), 0)) == 0
    with pytest.raises(ValueError, match="n must be at least 0"):
        ub.repeat(ub.ReLU, -1)
    shared = ub.Dense(6)
    with pytest.raises(TypeError, match="must make a new block at each call"):
        ub.repeat(lambda: shared, 2)
