"""Comparisons, and operations on truth values, with broadcasting as NumPy's."""

from __future__ import annotations

from typing import Any

from unified_blocks.ops.dispatch import beside, floating, together, truth


def equal(x1: Any, x2: Any, /) -> Any:
    """Where `x1 = x2`.

    Example::

        ub.ops.equal(ub.from_numpy([1, 2, 3]), 2)  # [False, True, False]
    """
    return together("equal", x1, x2).equal(x1, x2)


def not_equal(x1: Any, x2: Any, /) -> Any:
    """Where `x1 ≠ x2`.

    Example::

        ub.ops.not_equal(ub.from_numpy([1, 2, 3]), 2)  # [True, False, True]
    """
    return together("not_equal", x1, x2).not_equal(x1, x2)


def less(x1: Any, x2: Any, /) -> Any:
    """Where `x1 < x2`.

    Example::

        ub.ops.less(ub.from_numpy([1, 2, 3]), 2)  # [True, False, False]
    """
    return together("less", x1, x2).less(x1, x2)


def less_equal(x1: Any, x2: Any, /) -> Any:
    """Where `x1 ≤ x2`.

    Example::

        ub.ops.less_equal(ub.from_numpy([1, 2, 3]), 2)  # [True, True, False]
    """
    return together("less_equal", x1, x2).less_equal(x1, x2)


def greater(x1: Any, x2: Any, /) -> Any:
    """Where `x1 > x2`.

    Example::

        ub.ops.greater(ub.from_numpy([1, 2, 3]), 2)  # [False, False, True]
    """
    return together("greater", x1, x2).greater(x1, x2)


def greater_equal(x1: Any, x2: Any, /) -> Any:
    """Where `x1 ≥ x2`.

    Example::

        ub.ops.greater_equal(ub.from_numpy([1, 2, 3]), 2)  # [False, True, True]
    """
    return together("greater_equal", x1, x2).greater_equal(x1, x2)


def isfinite(x: Any, /) -> Any:
    """Where x is neither infinite nor nan.

    Example::

        ub.ops.isfinite(ub.from_numpy([1.0, np.inf, np.nan]))  # [True, False, False]
    """
    return floating("isfinite", x).isfinite(x)


def isnan(x: Any, /) -> Any:
    """Where x is nan.

    Example::

        ub.ops.isnan(ub.from_numpy([1.0, np.inf, np.nan]))  # [False, False, True]
    """
    return floating("isnan", x).isnan(x)


def logical_and(x1: Any, x2: Any, /) -> Any:
    """Where both truth values are true.

    Example::

        x = ub.from_numpy([1, 2, 3])
        ub.ops.logical_and(ub.ops.greater(x, 1), ub.ops.less(x, 3))  # [False, True, False]
    """
    truth("logical_and", x1)
    return together("logical_and", x1, x2).logical_and(x1, x2)


def logical_or(x1: Any, x2: Any, /) -> Any:
    """Where one of two truth values is true, or both.

    Example::

        x = ub.from_numpy([1, 2, 3])
        ub.ops.logical_or(ub.ops.less(x, 2), ub.ops.greater(x, 2))  # [True, False, True]
    """
    truth("logical_or", x1)
    return together("logical_or", x1, x2).logical_or(x1, x2)


def logical_not(x: Any, /) -> Any:
    """Where a truth value is false.

    Example::

        ub.ops.logical_not(ub.from_numpy([True, False]))  # [False, True]
    """
    return truth("logical_not", x).logical_not(x)


def where(condition: Any, x1: Any, x2: Any, /) -> Any:
    """`x1` where the condition, truth values, holds, else `x2`; one of them may be a number.

    No gradient flows into the one that is not chosen. But 0 times an infinite derivative is nan, so
    keep the argument of a logarithm or a root away from 0 before this call, not after it.

    Example::

        x = ub.from_numpy([-2.0, 0.5, 3.0])
        ub.ops.where(ub.ops.greater(x, 1), 1, x)  # [-2, 0.5, 1]
    """
    truth("where", condition)
    namespace = together("where", x1, x2)
    tensor = x2 if isinstance(x1, bool | int | float) else x1
    namespace = namespace if namespace.symbolic else beside("where", tensor, condition)
    return namespace.where(condition, x1, x2)
