"""Whole numbers on MXNet to the last digit: its own functions compute many of them in float64.

A symbol tells no dtype. What it holds is computed as MXNet does.
"""

from __future__ import annotations

import numpy as np

from unified_blocks_mxnet.compat import mx


def namespace(x):
    """The namespace of MXNet operations for `x`, as Gluon gives it to `hybrid_forward`."""
    return mx.sym if isinstance(x, mx.sym.Symbol) else mx.nd


def is_whole(x):
    """Whether `x` is an array of whole numbers."""
    return np.dtype(getattr(x, "dtype", None)).kind in "iu"  # without one it is a float64's


def exact(value, like):
    """`value`; a number that float64 would round as a tensor, of the shape and dtype of `like`."""
    if not isinstance(value, int) or -(2**53) <= value <= 2**53:
        return value
    high, low = divmod(value, 2**32)
    return (namespace(like).np.zeros_like(like) + high) * 2**32 + low


def magnitude(x):
    return namespace(x).np.where(x < 0, -x, x)


def floor_divide(x1, x2):
    x1, x2, dtype = as_int64(x1, x2)
    quotient = mx.np.zeros_like(x1)
    for _ in range(2):  # the first is near, the second the nearest; all of it wraps around
        rest = x1 - quotient * x2
        quotient = quotient + mx.np.around(rest.astype("float64") / x2.astype("float64")).astype(
            "int64"
        )
    rest = x1 - quotient * x2
    too_large = (rest != 0) * ((rest < 0) != (x2 < 0))  # by one: rest has the other sign
    return (quotient - too_large.astype("int64")).astype(dtype)


def remainder(x1, x2):
    x1, x2, dtype = as_int64(x1, x2)
    return (x1 - floor_divide(x1, x2) * x2).astype(dtype)


def as_int64(x1, x2):
    """Two tensors of one shape, or more, and their dtype; one of the two may be a number."""
    like = x1 if isinstance(x1, mx.np.ndarray) else x2
    zeros = mx.np.zeros_like(like).astype("int64")
    return *((zeros + exact(x, zeros)).astype("int64") for x in (x1, x2)), like.dtype
