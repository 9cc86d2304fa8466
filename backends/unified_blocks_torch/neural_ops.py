"""The part of `ub.ops` that neural networks need, on PyTorch tensors."""

from __future__ import annotations

import sys

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
softmax = torch.softmax
log_softmax = torch.log_softmax


def hard_sigmoid(x):
    return F.relu6(x + 3) / 6  # the derivative of F.hardsigmoid is rounded to float32


def softplus(x):
    return torch.logaddexp(x, torch.zeros_like(x))  # F.softplus is linear above 20


def dropout(x, rate):
    return F.dropout(x, rate)


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
