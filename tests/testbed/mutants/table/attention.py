"""Mistakes in attention."""

from __future__ import annotations

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.mutants.checks import Checked, Compared, numbered
from testbed.mutants.table.mutant import Mutant
from unified_blocks import ops

X = normal(4, 5, 6, dtype="float64")
X[0] = -np.abs(X[0])  # where nothing is seen


class Attending(ub.Block):
    """Attention to other keys and values, where the input is above 0."""

    def __init__(self, dropout=0.0):
        super().__init__()
        self.attention = ub.MultiHeadAttention(6, 3, dropout)

    def forward(self, X):
        seen = ops.greater(ops.sum(X, axis=-1), 0)
        return self.attention(X, ops.tanh(X), X * 2, mask=seen, causal=True)


def dropping():
    return Attending(0.5)


def check_of_pytorch(backend_name):
    """PyTorch's own attention, and this library's with its numbers, give the same."""
    import torch

    x = torch.from_numpy(X)
    net = torch.nn.MultiheadAttention(6, 3, batch_first=True, dtype=torch.float64)
    with ub.use_dtype("float64"):
        other = ub.MultiHeadAttention(6, 3, in_units=6)
    ub.transfer(numbered(net), other)
    with torch.no_grad():
        found, expected = other(x).numpy(), net(x, x, x)[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def check_of_keras(backend_name):
    """Keras' own attention, and this library's with its numbers, give the same."""
    import keras

    x = X.astype("float32")
    net = keras.layers.MultiHeadAttention(3, 2)
    net(x, x)
    other = ub.MultiHeadAttention(6, 3, in_units=6)
    ub.transfer(numbered(net), other)
    np.testing.assert_allclose(other(x), net(x, x), rtol=1e-4, atol=1e-5)


def attention(backend, module, layer, changes):
    """The mistakes of one backend.

    Args:
        module, layer: where the operation and the forward of the layer are.
        changes: by mistake, in which of the two, and what stands there and instead.
    """
    places = {
        "layer": layer,
        "operation": f"{module}:scaled_dot_product_attention",
        "lower": f"{module}:lower",
    }
    return [
        Mutant(
            f"attention {mistake}",
            backend,
            places[place],
            old,
            new,
            Compared(dropping if "drop" in mistake else Attending, "attention", "unknown", x=X),
        )
        for mistake, (place, old, new) in changes.items()
    ]


ATTENTION = [
    Mutant(
        "PyTorch's packed weights in another order",
        "torch",
        "unified_blocks.formats.pytorch.packed:_thirds",
        "i * size",
        "(2 - i) * size",
        Checked(check_of_pytorch),
    ),
    Mutant(
        "the heads of Keras' attention mixed",
        "tensorflow",
        "unified_blocks_tensorflow.projections:projection_of",
        "map(kernel.index, outputs + inputs)",
        "map(kernel.index, outputs[::-1] + inputs)",
        Checked(check_of_keras),
    ),
    *attention(
        "torch",
        "unified_blocks_torch.neural_ops",
        "unified_blocks_torch.attention:MultiHeadAttention.forward",
        {
            "without its scale": ("operation", "scale=scale", "scale=1.0"),
            "of another scale": ("layer", "self.scale", "self.scale**2"),
            "with its mask inverted": (
                "layer",
                "self.for_heads(mask, query, key)",
                "~self.for_heads(mask, query, key)",
            ),
            "that sees one place ahead": ("lower", ".tril()", ".tril(1)"),
            "that does not see its own place": ("lower", ".tril()", ".tril(-1)"),
            "that sees what is ahead": ("layer", "mask, causal", "mask, False"),
            "with its heads mixed": (
                "layer",
                "self.query(query).unflatten(-1, heads).transpose(1, 2)",
                "self.query(query).unflatten(-1, heads[::-1]).movedim(-1, 1)",
            ),
            "with its heads joined in another order": (
                "layer",
                "Y.transpose(1, 2)",
                "Y.permute(0, 2, 3, 1)",
            ),
            "to the keys in place of the values": ("layer", "self.value(value)", "self.value(key)"),
            "by the values in place of the keys": ("layer", "self.key(key)", "self.key(value)"),
            "that drops while it infers": ("operation", "and drop.training", "and True"),
        },
    ),
    *attention(
        "tensorflow",
        "unified_blocks_tensorflow.neural_ops",
        "unified_blocks_tensorflow.attention:MultiHeadAttention.call",
        {
            "without its scale": ("operation", "query * scale", "query"),
            "of another scale": ("layer", "self.scale", "self.scale**2"),
            "with its mask inverted": (
                "layer",
                "self.for_heads(mask, query, key)",
                "~self.for_heads(mask, query, key)",
            ),
            "that sees one place ahead": ("operation", "-1, 0)", "-1, 1)"),
            "that does not see its own place": (
                "operation",
                "tf.linalg.band_part(tf.ones(size, tf.bool), -1, 0)",
                "~tf.linalg.band_part(tf.ones(size, tf.bool), 0, -1)",
            ),
            "that sees what is ahead": ("layer", "mask, causal, self", "mask, False, self"),
            "with its heads mixed": (
                "layer",
                "self.num_heads, self.head_units",
                "self.head_units, self.num_heads",
            ),
            "with its heads joined in another order": (
                "operation",
                "nkhd->nqhd",
                "nkhd->nqdh",
            ),
            "to the keys in place of the values": ("layer", "self.value(value)", "self.value(key)"),
            "by the values in place of the keys": ("layer", "self.key(key)", "self.key(value)"),
            "of a mean where nothing is seen": ("operation", "if not may_be_empty", "if True"),
            "over the queries": ("operation", "softmax(scores)", "softmax(scores, -2)"),
        },
    ),
    *attention(
        "mxnet",
        "unified_blocks_mxnet.neural_ops",
        "unified_blocks_mxnet.attention:MultiHeadAttention.hybrid_forward",
        {
            "without its scale": ("operation", "query * scale", "query"),
            "of another scale": ("layer", "self.scale", "self.scale**2"),
            "with its mask inverted": (
                "layer",
                "self.for_heads(mask, query, key)",
                "F.np.logical_not(self.for_heads(mask, query, key))",
            ),
            "that sees one place ahead": (
                "lower",
                "greater_equal(expand_dims(queries, -1), keys)",
                "greater_equal(expand_dims(queries, -1) + 1, keys)",
            ),
            "that does not see its own place": (
                "lower",
                "greater_equal(expand_dims(queries, -1), keys)",
                "greater_equal(expand_dims(queries, -1) - 1, keys)",
            ),
            "that sees what is ahead": ("layer", "mask, causal, self", "mask, False, self"),
            "with its heads mixed": (
                "layer",
                "self.num_heads, self.head_units",
                "self.head_units, self.num_heads",
            ),
            "with its heads joined in another order": (
                "layer",
                "F.np.transpose(Y, (0, 2, 1, 3))",
                "F.np.transpose(Y, (0, 2, 3, 1))",
            ),
            "to the keys in place of the values": ("layer", "self.value(value)", "self.value(key)"),
            "by the values in place of the keys": ("layer", "self.key(key)", "self.key(value)"),
            "of a mean where nothing is seen": ("operation", "if may_be_empty", "if False"),
            "over the queries": ("operation", "softmax(scores, -1)", "softmax(scores, -2)"),
        },
    ),
]
