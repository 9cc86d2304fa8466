"""BERT: an encoder that sees both sides of each word (Devlin et al., 2018)."""

import numpy as np

import unified_blocks as ub
from unified_blocks import ops


class Layer(ub.Block):
    """Attention, then a network for each place; a norm after each sum."""

    def __init__(self, units, heads, hidden, dropout):
        super().__init__()
        self.attention = ub.MultiHeadAttention(units, heads, dropout)
        self.network = ub.MySequential(ub.Dense(hidden, activation="gelu"), ub.Dense(units))
        self.norms = ub.LayerNorm(epsilon=1e-12), ub.LayerNorm(epsilon=1e-12)
        self.drop = ub.Dropout(dropout)

    def forward(self, X, seen):
        X = self.norms[0](X + self.drop(self.attention(X, mask=seen)))
        return self.norms[1](X + self.drop(self.network(X)))


class BERT(ub.Block):
    """What each word is, of those that are hidden: logits `(n, t, words)`.

    Args:
        words: how many there are; word 0 is padding, which nothing attends to.
        units, heads, hidden, layers: of the encoder; BERT's own are 768, 12, 3072 and 12.
        length: t, of all sequences.
    """

    def __init__(self, words=1000, units=64, heads=4, hidden=128, layers=2, length=16, dropout=0.1):
        super().__init__()
        self.embedding, self.segment = ub.Embedding(words, units), ub.Embedding(2, units)
        self.place = ub.Embedding(length, units)
        self.places = ub.Constant(np.arange(length))
        self.norm, self.drop = ub.LayerNorm(epsilon=1e-12), ub.Dropout(dropout)
        self.encoder = tuple(Layer(units, heads, hidden, dropout) for _ in range(layers))
        self.head = ub.MySequential(
            ub.Dense(units, activation="gelu"), ub.LayerNorm(epsilon=1e-12), ub.Dense(words)
        )

    def forward(self, words, segments):
        """Words and the sentence, 0 or 1, that each is of: `(n, t)`."""
        places = ops.astype(self.places, "int64")
        X = self.embedding(words) + self.segment(segments) + self.place(places)
        X = self.drop(self.norm(X))
        seen = ops.expand_dims(ops.not_equal(words, 0), axis=1)  # (n, 1, t)
        for layer in self.encoder:
            X = layer(X, seen)
        return self.head(X)
