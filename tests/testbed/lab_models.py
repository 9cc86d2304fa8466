"""Models that a user may give to `unified-blocks compare --model`."""

import os

import unified_blocks as ub


def good():
    return ub.MySequential(ub.Dense(5, activation="tanh"), ub.LayerNorm(), ub.Dense(3))


class Wrong(ub.Block):
    """Its reference, which is right, has an activation that its forward lacks."""

    def __init__(self):
        super().__init__()
        self.dense = ub.Dense(3)

    def forward(self, X):
        return self.dense(X)

    def reference(self, state, X):
        return abs(X @ state["dense.weight"].T + state["dense.bias"])


class Several(ub.Block):
    def __init__(self):
        super().__init__()
        self.a, self.b = ub.Dense(3), ub.Dense(3)

    def forward(self, X, Y):
        return self.a(X) + self.b(Y)


def native(backend, activation="relu"):
    """The same structure, written three times."""
    if backend == "torch":
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.first, self.last = nn.Linear(4, 6), nn.Linear(6, 2)

            def forward(self, x):
                return self.last(nn.functional.relu(self.first(x)))

        return Net()
    if backend == "tensorflow":
        import keras

        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                self.first = keras.layers.Dense(6, activation=activation)
                self.last = keras.layers.Dense(2)

            def call(self, x):
                return self.last(self.first(x))

        return Net()
    from unified_blocks_mxnet.compat import mx

    mx.npx.set_np()

    class Net(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.first = mx.gluon.nn.Dense(6, activation=activation)
            self.last = mx.gluon.nn.Dense(2)

        def hybrid_forward(self, F, x):
            return self.last(self.first(x))

    net = Net()
    net.initialize()
    return net


def native_with_a_mistake(backend):
    return native(backend, activation="tanh")


def broken():
    return 1 / 0


def crash():
    os._exit(3)


def two(backend, more):
    raise AssertionError("is not called")


def images(backend, pooling="max"):
    """A network that takes and gives images, in PyTorch's and Gluon's layout or in Keras'."""
    if backend == "torch":
        from torch import nn

        class Images(nn.Module):
            def __init__(self):
                super().__init__()
                self.first, self.pool = nn.Conv2d(3, 6, 3), nn.MaxPool2d(2)
                self.last = nn.Conv2d(6, 4, 1)

            def forward(self, x):
                return self.last(self.pool(nn.functional.relu(self.first(x))))

        return Images()
    if backend == "tensorflow":
        import keras

        kinds = {"max": keras.layers.MaxPooling2D, "mean": keras.layers.AveragePooling2D}

        class Images(keras.Model):
            def __init__(self):
                super().__init__()
                self.first = keras.layers.Conv2D(6, 3, activation="relu")
                self.pool, self.last = kinds[pooling](2), keras.layers.Conv2D(4, 1)

            def call(self, x):
                return self.last(self.pool(self.first(x)))

        return Images()
    from unified_blocks_mxnet.compat import mx

    mx.npx.set_np()

    class Images(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.first = mx.gluon.nn.Conv2D(6, 3, activation="relu")
            self.pool, self.last = mx.gluon.nn.MaxPool2D(2), mx.gluon.nn.Conv2D(4, 1)

        def hybrid_forward(self, F, x):
            return self.last(self.pool(self.first(x)))

    net = Images()
    net.initialize()
    return net


def images_with_a_mistake(backend):
    return images(backend, pooling="mean")
