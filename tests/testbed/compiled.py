"""Blocks to compile, and what they are compared by."""

import numpy as np

import unified_blocks as ub
from unified_blocks.reference.policy import deviation

WIDTH = 6


class Normed(ub.Block):
    """Its outputs in training are others than in inference."""

    def __init__(self):
        super().__init__()
        self.dense = ub.Dense(8, in_units=WIDTH, activation="tanh")
        self.norm = ub.BatchNorm()
        self.dropout = ub.Dropout(0.5)

    def forward(self, X):
        return self.dropout(self.norm(self.dense(X)))


class Doubled(ub.Block):
    """Without parameters, for inputs of every shape and dtype."""

    def forward(self, X):
        return X + X


class Two(ub.Block):
    def forward(self, X, Y):
        return {"sum": X + Y, "parts": (X, Y * 2)}


class ByBatch(ub.Block):
    """What Python makes of the size of the batch becomes a part of the graph."""

    def forward(self, X):
        if getattr(X, "shape", (0,))[0] == 3:
            return X * 2
        return X * 4


def built(net, *shapes, dtype="float32"):
    """`net`, and inputs for it."""
    x = [np.random.default_rng(i).normal(size=s).astype(dtype) for i, s in enumerate(shapes)]
    ub.build(net, list(shapes) if len(shapes) > 1 else shapes[0])
    if ub.state(net):
        ub.initialize(net, seed=0, scheme="glorot_uniform")
    return net, [ub.from_numpy(a) for a in x]


def rows(backend, x, size):
    """That many of them, from the first on."""
    return backend.from_numpy(np.resize(backend.to_numpy(x), (size, WIDTH)))


def inferred(backend, net, *inputs, way=None):
    """What `way`, or the net itself, gives in inference."""
    with backend.inferring(net):
        return (way or net)(*inputs)


def agree(backend, found, expected, dtype="float32"):
    found, expected = backend.to_numpy(found), backend.to_numpy(expected)
    assert found.dtype == expected.dtype
    assert deviation(found, expected, dtype).ok


BLOCKS = {
    "MLP": lambda: ub.MLP(8, 3, in_units=WIDTH),
    "FixedHiddenMLP": lambda: ub.FixedHiddenMLP(WIDTH),
    "Normed": Normed,
}
