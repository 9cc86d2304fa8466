"""`ub.ops` on PyTorch tensors."""

from __future__ import annotations

import math

import torch

from unified_blocks.ops import KEEP

# on each element


TENSORS = (torch.Tensor, torch.fx.Proxy)


def pair(function):
    """`function` of two tensors, for numbers too."""

    def of_two(x1, x2):
        if not isinstance(x1, TENSORS):
            x1 = number(x1, x2)
        elif not isinstance(x2, TENSORS):
            x2 = number(x2, x1)
        return function(x1, x2)

    return of_two


@torch.fx.wrap
def number(x, like):
    return torch.as_tensor(x, dtype=like.dtype, device=like.device)


abs = torch.abs
exp = torch.exp
expm1 = torch.expm1
log = torch.log
log1p = torch.log1p
sqrt = torch.sqrt
square = torch.square
sin = torch.sin
cos = torch.cos
erf = torch.erf
floor = torch.floor
ceil = torch.ceil
round = torch.round
isfinite = torch.isfinite
isnan = torch.isnan
add = pair(torch.add)
subtract = pair(torch.subtract)
multiply = pair(torch.multiply)
divide = pair(torch.divide)
pow = pair(torch.pow)
floor_divide = pair(torch.floor_divide)
remainder = pair(torch.remainder)
maximum = pair(torch.maximum)
minimum = pair(torch.minimum)
clip = torch.clip
equal = pair(torch.eq)
not_equal = pair(torch.ne)
less = pair(torch.lt)
less_equal = pair(torch.le)
greater = pair(torch.gt)
greater_equal = pair(torch.ge)
logical_and = pair(torch.logical_and)
logical_or = pair(torch.logical_or)
logical_not = torch.logical_not


def sign(x):
    return torch.where(x == x, torch.sign(x), x)  # its own is 0 of nan


def where(condition, x1, x2):
    return pair(lambda x1, x2: torch.where(condition, x1, x2))(x1, x2)


def astype(x, dtype):
    return x.to(getattr(torch, dtype))


def stop_gradient(x):
    return x.detach()


def check_finite(x, message):
    if torch.compiler.is_compiling():
        return x
    number = x.item()
    if not math.isfinite(number):
        raise ValueError(message(number))
    return number


# over axes


def sum(x, axis, keepdims):
    return torch.sum(x, axis, keepdim=keepdims)


def mean(x, axis, keepdims):
    return torch.mean(x, axis, keepdim=keepdims)


def max(x, axis, keepdims):
    return torch.amax(x, () if axis is None else axis, keepdim=keepdims)


def min(x, axis, keepdims):
    return torch.amin(x, () if axis is None else axis, keepdim=keepdims)


@torch.fx.wrap
def prod(x, axis, keepdims):
    for one in sorted_axes(x, axis):
        x = torch.prod(x, one, keepdim=True)
    return x if keepdims else x.squeeze(sorted_axes(x, axis))


def any(x, axis, keepdims):
    return torch.any(x, axis, keepdim=keepdims)


def all(x, axis, keepdims):
    return torch.all(x, axis, keepdim=keepdims)


def sorted_axes(x, axis):
    """`axis` as a tuple, from 0."""
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return tuple(sorted(one % x.ndim for one in axes))


argmax = torch.argmax
argmin = torch.argmin
logsumexp = torch.logsumexp

# matrices and shapes

matmul = torch.matmul


def matrix_transpose(x):
    return x.mT


def reshape(x, shape):
    sizes = [x.shape[i] if size is KEEP else size for i, size in enumerate(shape)]
    return torch.reshape(x, sizes)  # the tensor's method takes half as long again


permute_dims = torch.permute
expand_dims = torch.unsqueeze
squeeze = torch.squeeze
concat = torch.cat
stack = torch.stack
broadcast_to = torch.broadcast_to


def split(x, sections, axis):
    return torch.chunk(x, sections, axis)


def flip(x, axis):
    return torch.flip(x, (axis,))


def take(x, indices, axis):
    return torch.index_select(x, axis, indices)


cumulative_sum = torch.cumsum
tril = torch.tril
triu = torch.triu


@torch.fx.wrap
def one_hot(indices, depth, dtype):
    classes = torch.arange(depth, device=indices.device)
    return (indices.unsqueeze(-1) == classes).to(getattr(torch, dtype))


@torch.fx.wrap
def one_hot_like(indices, x):
    return (indices.unsqueeze(-1) == torch.arange(x.shape[-1], device=x.device)).to(x.dtype)


@torch.fx.wrap
def full(shape, value, like):
    return torch.full(shape, value, dtype=like.dtype, device=like.device)


full_like = torch.full_like


@torch.fx.wrap
def arange(start, stop, step, like):
    return torch.arange(start, stop, step, dtype=like.dtype, device=like.device)


@torch.fx.wrap
def eye(n, like):
    return torch.eye(n, dtype=like.dtype, device=like.device)


# control flow


def while_loop(cond, body, state, max_iterations):
    for _ in range(max_iterations):
        if not cond(*state):
            break
        state = body(*state)
    return state


def cond(pred, true_fn, false_fn, operands):
    return true_fn(*operands) if pred else false_fn(*operands)
