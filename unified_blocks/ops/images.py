"""Operations on images: what is around them, and their size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from unified_blocks.ops.dispatch import floating, together
from unified_blocks.ops.reductions import rank_of

PAD_MODES = ("constant", "reflect", "edge")
RESIZE_METHODS = ("nearest", "bilinear")


def pad(
    x: Any,
    pad_width: Sequence[tuple[int, int]],
    /,
    *,
    mode: Literal["constant", "reflect", "edge"] = "constant",
    value: float = 0,
) -> Any:
    """`x` with more elements before and after, as `numpy.pad`.

    Args:
        x: a tensor.
        pad_width: a pair `(before, after)` for each axis.
        mode: what the new elements are: `"constant"`, `value`; `"reflect"`, those inside in reverse
            order, without the edge, so there are fewer than the axis has; `"edge"`, the last one.
        value: of the constant.

    Raises:
        ValueError: for another mode, or pairs that are not one for each axis, of numbers from 0.

    Example::

        ub.ops.pad(ub.from_numpy([1.0, 2.0, 3.0]), [(1, 2)], mode="reflect")  # [2, 1, 2, 3, 2, 1]
    """
    if mode not in PAD_MODES:
        raise ValueError(f"ops.pad: mode must be one of {', '.join(PAD_MODES)}; got mode={mode!r}")
    pairs = tuple(map(tuple, pad_width))
    rank = rank_of(x)
    if rank not in (None, len(pairs)) or not all(
        len(pair) == 2 and min(pair) >= 0 for pair in pairs
    ):
        raise ValueError(
            "ops.pad: pad_width must be a pair (before, after) of numbers from 0 for each of "
            f"{'the' if rank is None else rank} axes; got pad_width={pad_width!r}"
        )
    shape = getattr(x, "shape", None)
    if mode == "reflect" and rank is not None and shape is not None:
        for size, pair in zip(shape, pairs, strict=True):
            if isinstance(size, int) and max(pair) >= size:
                raise ValueError(
                    "ops.pad: in mode reflect pad_width must be below the size of each axis; got "
                    f"pad_width={pad_width!r} for sizes {tuple(shape)}"
                )
    return together("pad", x, value).pad(x, pairs, mode, value)


def resize(
    x: Any,
    size: Sequence[int],
    /,
    *,
    method: Literal["nearest", "bilinear"] = "nearest",
    align_corners: bool = False,
) -> Any:
    """Images `(…, h, w)` in another size: of its last axes, as many as `size` has.

    Along each axis element i of m is taken from n elements at `(i + ½) n / m - ½`, clipped to
    [0, n - 1], or with `align_corners` at `i (n - 1) / (m - 1)`: between two elements it is the
    straight line. The nearest is at `⌊i n / m⌋`.

    Args:
        x: a tensor of floating-point numbers.
        size: m, of each of the last axes.
        method: `"nearest"`, or `"bilinear"` (along one axis linear, along three trilinear).
        align_corners: whether the first and last elements stay the first and last ones; for
            `"bilinear"`. Default False, as TensorFlow and PyTorch (MXNet's own has True).

    Raises:
        ValueError: for another method, or sizes below 1.

    Example::

        image = ub.from_numpy([[0.0, 1.0]])
        ub.ops.resize(image, (1, 4), method="bilinear")  # [[0, 0.25, 0.75, 1]]
    """
    check_method("ops.resize", "method", method, align_corners)
    sizes = tuple(size)
    if not sizes or not all(isinstance(each, int) and each >= 1 for each in sizes):
        raise ValueError(f"ops.resize: size must be whole numbers of at least 1; got size={size!r}")
    axes = tuple(range(-len(sizes), 0))
    return floating("resize", x).resize(x, sizes, axes, method, align_corners)


def check_method(what: str, parameter: str, method: Any, align_corners: bool) -> None:
    """Raise `ValueError` for a method that is not known, or corners that it does not have."""
    if method not in RESIZE_METHODS:
        raise ValueError(
            f"{what}: {parameter} must be one of {', '.join(RESIZE_METHODS)}; "
            f"got {parameter}={method!r}"
        )
    if align_corners and method == "nearest":
        raise ValueError(
            f'{what}: align_corners must be False for "nearest", which has one meaning; '
            f"got align_corners={align_corners!r}"
        )
