"""`ub.ops` on MXNet arrays and symbols."""

from __future__ import annotations

import math

import numpy as np

from unified_blocks.ops import KEEP
from unified_blocks_mxnet import whole_numbers
from unified_blocks_mxnet.compat import mx
from unified_blocks_mxnet.control_flow import cond as cond
from unified_blocks_mxnet.control_flow import while_loop as while_loop
from unified_blocks_mxnet.functions import anywhere, by_name, legacy, pair, reduction
from unified_blocks_mxnet.whole_numbers import exact, is_whole, namespace

# on each element

exp = by_name("exp")
expm1 = by_name("expm1")
log = by_name("log")
log1p = by_name("log1p")
sqrt = by_name("sqrt")
sin = by_name("sin")
cos = by_name("cos")
floor = by_name("floor")
ceil = by_name("ceil")
isfinite = by_name("isfinite")
isnan = by_name("isnan")
add = pair("add")
subtract = pair("subtract")
multiply = pair("multiply")
divide = pair("true_divide")
pow = pair("power")
maximum = pair("maximum")
minimum = pair("minimum")
equal = pair("equal")
not_equal = pair("not_equal")
less = pair("less")
less_equal = pair("less_equal")
greater = pair("greater")
greater_equal = pair("greater_equal")
logical_and = pair("multiply")  # of truth values
logical_not = by_name("logical_not")


def abs(x):
    return whole_numbers.magnitude(x) if is_whole(x) else namespace(x).np.abs(x)


def square(x):
    return x * x if is_whole(x) else namespace(x).np.square(x)  # its own rounds whole numbers


def sign(x):
    return where(equal(x, x), namespace(x).np.sign(x), x)  # its own is 0 of nan


def round(x):
    below = floor(x)  # its own knows no float16
    rest = x - below
    even = below + remainder(below, 2)
    return where(rest > 0.5, below + 1, where(equal(rest, 0.5), even, below))


def logical_or(x1, x2):
    return logical_not(logical_and(logical_not(x1), logical_not(x2)))


def erf(x):
    value = namespace(x).npx.erf(x)
    if not isinstance(x, mx.sym.Symbol) and not mx.autograd.is_recording():
        return value
    # Its own derivative is off by 1e-8; this one is that of a line of the right slope.
    slope = stop_gradient(exp(-square(x)) * (2 / math.sqrt(math.pi)))
    line = slope * clip(x, -30, 30)  # beyond that the slope is 0, and 0 times infinity is nan
    return stop_gradient(value) + (line - stop_gradient(line))


def floor_divide(x1, x2):
    if is_whole(x1) or is_whole(x2):
        return whole_numbers.floor_divide(x1, x2)
    return round((x1 - remainder(x1, x2)) / x2)


def remainder(x1, x2):
    if is_whole(x1) or is_whole(x2):
        return whole_numbers.remainder(x1, x2)
    return pair("remainder")(x1, x2)


def clip(x, min, max):
    x = x if min is None else maximum(x, min)  # its own rounds the bounds to float32
    return x if max is None else minimum(x, max)


def where(condition, x1, x2):
    # Given a number MXNet lets the gradient flow into the other branch.
    F = namespace(condition)
    if isinstance(x1, bool | int | float):
        x1 = full_like(x2, x1)
    elif isinstance(x2, bool | int | float):
        x2 = full_like(x1, x2)
    return F.np.where(condition, x1, x2)


def astype(x, dtype):
    return x.astype(dtype)


def stop_gradient(x):
    if isinstance(x, mx.sym.Symbol):
        return legacy(mx.sym.BlockGrad, x)
    return x.detach()  # after BlockGrad of a product MXNet's backward is a segmentation fault


def check_finite(x, message):
    if isinstance(x, mx.sym.Symbol):
        return x
    number = x.item()
    if not math.isfinite(number):
        raise ValueError(message(number))
    return number


# over axes


def sum(x, axis, keepdims):
    if getattr(x, "dtype", np.float32) in (np.int32, np.bool_):
        x = x.astype("int64")
    return namespace(x).np.sum(x, axis=axis, keepdims=keepdims)


mean = reduction("mean")
max = reduction("max")
min = reduction("min")
any = reduction("any")
all = reduction("all")


@anywhere
def prod(x, axis, keepdims):
    # The gradient of its own is nan at a zero. Here a zero is a factor beside the others' product:
    # alone it has that product for its derivative, and one of several has 0.
    zero = equal(x, 0)
    others = reduction("prod")(where(zero, 1, x), axis, keepdims)
    zeros = sum(zero, axis, keepdims)
    alone = sum(where(zero, x, 0), axis, keepdims)
    return others * where(equal(zeros, 0), 1, where(equal(zeros, 1), alone, 0))


argmax = by_name("argmax")
argmin = by_name("argmin")


def logsumexp(x, axis, keepdims):
    largest = stop_gradient(max(x, axis, True))
    largest = where(isfinite(largest), largest, 0)  # of -inf alone the result is -inf, not nan
    total = log(sum(exp(x - largest), axis, True)) + largest
    return total if keepdims else squeeze(total, axis)


# matrices and shapes


def matmul(x1, x2):
    F = namespace(x1)
    if getattr(x1, "dtype", None) == np.float16 and x1.ctx.device_type == "cpu":
        return matmul(x1.astype("float32"), x2.astype("float32")).astype("float16")
    if F is mx.sym or (x1.ndim > 2 and x2.ndim > 2 and x1.shape[:-2] != x2.shape[:-2]):
        # The gradient of its own is wrong where one of several leading sizes is broadcast.
        x1, x2 = x1 * batch_of_ones(F, x2), x2 * batch_of_ones(F, x1)
    return F.np.matmul(x1, x2)


def batch_of_ones(F, x):
    """Ones of shape `(…, 1, 1)` for matrices `(…, n, m)`."""
    return F.np.ones_like(F.np.sum(x, axis=(-1, -2), keepdims=True))


def matrix_transpose(x):
    return namespace(x).np.swapaxes(x, -1, -2)


def reshape(x, shape):
    if isinstance(x, mx.sym.Symbol):  # its -2 copies the size at the same place
        return mx.sym.npx.reshape(x, tuple(-2 if size is KEEP else size for size in shape))
    return x.reshape(tuple(x.shape[i] if size is KEEP else size for i, size in enumerate(shape)))


def permute_dims(x, axes):
    return namespace(x).np.transpose(x, axes)


def expand_dims(x, axis):
    return namespace(x).np.expand_dims(x, axis)


def squeeze(x, axis):
    return namespace(x).np.squeeze(x, axis)


def concat(arrays, axis):
    return namespace(arrays[0]).np.concatenate(arrays, axis)


def stack(arrays, axis):
    return namespace(arrays[0]).np.stack(arrays, axis)


def split(x, sections, axis):
    return namespace(x).np.split(x, sections, axis)


def broadcast_to(x, shape):
    return namespace(x).np.broadcast_to(x, shape)


def flip(x, axis):
    F = namespace(x)
    first = F.np.swapaxes(x, 0, axis)  # it knows no negative axes
    return F.np.swapaxes(F.np.flip(first, 0), 0, axis)


@anywhere
def take(x, indices, axis):
    F = namespace(x)
    indices = stop_gradient(indices)
    taken = F.np.take(x, indices, axis=axis, mode="clip")
    if F is mx.sym:
        sizes = legacy(F.shape_array, F.np.swapaxes(x.astype("float32"), 0, axis))  # no bools
        last = sizes[0].astype("float64") - 1
    else:
        last = x.shape[axis] - 1
    inside = F.np.abs(indices.astype("float64") - last / 2) <= last / 2  # (k,), in [0, last]
    ones = F.np.swapaxes(F.np.ones_like(taken).astype("float32"), -1, axis)  # (…, k)
    chosen = F.np.swapaxes(ones * inside, -1, axis) > 0
    # Of whole numbers this nan is the smallest, of truth values True.
    return F.np.where(chosen, taken, F.np.full_like(taken, np.nan))


def cumulative_sum(x, axis):
    F = namespace(x)
    first = F.np.swapaxes(x, 0, axis)
    return F.np.swapaxes(F.np.cumsum(first, 0), 0, axis)


def tril(x, k):
    return namespace(x).np.tril(x, k)


def triu(x, k):
    return where(tril(full_like(x, 1), k - 1) > 0, 0, x)  # x may hold infinities


@anywhere
def one_hot(indices, depth, dtype):
    indices = stop_gradient(indices).astype("float64")  # its own takes 2³² for 0
    chosen = equal(expand_dims(indices, -1), arange(0, depth, 1, indices))
    return chosen.astype(dtype)


@anywhere
def one_hot_like(indices, x):
    F = namespace(x)
    positions = F.npx.arange_like(x, axis=-1).astype("float64")
    wanted = F.np.expand_dims(stop_gradient(indices).astype("float64"), -1)
    zero = F.np.sum(F.np.zeros_like(x))
    return F.np.where(F.np.equal(wanted, positions), zero + 1, zero)


@anywhere
def full(shape, value, like):
    F = namespace(like)
    zero = F.np.sum(F.np.zeros_like(like))  # a symbol tells its dtype in no other way
    return F.np.broadcast_to(zero + exact(value, zero), shape)


def full_like(x, value):
    value = exact(value, x)
    return namespace(x).np.full_like(x, value) if isinstance(value, bool | int | float) else value


@anywhere
def arange(start, stop, step, like):
    length = math.ceil((stop - start) / step)
    line = namespace(like).npx.arange_like(full((length,), 0, like), axis=0)
    return add(line * step, start)  # its own steps are whole ones in float16


@anywhere
def eye(n, like):
    position = arange(0, n, 1, like.astype("float64"))  # float16 counts to 2048 only
    same = equal(expand_dims(position, 0), expand_dims(position, 1))
    return where(same, full((n, n), 1, like), 0)
