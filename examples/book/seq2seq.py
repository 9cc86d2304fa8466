"""An encoder and a decoder of GRUs, and attention between them, for translation.

Chapters "Sequence-to-Sequence Learning for Machine Translation" and "The Bahdanau Attention
Mechanism" of Dive into Deep Learning (Bahdanau and others, 2014).
"""

import unified_blocks as ub
from unified_blocks import ops


class AdditiveAttention(ub.Block):
    """`softmax(vᵀ tanh(W h + U keys))` over the places that are not padding: `(n, s, 1)`."""

    def __init__(self, units):
        super().__init__()
        self.query, self.score = ub.Dense(units, use_bias=False), ub.Dense(1, use_bias=False)

    def forward(self, h, keys, padding):
        scores = self.score(ops.tanh(keys + ops.expand_dims(self.query(h), axis=1)))
        return ops.softmax(ops.where(padding, -1e9, scores), axis=1)


class Seq2Seq(ub.Block):
    """A sentence, and the translation so far, to the logits of the word after each of it.

    Input `(n, s + steps)`: the tokens of both, one after the other, 0 where there is none.
    Output `(n, steps, vocabulary)`.

    Args:
        source, target: how many words each language has.
        steps: length of the translation.
        units: width of everything.
    """

    def __init__(self, source, target, steps, units=16):
        super().__init__()
        self.steps = steps
        self.source, self.target = ub.Embedding(source, units), ub.Embedding(target, units)
        self.encoder = ub.GRU(units, return_state=True)
        self.key, self.attention = ub.Dense(units, use_bias=False), AdditiveAttention(units)
        self.decoder = ub.GRUCell(units)
        self.out = ub.Dense(target)

    def forward(self, X):
        source, target = X[:, : -self.steps], X[:, -self.steps :]
        padding = ops.expand_dims(ops.equal(source, 0), axis=-1)
        E, h = self.encoder(self.source(source))  # (n, s, units), (1, n, units)
        keys, words, h = self.key(E), self.target(target), h[0]
        outputs = []
        for k in range(self.steps):
            context = ops.sum(self.attention(h, keys, padding) * E, axis=1)
            h = self.decoder(ops.concat([context, words[:, k]], axis=-1), h)
            outputs.append(h)
        return self.out(ops.stack(outputs, axis=1))
