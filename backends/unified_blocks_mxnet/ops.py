"""`ub.ops` on MXNet arrays and symbols."""

from __future__ import annotations

import math
import sys

import numpy as np

from unified_blocks.ops import KEEP, register
from unified_blocks_mxnet.compat import mx, numpy_semantics
from unified_blocks_mxnet.hybrid import running


def namespace(x):
    """The namespace of MXNet operations for `x`, as Gluon gives it to `hybrid_forward`."""
    return mx.sym if isinstance(x, mx.sym.Symbol) else mx.nd


def by_name(name):
    """MXNet's own function of one or two tensors, numbers among them."""

    def function(*args):
        F = namespace(args[0] if not isinstance(args[0], bool | int | float) else args[1])
        return getattr(F.np, name)(*args)

    return function


# on each element

abs = by_name("abs")
exp = by_name("exp")
expm1 = by_name("expm1")
log = by_name("log")
log1p = by_name("log1p")
sqrt = by_name("sqrt")
square = by_name("square")
sign = by_name("sign")
sin = by_name("sin")
cos = by_name("cos")
floor = by_name("floor")
ceil = by_name("ceil")
around = round = by_name("around")
isfinite = by_name("isfinite")
isnan = by_name("isnan")
add = by_name("add")
subtract = by_name("subtract")
multiply = by_name("multiply")
divide = by_name("true_divide")
pow = by_name("power")
remainder = by_name("remainder")
maximum = by_name("maximum")
minimum = by_name("minimum")
equal = by_name("equal")
not_equal = by_name("not_equal")
less = by_name("less")
less_equal = by_name("less_equal")
greater = by_name("greater")
greater_equal = by_name("greater_equal")
logical_and = by_name("multiply")  # of truth values
logical_not = by_name("logical_not")


def logical_or(x1, x2):
    return logical_not(logical_and(logical_not(x1), logical_not(x2)))


def erf(x):
    # Its own derivative is off by 1e-8; this one is that of a line of the right slope.
    slope = stop_gradient(exp(-square(x)) * (2 / math.sqrt(math.pi)))
    line = slope * clip(x, -30, 30)  # beyond that the slope is 0, and 0 times infinity is nan
    return stop_gradient(namespace(x).npx.erf(x)) + (line - stop_gradient(line))


def floor_divide(x1, x2):
    quotient = around((x1 - remainder(x1, x2)) / x2)
    dtype = str(getattr(x1 if hasattr(x1, "dtype") else x2, "dtype", ""))
    return quotient.astype(dtype) if "int" in dtype else quotient


def clip(x, min, max):
    x = x if min is None else maximum(x, min)  # its own rounds the bounds to float32
    return x if max is None else minimum(x, max)


def where(condition, x1, x2):
    # Given a number MXNet lets the gradient flow into the other branch.
    F = namespace(condition)
    if isinstance(x1, bool | int | float):
        x1 = F.np.full_like(x2, x1)
    elif isinstance(x2, bool | int | float):
        x2 = F.np.full_like(x1, x2)
    return F.np.where(condition, x1, x2)


def astype(x, dtype):
    return x.astype(dtype)


def stop_gradient(x):
    return legacy(mx.sym.BlockGrad if isinstance(x, mx.sym.Symbol) else mx.nd.BlockGrad, x)


def legacy(function, *args):
    """A function of MXNet that has no form with NumPy semantics."""
    return function(*(x.as_nd_ndarray() for x in args)).as_np_ndarray()


def check_finite(x, message):
    if not isinstance(x, mx.sym.Symbol) and not math.isfinite(x.item()):
        raise ValueError(message(x.item()))


# over axes


def sum(x, axis, keepdims):
    if getattr(x, "dtype", np.float32) in (np.int32, np.bool_):
        x = x.astype("int64")
    return namespace(x).np.sum(x, axis=axis, keepdims=keepdims)


def reduction(name):
    """MXNet's own reduction of that name."""

    def reduce(x, axis, keepdims):
        return getattr(namespace(x).np, name)(x, axis=axis, keepdims=keepdims)

    return reduce


mean = reduction("mean")
max = reduction("max")
min = reduction("min")
prod = reduction("prod")
any = reduction("any")
all = reduction("all")


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


def take(x, indices, axis):
    F = namespace(x)
    indices = stop_gradient(indices)
    taken = F.np.take(x, indices, axis=axis, mode="clip")
    if "int" in str(getattr(x, "dtype", "")):
        return taken
    wanted = indices.astype("float64")  # (k,)
    last = F.np.max(F.npx.arange_like(F.np.swapaxes(x, 0, axis), axis=0)).astype("float64")
    inside = F.np.less_equal(F.np.abs(wanted - last / 2), last / 2)  # from 0 to the last one
    shaped = F.np.swapaxes(F.np.zeros_like(taken), -1, axis) + F.np.where(inside, 0.0, np.nan)
    return taken + F.np.swapaxes(shaped, -1, axis)


def cumulative_sum(x, axis):
    F = namespace(x)
    first = F.np.swapaxes(x, 0, axis)
    return F.np.swapaxes(F.np.cumsum(first, 0), 0, axis)


def tril(x, k):
    return namespace(x).np.tril(x, k)


def triu(x, k):
    return where(tril(full_like(x, 1), k - 1) > 0, 0, x)  # x may hold infinities


def one_hot(indices, depth, dtype):
    return namespace(indices).npx.one_hot(stop_gradient(indices), depth, dtype=dtype)


def one_hot_like(indices, x):
    F = namespace(x)
    positions = F.npx.arange_like(x, axis=-1).astype("float64")
    wanted = F.np.expand_dims(stop_gradient(indices).astype("float64"), -1)
    zero = F.np.sum(F.np.zeros_like(x))
    return F.np.where(F.np.equal(wanted, positions), zero + 1, zero)


def full(shape, value, like):
    F = namespace(like)
    zero = F.np.sum(F.np.zeros_like(like))  # a symbol tells its dtype in no other way
    return F.np.broadcast_to(zero + value, shape)


def full_like(x, value):
    return namespace(x).np.full_like(x, value)


def arange(start, stop, step, like):
    length = math.ceil((stop - start) / step)
    line = full((length,), 0, like)
    return namespace(like).npx.arange_like(line, start=start, step=step, axis=0)


def eye(n, like):
    F = namespace(like)
    position = arange(0, n, 1, like)
    same = F.np.equal(F.np.expand_dims(position, 0), F.np.expand_dims(position, 1))
    return where(same, full((n, n), 1, like), 0)


# neural


def relu(x):
    return namespace(x).npx.relu(x)


def leaky_relu(x, negative_slope):
    return where(x > 0, x, negative_slope * x)  # its own rounds the numbers here to float32


def elu(x, alpha):
    return where(x > 0, x, alpha * expm1(minimum(x, 0)))


def selu(x):
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def gelu(x):
    return x * (1 + erf(x / math.sqrt(2))) / 2


def silu(x):
    return x * sigmoid(x)


def sigmoid(x):
    return namespace(x).npx.sigmoid(x)


def hard_sigmoid(x):
    return clip(x + 3, 0, 6) / 6


def tanh(x):
    return namespace(x).np.tanh(x)


def softplus(x):
    return where(x > 40, x, log1p(exp(minimum(x, 40))))  # its own is off by 4e-6 in float32


def softsign(x):
    return x / (1 + abs(x))


def softmax(x, axis):
    return namespace(x).npx.softmax(x, axis=axis)


def log_softmax(x, axis):
    return x - logsumexp(x, axis, True)  # its own is off by more than twice as much in float32


def dropout(x, rate):
    return namespace(x).npx.dropout(x, p=rate, mode="always")


# control flow


def while_loop(cond, body, state, max_iterations):
    if isinstance(state[0], mx.sym.Symbol):
        running.control_flow += 1
        return symbolic_while_loop(cond, body, state, max_iterations)
    for _ in range(max_iterations):
        if not cond(*state):
            break
        state = body(*state)
    return state


def cond(pred, true_fn, false_fn, operands):
    if isinstance(pred, mx.sym.Symbol):
        running.control_flow += 1
        return symbolic_cond(pred, true_fn, false_fn, operands)
    return true_fn(*operands) if pred else false_fn(*operands)


def symbolic_while_loop(cond, body, state, max_iterations):
    def legacy_cond(*values):
        with numpy_semantics():
            return cond(*to_numpy(values)).astype("float32").as_nd_ndarray()

    def legacy_body(*values):
        with numpy_semantics():
            return [], to_legacy(body(*to_numpy(values)))

    with mx.util.np_array(False):
        _, last = mx.sym.contrib.while_loop(
            legacy_cond, legacy_body, to_legacy(state), max_iterations
        )
    return to_numpy(last)


def symbolic_cond(pred, true_fn, false_fn, operands):
    def branch(function):
        def legacy_branch():
            with numpy_semantics():
                return function(*operands).as_nd_ndarray()

        return legacy_branch

    with mx.util.np_array(False):
        return mx.sym.contrib.cond(
            pred.astype("float32").as_nd_ndarray(), branch(true_fn), branch(false_fn)
        ).as_np_ndarray()


def to_numpy(symbols):
    return tuple(x.as_np_ndarray() for x in symbols)


def to_legacy(symbols):
    return [x.as_nd_ndarray() for x in symbols]


register(
    "mxnet",
    "MXNet",
    sys.modules[__name__],
    (mx.np.ndarray, mx.sym.numpy._Symbol),
    floats=(np.float16, np.float32, np.float64),
)
