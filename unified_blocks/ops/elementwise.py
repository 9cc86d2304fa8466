"""Operations on each element, with broadcasting as NumPy's.

Two tensors in one operation have the same dtype; a Python number takes the dtype of the tensor.
"""

from __future__ import annotations

from typing import Any

from unified_blocks.ops.dispatch import beside, floating, namespace_of, together, truth

DTYPES = ("float16", "float32", "float64", "int32", "int64", "bool")


def abs(x: Any, /) -> Any:
    """`|x|`; its derivative at 0 is 0."""
    return namespace_of("abs", x).abs(x)


def exp(x: Any, /) -> Any:
    """`eˣ`, of floating-point numbers."""
    return floating("exp", x).exp(x)


def expm1(x: Any, /) -> Any:
    """`eˣ - 1`, exact for small x too."""
    return floating("expm1", x).expm1(x)


def log(x: Any, /) -> Any:
    """The natural logarithm, of floating-point numbers; -inf at 0, nan below."""
    return floating("log", x).log(x)


def log1p(x: Any, /) -> Any:
    """`log(1 + x)`, exact for small x too."""
    return floating("log1p", x).log1p(x)


def sqrt(x: Any, /) -> Any:
    """The square root, of floating-point numbers; nan below 0."""
    return floating("sqrt", x).sqrt(x)


def square(x: Any, /) -> Any:
    """`x²`."""
    return namespace_of("square", x).square(x)


def sign(x: Any, /) -> Any:
    """-1, 0 or 1; nan for nan; its derivative is 0."""
    return namespace_of("sign", x).sign(x)


def sin(x: Any, /) -> Any:
    """The sine of x in radians."""
    return floating("sin", x).sin(x)


def cos(x: Any, /) -> Any:
    """The cosine of x in radians."""
    return floating("cos", x).cos(x)


def erf(x: Any, /) -> Any:
    """The error function, `2/√π ∫₀ˣ exp(-t²) dt`."""
    return floating("erf", x).erf(x)


def floor(x: Any, /) -> Any:
    """The largest integer not above x; its derivative is 0."""
    return floating("floor", x).floor(x)


def ceil(x: Any, /) -> Any:
    """The smallest integer not below x; its derivative is 0."""
    return floating("ceil", x).ceil(x)


def round(x: Any, /) -> Any:
    """The nearest integer, halves to the even one; its derivative is 0."""
    return floating("round", x).round(x)


def isfinite(x: Any, /) -> Any:
    """Where x is neither infinite nor nan."""
    return floating("isfinite", x).isfinite(x)


def isnan(x: Any, /) -> Any:
    """Where x is nan."""
    return floating("isnan", x).isnan(x)


def add(x1: Any, x2: Any, /) -> Any:
    """`x1 + x2`."""
    return together("add", x1, x2).add(x1, x2)


def subtract(x1: Any, x2: Any, /) -> Any:
    """`x1 - x2`."""
    return together("subtract", x1, x2).subtract(x1, x2)


def multiply(x1: Any, x2: Any, /) -> Any:
    """`x1 · x2`."""
    return together("multiply", x1, x2).multiply(x1, x2)


def divide(x1: Any, x2: Any, /) -> Any:
    """`x1 / x2`, of floating-point numbers."""
    together("divide", x1, x2)
    return floating("divide", x2 if isinstance(x1, int | float) else x1).divide(x1, x2)


def pow(x1: Any, x2: Any, /) -> Any:
    """`x1` to the power of `x2`, of floating-point numbers."""
    together("pow", x1, x2)
    return floating("pow", x2 if isinstance(x1, int | float) else x1).pow(x1, x2)


def floor_divide(x1: Any, x2: Any, /) -> Any:
    """`⌊x1 / x2⌋`, towards -∞, of integers too."""
    return together("floor_divide", x1, x2).floor_divide(x1, x2)


def remainder(x1: Any, x2: Any, /) -> Any:
    """`x1 - ⌊x1 / x2⌋ x2`, with the sign of `x2`, of integers too."""
    return together("remainder", x1, x2).remainder(x1, x2)


def maximum(x1: Any, x2: Any, /) -> Any:
    """The larger one; frameworks differ in how equal ones share the gradient."""
    return together("maximum", x1, x2).maximum(x1, x2)


def minimum(x1: Any, x2: Any, /) -> Any:
    """The smaller one; frameworks differ in how equal ones share the gradient."""
    return together("minimum", x1, x2).minimum(x1, x2)


def clip(x: Any, /, min: float | None = None, max: float | None = None) -> Any:
    """`x` limited to an interval; either bound may be omitted."""
    if min is None and max is None:
        return x
    bounds = [bound for bound in (min, max) if bound is not None]
    return together("clip", x, *bounds).clip(x, min, max)


def equal(x1: Any, x2: Any, /) -> Any:
    """Where `x1 = x2`."""
    return together("equal", x1, x2).equal(x1, x2)


def not_equal(x1: Any, x2: Any, /) -> Any:
    """Where `x1 ≠ x2`."""
    return together("not_equal", x1, x2).not_equal(x1, x2)


def less(x1: Any, x2: Any, /) -> Any:
    """Where `x1 < x2`."""
    return together("less", x1, x2).less(x1, x2)


def less_equal(x1: Any, x2: Any, /) -> Any:
    """Where `x1 ≤ x2`."""
    return together("less_equal", x1, x2).less_equal(x1, x2)


def greater(x1: Any, x2: Any, /) -> Any:
    """Where `x1 > x2`."""
    return together("greater", x1, x2).greater(x1, x2)


def greater_equal(x1: Any, x2: Any, /) -> Any:
    """Where `x1 ≥ x2`."""
    return together("greater_equal", x1, x2).greater_equal(x1, x2)


def logical_and(x1: Any, x2: Any, /) -> Any:
    """Where both truth values are true."""
    truth("logical_and", x1)
    return together("logical_and", x1, x2).logical_and(x1, x2)


def logical_or(x1: Any, x2: Any, /) -> Any:
    """Where one of two truth values is true, or both."""
    truth("logical_or", x1)
    return together("logical_or", x1, x2).logical_or(x1, x2)


def logical_not(x: Any, /) -> Any:
    """Where a truth value is false."""
    return truth("logical_not", x).logical_not(x)


def where(condition: Any, x1: Any, x2: Any, /) -> Any:
    """`x1` where the condition, truth values, holds, else `x2`; one of them may be a number.

    No gradient flows into the one that is not chosen. But 0 times an infinite derivative is nan, so
    keep the argument of a logarithm or a root away from 0 before this call, not after it.
    """
    truth("where", condition)
    namespace = together("where", x1, x2)
    tensor = x2 if isinstance(x1, bool | int | float) else x1
    namespace = namespace if namespace.symbolic else beside("where", tensor, condition)
    return namespace.where(condition, x1, x2)


def astype(x: Any, dtype: str, /) -> Any:
    """`x` in the dtype `float16`, `float32`, `float64`, `int32`, `int64` or `bool`.

    Raises:
        ValueError: for another dtype.
    """
    if dtype not in DTYPES:
        raise ValueError(f"ops.astype: dtype must be one of {', '.join(DTYPES)}; got {dtype!r}")
    return namespace_of("astype", x).astype(x, dtype)


def stop_gradient(x: Any, /) -> Any:
    """`x` as a constant: no gradient flows through it."""
    return namespace_of("stop_gradient", x).stop_gradient(x)


def check_finite(x: Any, message: Any, /) -> Any:
    """`x`, a number; `ValueError(message(x))` when it is not finite.

    Eagerly it returns a Python number, for which it waits for the device once. In a graph, which
    cannot raise, it returns `x` itself and checks nothing.

    Args:
        x: a tensor of shape `()`.
        message: a function of the number.
    """
    return floating("check_finite", x).check_finite(x, message)
