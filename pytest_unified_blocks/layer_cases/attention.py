"""Attention: one head and several, with and without biases."""

from __future__ import annotations

import unified_blocks as ub
from pytest_unified_blocks.layer_cases.case import LayerCase

SEQUENCE = ((2, 3, 4), (1, 5, 4), (3, 1, 4))

ATTENTION = {
    "MultiHeadAttention": LayerCase(lambda: ub.MultiHeadAttention(6, 3), SEQUENCE),
    "MultiHeadAttention one head": LayerCase(
        lambda: ub.MultiHeadAttention(5, 1, 0.5, in_units=4), SEQUENCE
    ),
    "MultiHeadAttention no bias": LayerCase(
        lambda: ub.MultiHeadAttention(4, 2, use_bias=False), SEQUENCE
    ),
}
