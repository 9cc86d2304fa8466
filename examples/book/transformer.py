"""The Transformer: an encoder, and a decoder that looks at what it gave (Vaswani et al., 2017)."""

import numpy as np

import unified_blocks as ub
from unified_blocks import ops


class Embedded(ub.Block):
    """Words, and waves for their places: `√units · embedding(words) + waves`, `(n, t, units)`."""

    def __init__(self, words, units, length):
        super().__init__()
        angles = np.arange(length)[:, None] / 10000 ** (np.arange(0, units, 2) / units)
        waves = np.stack([np.sin(angles), np.cos(angles)], -1).reshape(length, units)
        self.embedding, self.places = ub.Embedding(words, units), ub.Constant(waves)
        self.factor = units**0.5

    def forward(self, words):
        return self.embedding(words) * self.factor + self.places


class Layer(ub.Block):
    """Attention to itself, in a decoder to a memory too, then a network for each place."""

    def __init__(self, units, heads, hidden, decodes=False):
        super().__init__()
        self.attention, self.decodes = ub.MultiHeadAttention(units, heads), decodes
        self.cross = ub.MultiHeadAttention(units, heads) if decodes else None
        self.network = ub.MySequential(ub.Dense(hidden, activation="relu"), ub.Dense(units))
        self.norms = tuple(ub.LayerNorm() for _ in range(3 if decodes else 2))

    def forward(self, X, memory=None, seen=None):
        mask = None if self.decodes else seen
        X = self.norms[0](X + self.attention(X, mask=mask, causal=self.decodes))
        if self.decodes:
            X = self.norms[1](X + self.cross(X, memory, mask=seen))
        return self.norms[-1](X + self.network(X))


class Transformer(ub.Block):
    """Logits `(n, u, words)` of sources `(n, t)`, where word 0 is padding, and targets `(n, u)`."""

    def __init__(self, words=1000, units=64, heads=4, hidden=128, layers=2, lengths=(16, 16)):
        super().__init__()
        self.source, self.target = (Embedded(words, units, t) for t in lengths)
        self.encoder = tuple(Layer(units, heads, hidden) for _ in range(layers))
        self.decoder = tuple(Layer(units, heads, hidden, decodes=True) for _ in range(layers))
        self.out = ub.Dense(words)

    def forward(self, source, target):
        seen = ops.expand_dims(ops.not_equal(source, 0), axis=1)  # (n, 1, t)
        memory, Y = self.source(source), self.target(target)
        for layer in self.encoder:
            memory = layer(memory, seen=seen)
        for layer in self.decoder:
            Y = layer(Y, memory, seen=seen)
        return self.out(Y)
