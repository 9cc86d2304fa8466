"""ViT: an image as a sequence of patches (Dosovitskiy et al., 2020)."""

import numpy as np

import unified_blocks as ub
from unified_blocks import ops


class Layer(ub.Block):
    """`X + attention(norm(X))`, then `X + network(norm(X))`."""

    def __init__(self, units, heads, hidden, dropout):
        super().__init__()
        self.norms = ub.LayerNorm(epsilon=1e-6), ub.LayerNorm(epsilon=1e-6)
        self.attention = ub.MultiHeadAttention(units, heads, dropout)
        self.network = ub.MySequential(
            ub.Dense(hidden, activation="gelu"), ub.Dropout(dropout), ub.Dense(units)
        )

    def forward(self, X):
        X = X + self.attention(self.norms[0](X))
        return X + self.network(self.norms[1](X))


class ViT(ub.Block):
    """Logits of an image, `(n, c, h, w)` to `(n, classes)`, by what a word for the whole collects.

    Args:
        classes: how many there are.
        side, patch: the sizes of the image and of a patch, which divides it.
        units, heads, hidden, layers: of the encoder; ViT-B/16's are 768, 12, 3072 and 12.
    """

    def __init__(
        self, classes=10, side=16, patch=4, units=64, heads=4, hidden=128, layers=2, dropout=0.1
    ):
        super().__init__()
        self.patches = ub.Conv2D(units, patch, patch)
        self.channels_last = ub.channels_axis() == -1
        self.units, self.words = units, (side // patch) ** 2
        self.whole, self.place = ub.Embedding(1, units), ub.Embedding(self.words + 1, units)
        self.places = ub.Constant(np.arange(self.words + 1))
        self.drop = ub.Dropout(dropout)
        self.encoder = ub.repeat(lambda: Layer(units, heads, hidden, dropout), layers)
        self.norm, self.out = ub.LayerNorm(epsilon=1e-6), ub.Dense(classes)

    def forward(self, X):
        X = self.patches(X)
        if not self.channels_last:
            X = ops.permute_dims(X, (0, 2, 3, 1))  # (n, h, w, units)
        X = ops.reshape(X, (ub.KEEP, self.words, self.units))
        places = ops.astype(self.places, "int64")
        whole = ops.sum(X, axis=1, keepdims=True) * 0 + self.whole(places[:1])  # (n, 1, units)
        X = self.drop(ops.concat([whole, X], axis=1) + self.place(places))
        X = self.encoder(X)
        return self.out(self.norm(X)[:, 0])
