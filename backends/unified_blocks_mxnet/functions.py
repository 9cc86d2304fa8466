"""How MXNet's own functions are called, on arrays and on symbols."""

from __future__ import annotations

import functools

from unified_blocks_mxnet.compat import numpy_semantics
from unified_blocks_mxnet.whole_numbers import exact, namespace


def by_name(name):
    """MXNet's own function of one tensor."""

    def function(x, *args):
        return getattr(namespace(x).np, name)(x, *args)

    return function


def pair(name):
    """MXNet's own function of two tensors, for numbers too."""

    def of_two(x1, x2):
        if isinstance(x1, bool | int | float):
            return getattr(namespace(x2).np, name)(exact(x1, x2), x2)
        return getattr(namespace(x1).np, name)(x1, exact(x2, x1))

    return of_two


def anywhere(function):
    """`function`, which needs NumPy semantics, outside of blocks too."""

    @functools.wraps(function)
    def inside(*args):
        with numpy_semantics():
            return function(*args)

    return inside


def reduction(name):
    """MXNet's own reduction of that name."""

    def reduce(x, axis, keepdims):
        return getattr(namespace(x).np, name)(x, axis=axis, keepdims=keepdims)

    return reduce


def legacy(function, *args):
    """A function of MXNet that has no form with NumPy semantics."""
    return function(*(x.as_nd_ndarray() for x in args)).as_np_ndarray()
