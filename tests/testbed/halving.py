"""A function that is not part of any test module, with a loop on a tensor."""

import numpy as np

import unified_blocks as ub
from unified_blocks import ops


def halved(H):
    while ops.sum(ops.abs(H)) > 1:
        H = H / 2
    return H


UNITS = 16  # a power of two, so that the largest sum is reached exactly


NOT_FINITE = {
    "overflowing sum": lambda dtype: np.full(UNITS, np.finfo(dtype).max / 2, dtype),
    "inf": lambda dtype: np.full(UNITS, np.inf, dtype),
    "nan": lambda dtype: np.full(UNITS, np.nan, dtype),
}


def starting_with(hidden, dtype, device):
    """A block whose loop starts with the row `hidden`, and an input for it."""
    net = ub.FixedHiddenMLP(UNITS, activation=None, dtype=dtype)
    zeros = np.zeros((UNITS, UNITS), dtype)
    ub.load_state(net, {"rand_weight": zeros, "dense.weight": zeros, "dense.bias": hidden})
    return ub.to_device(net, device), np.zeros((1, UNITS), dtype)
