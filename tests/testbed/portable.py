"""Blocks written once, in a module that another process can import."""

import unified_blocks as ub
from unified_blocks import ops


class Residual(ub.Block):
    """A residual block with a constant."""

    def __init__(self, units):
        super().__init__()
        self.body = ub.MySequential(ub.Dense(units, activation="relu"), ub.Dense(units))
        self.scale = ub.Constant(0.5)

    def forward(self, X):
        return ops.relu(X + self.scale * self.body(X))


class Twice(Residual):
    """Extends a portable block."""

    def forward(self, X):
        return super().forward(super().forward(X))


class Doubled(ub.MLP):
    """Extends a block that has native classes."""

    def forward(self, X):
        return super().forward(X) * 2


class Halving(ub.Block):
    """Loops on a value, branches on one, and loops on a number."""

    def __init__(self, units):
        super().__init__()
        self.dense = ub.Dense(units, in_units=units)

    def forward(self, X):
        H = self.dense(X)
        if ops.sum(H) < 0:
            H = -H
        for _ in range(2):
            H = H + X
        return self.halved(H)

    def halved(self, H):
        while ops.sum(ops.abs(H)) > 1:
            H = H / 2
        return H


class Bounded(ub.Block):
    """The same loop with a maximum of iterations."""

    def __init__(self, units):
        super().__init__()
        self.dense = ub.Dense(units, in_units=units)

    def forward(self, X):
        H = self.dense(X) + 2 * X
        (H,) = ops.while_loop(
            lambda H: ops.sum(ops.abs(H)) > 1, lambda H: H / 2, (H,), max_iterations=40
        )
        return H


class Nested(ub.Block):
    """Blocks in lists, tuples and dicts."""

    def __init__(self, units):
        super().__init__()
        self.blocks = []
        for _ in range(2):
            self.blocks.append(ub.Dense(units))
        self.pair = (ub.Dense(units), ub.ReLU())
        self.named = {"a": [ub.Dense(units)], "b": ub.Dense(units)}

    def forward(self, X):
        for block in [*self.blocks, *self.pair, *self.named["a"]]:
            X = block(X)
        return self.named["b"](X)


NAMES = ["blocks.0", "blocks.1", "pair.0", "named.a.0", "named.b"]


class Random(ub.Block):
    """Constants that are drawn."""

    def __init__(self, units):
        super().__init__()
        self.uniform = ub.Constant(shape=(units, units))
        self.normal = ub.Constant(shape=(units,), initializer="normal")
        self.given = ub.Constant([float(i) for i in range(units)])
        self.dense = ub.Dense(units)

    def forward(self, X):
        return self.dense(ops.matmul(X, self.uniform) + self.normal * self.given)


BLOCKS = {cls.__name__: cls for cls in (Residual, Twice, Halving, Bounded, Nested, Random)}
BLOCKS["Doubled"] = lambda units: Doubled(7, units)


def made(name):
    """One of `BLOCKS`, built for an input `(n, 6)`."""
    return ub.initialize(ub.build(BLOCKS[name](6), (3, 6)), 1, "torch_default")
