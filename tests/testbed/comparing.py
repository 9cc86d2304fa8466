"""Models to compare, on each pair of frameworks that is here."""

import pytest

import unified_blocks as ub
from testbed.causes import X
from testbed.common import HERE
from unified_blocks import ops

PAIRS = [(a, b) for a in HERE for b in HERE if a != b]
pairs = pytest.mark.parametrize(("first", "second"), PAIRS)


def built(make, x=X, dtype="float64", on=None):
    with ub.use_backend(on or ub.get_backend().name) as backend, ub.use_dtype(dtype):
        net = make()
        inputs = x if isinstance(x, tuple) else (x,)
        backend.run(net, [backend.from_numpy(each) for each in inputs])
    return ub.initialize(net, 1, "torch_default")


class Twice(ub.Block):
    """A layer used twice, by a block that may forget what it does between."""

    def __init__(self, forgets=False):
        super().__init__()
        self.dense = ub.Dense(6)
        self.forgets = forgets

    def forward(self, X):
        H = self.dense(X)
        return self.dense(H if self.forgets else ops.sin(H))


def calls(found):
    return [row.name for row in found.rows if row.what == "call"]
