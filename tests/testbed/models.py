"""Native models of each framework that mean the same, for moving numbers between them."""


def native_net(backend_name, scale=True):
    """Dense, batch norm, dense: `first`, `norm`, `last`, for inputs `(n, 4)`."""
    if backend_name == "torch":
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.first = nn.Linear(4, 5)
                self.norm = nn.BatchNorm1d(5)
                self.last = nn.Linear(5, 3)

            def forward(self, X):
                return self.last(self.norm(self.first(X)))

        return Net()
    if backend_name == "tensorflow":
        import keras

        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                self.first = keras.layers.Dense(5)
                self.norm = keras.layers.BatchNormalization(scale=scale, epsilon=1e-5)
                self.last = keras.layers.Dense(3)

            def call(self, X, training=False):
                return self.last(self.norm(self.first(X), training=training))

        return Net()
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    nn = mx.gluon.nn

    class Net(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.first = nn.Dense(5, in_units=4, flatten=False)
            self.norm = nn.BatchNorm(in_channels=5, scale=scale)
            self.last = nn.Dense(3, in_units=5, flatten=False)

        def hybrid_forward(self, F, X):
            return self.last(self.norm(self.first(X)))

    with numpy_semantics():
        net = Net()
        net.initialize()
    return net


def renamed_net(backend_name):
    """The same as `native_net`, numbered in the framework's own sequential container."""
    if backend_name == "torch":
        from torch import nn

        return nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))
    if backend_name == "tensorflow":
        import keras

        return keras.Sequential(
            [
                keras.layers.Dense(5),
                keras.layers.BatchNormalization(epsilon=1e-5),
                keras.layers.Dense(3),
            ]
        )
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    nn = mx.gluon.nn
    with numpy_semantics():
        net = nn.HybridSequential()
        net.add(
            nn.Dense(5, in_units=4, flatten=False),
            nn.BatchNorm(in_channels=5),
            nn.Dense(3, in_units=5, flatten=False),
        )
        net.initialize()
    return net


NUMBERED = {"first": "0", "norm": "1", "last": "2"}


def convolutional_net(backend_name):
    """Convolution, batch norm, transposed convolution, mean, dense; inputs as the framework has."""
    if backend_name == "torch":
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(4, 6, (3, 2), groups=2)
                self.norm = nn.BatchNorm2d(6)
                self.up = nn.ConvTranspose2d(6, 5, (2, 3), stride=2, bias=False)
                self.last = nn.Linear(5, 3)

            def forward(self, X):
                return self.last(self.up(self.norm(self.conv(X))).mean((2, 3)))

        return Net()
    if backend_name == "tensorflow":
        import keras

        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                self.conv = keras.layers.Conv2D(6, (3, 2), groups=2)
                self.norm = keras.layers.BatchNormalization(epsilon=1e-5)
                self.up = keras.layers.Conv2DTranspose(5, (2, 3), strides=2, use_bias=False)
                self.last = keras.layers.Dense(3)

            def call(self, X, training=False):
                Y = self.up(self.norm(self.conv(X), training=training))
                return self.last(keras.ops.mean(Y, axis=(1, 2)))

        return Net()
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    nn = mx.gluon.nn

    class Net(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2D(6, (3, 2), groups=2, in_channels=4)
            self.norm = nn.BatchNorm(in_channels=6)
            self.up = nn.Conv2DTranspose(5, (2, 3), strides=2, use_bias=False, in_channels=6)
            self.last = nn.Dense(3, in_units=5)

        def hybrid_forward(self, F, X):
            return self.last(F.np.mean(self.up(self.norm(self.conv(X))), axis=(2, 3)))

    with numpy_semantics():
        net = Net()
        net.initialize()
    return net
