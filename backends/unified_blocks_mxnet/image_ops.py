"""The part of `ub.ops` that is about images, on MXNet arrays and symbols."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks_mxnet.compat import mx
from unified_blocks_mxnet.functions import anywhere
from unified_blocks_mxnet.ops import arange, clip, floor, minimum
from unified_blocks_mxnet.whole_numbers import namespace

MOST = 5
"""Axes, beyond which MXNet does not pad: it would tell when the numbers are read."""


@anywhere
def pad(x, pads, mode, value):
    F = namespace(x)
    if len(pads) > MOST:
        raise UnsupportedError(
            f"MXNet's ops.pad must be given a tensor of at most {MOST} axes; got {len(pads)}: "
            "join some with ops.reshape"
        )
    if mode == "constant":  # np.pad forgets the value, and gives zeros
        return F.np._internal.pad(x, pad_width=pads, mode="constant", constant_value=value)
    for axis, (before, after) in enumerate(pads):  # its own other modes have no gradient
        if not before and not after:
            continue
        before_axis = (slice(None),) * axis
        if mode == "reflect":
            start = F.np.flip(x[(*before_axis, slice(1, before + 1))], axis)
            end = F.np.flip(x[(*before_axis, slice(-after - 1, -1))], axis)
        else:
            start = F.np.repeat(x[(*before_axis, slice(0, 1))], before, axis=axis)
            end = F.np.repeat(x[(*before_axis, slice(-1, None))], after, axis=axis)
        parts = (*((start,) if before else ()), x, *((end,) if after else ()))
        x = F.np.concatenate(parts, axis=axis)
    return x


@anywhere
def resize(x, sizes, axes, method, align_corners):
    """Its own computes in float32, whatever it is given."""
    for axis, m in zip(axes, sizes, strict=True):
        x = sampled(x, axis, arange(0, m, 1, exact(x)), m, method, align_corners)
    return x


def sampled(x, axis, places, m, method, align_corners):
    """`x` in size m along a negative axis.

    Args:
        places: 0 to m - 1, in the dtype of `exact(x)`.
        m: a number, or a symbol of one in that dtype.
    """
    n = size_of(x, axis)
    if method == "nearest":
        places = places.astype("float64")  # which counts exactly
        return taken(x, floor(places * n / m), axis)
    if align_corners:
        last = m - 1 if isinstance(m, mx.sym.Symbol) else max(m - 1, 1)
        at = places * (n - 1) / last
    else:
        at = clip(minimum((places + 0.5) * n / m - 0.5, n - 1), 0, None)
    low = floor(at)
    share = namespace(x).npx.reshape(at - low, (-1, *(1,) * (-1 - axis)))
    share = share if isinstance(x, mx.sym.Symbol) else share.astype(x.dtype)
    high = minimum(low + 1, n - 1)
    return taken(x, low, axis) * (1 - share) + taken(x, high, axis) * share


def exact(x):
    """`x` in the dtype to count in: a symbol, whose dtype nobody knows, stays what it is."""
    return x if isinstance(x, mx.sym.Symbol) else x.astype("float64")


def taken(x, indices, axis):
    return namespace(x).np.take(x, indices.astype("int64"), axis=axis, mode="clip")


def size_of(x, axis):
    """The size of an axis: a number, or of a symbol a symbol in its dtype."""
    if not isinstance(x, mx.sym.Symbol):
        return x.shape[axis]
    line = mx.sym.np.swapaxes(mx.sym.np.ones_like(x), axis, -1)
    return mx.sym.np.max(mx.sym.np.sum(line, axis=-1))
