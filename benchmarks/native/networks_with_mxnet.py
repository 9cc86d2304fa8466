"""Networks of images and sequences in Gluon on MXNet."""

from __future__ import annotations

import math

from benchmarks.native.with_mxnet import dense, initialized, sequential
from unified_blocks_mxnet.compat import nn, rnn


@initialized
class LeNet(nn.HybridSequential):
    def __init__(self):
        super().__init__()
        self.add(
            nn.Conv2D(6, 5, padding=2, activation="sigmoid"),
            nn.AvgPool2D(2),
            nn.Conv2D(16, 5, activation="sigmoid"),
            nn.AvgPool2D(2),
            nn.Flatten(),
            dense(120, "sigmoid"),
            dense(84, "sigmoid"),
            dense(10),
        )


def conv(channels, size):
    return nn.Conv2D(channels, size, padding=size // 2, use_bias=False)


class ResidualBlock(nn.HybridBlock):
    def __init__(self, channels, deep):
        super().__init__()
        narrow = channels // 4
        layers = (
            (conv(narrow, 1), conv(narrow, 3), conv(channels, 1))
            if deep
            else (conv(channels, 3), conv(channels, 3))
        )
        normed = [part for each in layers for part in (each, nn.BatchNorm(), nn.Activation("relu"))]
        self.body = sequential(*normed[:-1])

    def hybrid_forward(self, F, X):
        return F.npx.relu(self.body(X) + X)


Residual = initialized(ResidualBlock)


@initialized
class Group(nn.HybridSequential):
    def __init__(self, channels, blocks):
        super().__init__()
        self.add(*(ResidualBlock(channels, deep=False) for _ in range(blocks)))


@initialized
class LSTM(rnn.LSTM):
    def __init__(self, units, in_units):
        super().__init__(units, layout="NTC", input_size=in_units)


@initialized
class GRU(rnn.GRU):
    def __init__(self, units, in_units):
        super().__init__(units, layout="NTC", input_size=in_units)


@initialized
class Encoder(nn.HybridBlock):
    """Gluon has no attention: as the book writes it, with the product of one axis in front."""

    def __init__(self, units, heads, hidden):
        super().__init__()
        self.heads, self.width = heads, units // heads
        self.query, self.key, self.value, self.attended = (dense(units) for _ in range(4))
        self.hidden, self.out = dense(hidden, "relu"), dense(units)
        self.norm1, self.norm2 = nn.LayerNorm(), nn.LayerNorm()

    def apart(self, F, X):
        X = F.np.transpose(F.npx.reshape(X, (-2, -2, self.heads, -1)), (0, 2, 1, 3))
        return F.npx.reshape(X, (-5, -2, -2))  # (n · heads, t, width)

    def attend(self, F, X):
        Q, K, V = (self.apart(F, each(X)) for each in (self.query, self.key, self.value))
        scores = F.npx.batch_dot(Q, K, transpose_b=True) / math.sqrt(self.width)
        Y = F.npx.batch_dot(F.npx.softmax(scores, axis=-1), V)
        Y = F.npx.reshape(Y, (-6, -1, self.heads, -2, -2))  # (n, heads, t, width)
        return self.attended(F.npx.reshape(F.np.transpose(Y, (0, 2, 1, 3)), (-2, -2, -1)))

    def hybrid_forward(self, F, X):
        X = self.norm1(X + self.attend(F, X))
        return self.norm2(X + self.out(self.hidden(X)))
