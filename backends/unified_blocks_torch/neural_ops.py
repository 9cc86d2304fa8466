"""The part of `ub.ops` that neural networks need, on PyTorch tensors."""

from __future__ import annotations

import sys
from functools import partial

import torch
from torch.nn import functional as F

from unified_blocks.ops import register
from unified_blocks_torch import image_ops, ops

relu = F.relu
leaky_relu = F.leaky_relu
elu = F.elu
selu = F.selu
gelu = F.gelu
silu = F.silu
sigmoid = torch.sigmoid
tanh = torch.tanh
softsign = F.softsign
relu6 = F.relu6
hard_swish = F.hardswish
mish = F.mish
gelu_tanh = partial(F.gelu, approximate="tanh")
softmax = torch.softmax
log_softmax = torch.log_softmax


def hard_sigmoid(x):
    return F.relu6(x + 3) / 6  # the derivative of F.hardsigmoid is rounded to float32


def softplus(x):
    return torch.logaddexp(x, torch.zeros_like(x))  # F.softplus is linear above 20


def dropout(x, rate):
    return F.dropout(x, rate)


def scaled_dot_product_attention(query, key, value, mask, causal, scale, drop=None):
    if causal and mask is not None:  # its kernel takes one of the two
        mask = mask & lower(query, key)
    rate = drop.p if drop is not None and drop.training else 0.0
    return F.scaled_dot_product_attention(
        query, key, value, mask, rate, causal and mask is None, scale=scale
    )


@torch.fx.wrap
def lower(query, key):
    """The keys that each query sees: those up to its own place."""
    size = query.shape[-2], key.shape[-2]
    return torch.ones(size, dtype=torch.bool, device=query.device).tril()


FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def casts(x):
    return x.dtype in FLOATS and torch.is_autocast_enabled(x.device.type)


register(
    "torch",
    "PyTorch",
    (ops, image_ops, sys.modules[__name__]),
    (torch.Tensor, torch.nn.Parameter),
    floats=FLOATS,
    casts=casts,
)
