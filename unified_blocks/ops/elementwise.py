"""Operations on each element, with broadcasting as NumPy's.

Two tensors in one operation have the same dtype; a Python number takes the dtype of the tensor.
"""

from __future__ import annotations

from typing import Any

from unified_blocks.ops.dispatch import floating, namespace_of, together

DTYPES = ("float16", "float32", "float64", "int32", "int64", "bool")


def abs(x: Any, /) -> Any:
    """`|x|`; its derivative at 0 is 0.

    Example::

        ub.ops.abs(ub.from_numpy([-2.0, 0.0, 3.0]))  # [2, 0, 3]
    """
    return namespace_of("abs", x).abs(x)


def exp(x: Any, /) -> Any:
    """`eˣ`, of floating-point numbers.

    Example::

        ub.ops.exp(ub.from_numpy([0.0, 1.0]))  # [1, 2.718]
    """
    return floating("exp", x).exp(x)


def expm1(x: Any, /) -> Any:
    """`eˣ - 1`, exact for small x too.

    Example::

        ub.ops.expm1(ub.from_numpy([0.0, 1e-12]))  # [0, 1e-12]
    """
    return floating("expm1", x).expm1(x)


def log(x: Any, /) -> Any:
    """The natural logarithm, of floating-point numbers; -inf at 0, nan below.

    Example::

        ub.ops.log(ub.from_numpy([1.0, 2.0]))  # [0, 0.693]
    """
    return floating("log", x).log(x)


def log1p(x: Any, /) -> Any:
    """`log(1 + x)`, exact for small x too.

    Example::

        ub.ops.log1p(ub.from_numpy([0.0, 1e-12]))  # [0, 1e-12]
    """
    return floating("log1p", x).log1p(x)


def sqrt(x: Any, /) -> Any:
    """The square root, of floating-point numbers; nan below 0.

    Example::

        ub.ops.sqrt(ub.from_numpy([4.0, 2.0]))  # [2, 1.414]
    """
    return floating("sqrt", x).sqrt(x)


def square(x: Any, /) -> Any:
    """`x²`.

    Example::

        ub.ops.square(ub.from_numpy([-3.0, 2.0]))  # [9, 4]
    """
    return namespace_of("square", x).square(x)


def sign(x: Any, /) -> Any:
    """-1, 0 or 1; nan for nan; its derivative is 0.

    Example::

        ub.ops.sign(ub.from_numpy([-2.0, 0.0, 3.0]))  # [-1, 0, 1]
    """
    return namespace_of("sign", x).sign(x)


def sin(x: Any, /) -> Any:
    """The sine of x in radians.

    Example::

        ub.ops.sin(ub.from_numpy([0.0, np.pi / 2]))  # [0, 1]
    """
    return floating("sin", x).sin(x)


def cos(x: Any, /) -> Any:
    """The cosine of x in radians.

    Example::

        ub.ops.cos(ub.from_numpy([0.0, np.pi]))  # [1, -1]
    """
    return floating("cos", x).cos(x)


def erf(x: Any, /) -> Any:
    """The error function, `2/√π ∫₀ˣ exp(-t²) dt`.

    Example::

        ub.ops.erf(ub.from_numpy([0.0, 1.0]))  # [0, 0.843]
    """
    return floating("erf", x).erf(x)


def floor(x: Any, /) -> Any:
    """The largest integer not above x; its derivative is 0.

    Example::

        ub.ops.floor(ub.from_numpy([-1.5, 1.5]))  # [-2, 1]
    """
    return floating("floor", x).floor(x)


def ceil(x: Any, /) -> Any:
    """The smallest integer not below x; its derivative is 0.

    Example::

        ub.ops.ceil(ub.from_numpy([-1.5, 1.5]))  # [-1, 2]
    """
    return floating("ceil", x).ceil(x)


def round(x: Any, /) -> Any:
    """The nearest integer, halves to the even one; its derivative is 0.

    Example::

        ub.ops.round(ub.from_numpy([0.5, 1.5, 2.5]))  # [0, 2, 2]
    """
    return floating("round", x).round(x)


def add(x1: Any, x2: Any, /) -> Any:
    """`x1 + x2`.

    Example::

        x, y = ub.from_numpy([[1.0], [2.0]]), ub.from_numpy([10.0, 20.0])
        ub.ops.add(x, y)  # [[11, 21], [12, 22]]
    """
    return together("add", x1, x2).add(x1, x2)


def subtract(x1: Any, x2: Any, /) -> Any:
    """`x1 - x2`.

    Example::

        ub.ops.subtract(1, ub.from_numpy([0.25, 0.5]))  # [0.75, 0.5]
    """
    return together("subtract", x1, x2).subtract(x1, x2)


def multiply(x1: Any, x2: Any, /) -> Any:
    """`x1 · x2`.

    Example::

        ub.ops.multiply(ub.from_numpy([1.0, 2.0, 3.0]), 2)  # [2, 4, 6]
    """
    return together("multiply", x1, x2).multiply(x1, x2)


def divide(x1: Any, x2: Any, /) -> Any:
    """`x1 / x2`, of floating-point numbers.

    Example::

        ub.ops.divide(1, ub.from_numpy([2.0, 4.0]))  # [0.5, 0.25]
    """
    together("divide", x1, x2)
    return floating("divide", x2 if isinstance(x1, int | float) else x1).divide(x1, x2)


def pow(x1: Any, x2: Any, /) -> Any:
    """`x1` to the power of `x2`, of floating-point numbers.

    Example::

        ub.ops.pow(ub.from_numpy([1.0, 2.0, 3.0]), 2)  # [1, 4, 9]
    """
    together("pow", x1, x2)
    return floating("pow", x2 if isinstance(x1, int | float) else x1).pow(x1, x2)


def floor_divide(x1: Any, x2: Any, /) -> Any:
    """`⌊x1 / x2⌋`, towards -∞, of integers too.

    Example::

        ub.ops.floor_divide(ub.from_numpy([7, -7]), 2)  # [3, -4]
    """
    return together("floor_divide", x1, x2).floor_divide(x1, x2)


def remainder(x1: Any, x2: Any, /) -> Any:
    """`x1 - ⌊x1 / x2⌋ x2`, with the sign of `x2`, of integers too.

    Example::

        ub.ops.remainder(ub.from_numpy([7, -7]), 3)  # [1, 2]
    """
    return together("remainder", x1, x2).remainder(x1, x2)


def maximum(x1: Any, x2: Any, /) -> Any:
    """The larger one; frameworks differ in how equal ones share the gradient.

    Example::

        ub.ops.maximum(ub.from_numpy([-1.0, 2.0]), 0)  # [0, 2]
    """
    return together("maximum", x1, x2).maximum(x1, x2)


def minimum(x1: Any, x2: Any, /) -> Any:
    """The smaller one; frameworks differ in how equal ones share the gradient.

    Example::

        ub.ops.minimum(ub.from_numpy([-1.0, 2.0]), 0)  # [-1, 0]
    """
    return together("minimum", x1, x2).minimum(x1, x2)


def clip(x: Any, /, min: float | None = None, max: float | None = None) -> Any:
    """`x` limited to an interval; either bound may be omitted.

    Example::

        ub.ops.clip(ub.from_numpy([-2.0, 0.5, 2.0]), -1, 1)  # [-1, 0.5, 1]
    """
    if min is None and max is None:
        return x
    bounds = [bound for bound in (min, max) if bound is not None]
    return together("clip", x, *bounds).clip(x, min, max)


def astype(x: Any, dtype: str, /) -> Any:
    """`x` in the dtype `float16`, `float32`, `float64`, `int32`, `int64` or `bool`.

    Raises:
        ValueError: for another dtype.

    Example::

        ub.ops.astype(ub.from_numpy([0.0, 1.5, 2.0]), "int64")  # [0, 1, 2]
    """
    if dtype not in DTYPES:
        raise ValueError(f"ops.astype: dtype must be one of {', '.join(DTYPES)}; got {dtype!r}")
    return namespace_of("astype", x).astype(x, dtype)


def stop_gradient(x: Any, /) -> Any:
    """`x` as a constant: no gradient flows through it.

    Example::

        net = ub.Lambda(lambda X: X * ub.ops.stop_gradient(X))
        loss, gradients = ub.value_and_grad(net, np.array([3.0]), loss="sum", wrt="inputs")
        gradients["x"]  # [3.0]
    """
    return namespace_of("stop_gradient", x).stop_gradient(x)


def check_finite(x: Any, message: Any, /) -> Any:
    """`x`, a number; `ValueError(message(x))` when it is not finite.

    Eagerly it returns a Python number, for which it waits for the device once. In a graph, which
    cannot raise, it returns `x` itself and checks nothing.

    Args:
        x: a tensor of shape `()`.
        message: a function of the number.

    Example::

        total = ub.ops.sum(ub.from_numpy([1.0, 2.0]))
        ub.ops.check_finite(total, "the sum must be finite; got {}".format)  # 3.0
    """
    return floating("check_finite", x).check_finite(x, message)
