"""Language models of one recurrent layer each.

Chapters "Concise Implementation of Recurrent Neural Networks", "Long Short-Term Memory", "Gated
Recurrent Units", "Deep Recurrent Neural Networks" and "Bidirectional Recurrent Neural Networks" of
Dive into Deep Learning: they differ in the layer alone.
"""

import unified_blocks as ub


class RNNLM(ub.Block):
    """Tokens `(n, t)` to the logits of the token that follows each, `(n, t, vocabulary)`.

    Args:
        rnn: a recurrent layer.
        vocabulary: how many tokens there are.
        embedding: width of their vectors.
    """

    def __init__(self, rnn, vocabulary, embedding=8):
        super().__init__()
        self.embedding = ub.Embedding(vocabulary, embedding)
        self.rnn = rnn
        self.out = ub.Dense(vocabulary)

    def forward(self, X):
        return self.out(self.rnn(self.embedding(X)))


def rnn_lm(vocabulary, units=16):
    return RNNLM(ub.RNN(units), vocabulary)


def lstm_lm(vocabulary, units=16):
    return RNNLM(ub.LSTM(units), vocabulary)


def gru_lm(vocabulary, units=16):
    return RNNLM(ub.GRU(units), vocabulary)


def deep_lm(vocabulary, units=16):
    return RNNLM(ub.GRU(units, num_layers=2, dropout=0.25), vocabulary)


def bidirectional(vocabulary, units=16):
    """It sees what follows too: to tag words, or to fill gaps, not to predict."""
    return RNNLM(ub.LSTM(units, bidirectional=True), vocabulary)
