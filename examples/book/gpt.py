"""GPT: a decoder that gives the next word from those before (Radford et al., 2019)."""

import numpy as np

import unified_blocks as ub
from unified_blocks import ops


class Layer(ub.Block):
    """`X + attention(norm(X))` to what was before, then `X + network(norm(X))`."""

    def __init__(self, units, heads, dropout):
        super().__init__()
        self.norms = ub.LayerNorm(), ub.LayerNorm()
        self.attention = ub.MultiHeadAttention(units, heads, dropout)
        self.network = ub.MySequential(ub.Dense(4 * units, activation="gelu"), ub.Dense(units))
        self.drop = ub.Dropout(dropout)

    def forward(self, X):
        X = X + self.drop(self.attention(self.norms[0](X), causal=True))
        return X + self.drop(self.network(self.norms[1](X)))


class GPT(ub.Block):
    """Logits of each next word: `(n, t)` to `(n, t, words)`.

    Args:
        words: how many there are.
        units, heads, layers: of the decoder; those of the small GPT-2 are 768, 12 and 12.
        length: t, of all sequences.
    """

    def __init__(self, words=1000, units=64, heads=4, layers=2, length=16, dropout=0.1):
        super().__init__()
        self.embedding, self.place = ub.Embedding(words, units), ub.Embedding(length, units)
        self.places = ub.Constant(np.arange(length))
        self.drop = ub.Dropout(dropout)
        self.decoder = ub.repeat(lambda: Layer(units, heads, dropout), layers)
        self.norm = ub.LayerNorm()
        self.out = ub.Dense(words, use_bias=False)

    def forward(self, words):
        places = ops.astype(self.places, "int64")
        X = self.drop(self.embedding(words) + self.place(places))
        return self.out(self.norm(self.decoder(X)))
