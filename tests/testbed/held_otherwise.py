"""Models that compute the same and hold their numbers otherwise, portable ones and native ones."""

import numpy as np

import unified_blocks as ub
from unified_blocks import ops


class Attention(ub.Block):
    """Of one fused layer or of three, over `(n, t, 6)`."""

    def __init__(self, fused, factor=1.0):
        super().__init__()
        self.fused, self.factor = fused, factor
        if fused:
            self.qkv = ub.Dense(18)
        else:
            self.q, self.k, self.v = ub.Dense(6), ub.Dense(6), ub.Dense(6)
        self.proj = ub.Dense(6)

    def forward(self, X):
        if self.fused:
            Q, K, V = ops.split(self.qkv(X), 3, axis=-1)
        else:
            Q, K, V = self.q(X), self.k(X), self.v(X)
        scores = ops.matmul(Q, ops.permute_dims(K, (0, 2, 1))) * self.factor
        return self.proj(ops.matmul(ops.softmax(scores, axis=-1), V))


class Position(ub.Block):
    """A constant added to a dense layer's output; its shape differs, what it adds does not."""

    def __init__(self, shape):
        super().__init__()
        self.dense = ub.Dense(6)
        self.position = ub.Constant(np.zeros(shape))

    def forward(self, X):
        return self.dense(X) + self.position


def split(numbers):
    """The numbers of a fused attention for one of three layers."""
    found = {name: array for name, array in numbers.items() if "qkv" not in name}
    for name, array in numbers.items():
        if "qkv" in name:
            parts = np.split(array, 3)
            found |= {name.replace("qkv", c): x for c, x in zip("qkv", parts, strict=True)}
    return found


def tied(backend_name, by_layer=False):
    """A native head that is an embedding's own array, by a product or, on PyTorch, by a layer."""
    if backend_name == "torch":
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.emb, self.fc = nn.Embedding(7, 6), nn.Linear(6, 6)
                if by_layer:
                    self.head = nn.Linear(6, 7, bias=False)
                    self.head.weight = self.emb.weight

            def forward(self, X):
                H = self.fc(self.emb(X))
                return self.head(H) if by_layer else H @ self.emb.weight.T

        return Net()
    if backend_name == "tensorflow":
        import keras

        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                self.emb, self.fc = keras.layers.Embedding(7, 6), keras.layers.Dense(6)

            def call(self, X):
                H = self.fc(self.emb(X))  # it makes the embedding
                return keras.ops.matmul(H, keras.ops.transpose(self.emb.embeddings))

        return Net()
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    class Net(mx.gluon.Block):
        def __init__(self):
            super().__init__()
            self.emb = mx.gluon.nn.Embedding(7, 6)
            self.fc = mx.gluon.nn.Dense(6, in_units=6, flatten=False)

        def forward(self, X):
            return mx.np.dot(self.fc(self.emb(X)), self.emb.weight.data().T)

    with numpy_semantics():
        net = Net()
        net.initialize()
    return net
