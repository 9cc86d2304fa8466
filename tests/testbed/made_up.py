"""Networks that compute the same, with the numbers of one layer in those of the layer beside it."""

import numpy as np

import unified_blocks as ub
from unified_blocks import ops


class Normed(ub.Block):
    """A norm after a dense layer, or none."""

    def __init__(self, norm=True, bias=True):
        super().__init__()
        self.dense = ub.Dense(5, use_bias=bias)
        self.norm = ub.BatchNorm() if norm else None
        self.act, self.out = ub.ReLU(), ub.Dense(3)

    def forward(self, X):
        H = self.dense(X)
        return self.out(self.act(H if self.norm is None else self.norm(H)))


class Adapted(ub.Block):
    """A dense layer and a product of two small ones beside it, or that in the one."""

    def __init__(self, beside=True):
        super().__init__()
        self.dense, self.out = ub.Dense(5), ub.Dense(3)
        if beside:
            self.down, self.up = ub.Dense(2, use_bias=False), ub.Dense(5, use_bias=False)

    def forward(self, X):
        H = self.dense(X)
        return self.out(ops.tanh(H + self.up(self.down(X)) if hasattr(self, "up") else H))


def of_one_norm(a, b):
    """`b`, without a norm, with the numbers of `a`, which has one."""
    numbers = ub.state(a)
    factor = numbers.pop("norm.weight") / np.sqrt(numbers.pop("norm.running_var") + 1e-5)
    shift = numbers.pop("norm.bias") - factor * numbers.pop("norm.running_mean")
    numbers["dense.weight"] *= factor[:, None]
    numbers["dense.bias"] = numbers["dense.bias"] * factor + shift
    return ub.load_state(b, numbers)


def of_one_sum(a, b):
    numbers = ub.state(a)
    numbers["dense.weight"] += numbers.pop("up.weight") @ numbers.pop("down.weight")
    return ub.load_state(b, numbers)


def of_one_bias(a, b):
    """`b`, without a bias before its norm, which has it in the mean."""
    numbers = ub.state(a)
    numbers["norm.running_mean"] -= numbers.pop("dense.bias")
    return ub.load_state(b, numbers)


KINDS = {
    "a norm": (Normed, lambda: Normed(norm=False), of_one_norm),
    "a sum": (Adapted, lambda: Adapted(beside=False), of_one_sum),
    "a bias": (Normed, lambda: Normed(bias=False), of_one_bias),
}
"""Two networks, and how the second gets the numbers of the first."""


class Unseen(ub.Block):
    """A unit that positive inputs never make active, if its weights are negative."""

    def __init__(self, bias):
        super().__init__()
        self.dense, self.out = ub.Dense(4, use_bias=bias), ub.Dense(3)

    def forward(self, X):
        return self.out(ops.relu(self.dense(X)))


def unseen(a, b):
    """Numbers of `a` that have such a unit, and others of `b`, which lacks a bias of zero."""
    numbers = ub.state(a)
    numbers["dense.bias"][:] = 0
    numbers["dense.weight"][0] = -1
    ub.load_state(a, numbers)
    del numbers["dense.bias"]
    numbers["dense.weight"][0] = -2
    return ub.load_state(b, numbers)
