"""Small convolutional networks, written by hand in each framework, in its own layout."""

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.mutants.checks import numbered

X = normal(2, 3, 8, 6)
"""Channels first; no two axes are of one size."""


def torch_net(epsilon=1e-5, channels=8, kernel=3, inside=3, flat=True, norm=True):
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(inside, channels, kernel)
            self.bn = nn.BatchNorm2d(channels, eps=epsilon) if norm else nn.Identity()
            self.act = nn.ReLU()
            if flat:
                self.flat = nn.Flatten()
                self.fc = nn.LazyLinear(5)

        def forward(self, x):
            x = self.act(self.bn(self.conv(x)))
            return self.fc(self.flat(x)) if flat else x

    return Net()


def gluon_net(epsilon=1e-5, channels=8, kernel=3, flat=True, norm=True, **_):
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    nn = mx.gluon.nn

    class Net(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2D(channels, kernel)
            self.bn = nn.BatchNorm(epsilon=epsilon) if norm else nn.HybridLambda(lambda F, x: x)
            self.act = nn.Activation("relu")
            if flat:
                self.flat = nn.Flatten()
                self.fc = nn.Dense(5, flatten=False)

        def hybrid_forward(self, F, x):
            x = self.act(self.bn(self.conv(x)))
            return self.fc(self.flat(x)) if flat else x

    with numpy_semantics():
        net = Net()
        net.initialize()
    return net


def keras_net(
    epsilon=1e-5,
    channels=8,
    kernel=3,
    flat=True,
    norm=True,
    entry=None,
    middle=None,
    before=(0, 3, 1, 2),
):
    """In Keras' default layout, channels last.

    Args:
        epsilon, channels, kernel, flat, norm: as of the others.
        entry, middle: how axes are transposed before the convolution, and after the norm.
        before: how they are before the flattening; None: they stay.
    """
    import keras

    layers, transposed = keras.layers, keras.ops.transpose

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv = layers.Conv2D(channels, kernel)
            self.bn = (
                layers.BatchNormalization(epsilon=epsilon, momentum=0.9)
                if norm
                else layers.Identity()
            )
            self.act = layers.ReLU()
            if flat:
                self.flat = layers.Flatten()
                self.fc = layers.Dense(5)

        def call(self, x, training=None):
            x = self.conv(x if entry is None else transposed(x, entry))
            x = self.bn(x, training=training) if norm else self.bn(x)
            x = self.act(x if middle is None else transposed(x, middle))
            if not flat:
                return x
            return self.fc(self.flat(x if before is None else transposed(x, before)))

    return Net()


MAKE = {"torch": torch_net, "mxnet": gluon_net}
"""Of the frameworks that have channels first."""
TO_LAST = (0, 2, 3, 1)


def last(x):
    """An array of images with the channels last."""
    return np.moveaxis(x, 1, -1)


def started(net, x, seed=0):
    """A native model that was called once, with numbers all of which matter."""
    backend = ub.backend_of(net)
    backend.run(net, [backend.from_numpy(np.ascontiguousarray(x))])
    return numbered(net, seed)


def layouts_of(found):
    """The arrays of a comparison that were moved, and what is said of them."""
    return {row.name: row.remark for row in found.rows if row.remark}


def refolded(net, image):
    """`net`, Keras', with the weight of `fc` in the order of its own flattening of such images."""
    c, h, w = image
    numbers = ub.state(net)
    weight = numbers["fc.weight"]
    folded = weight.reshape(len(weight), c, h * w).swapaxes(1, 2).reshape(weight.shape)
    return ub.load_state(net, numbers | {"fc.weight": np.ascontiguousarray(folded)})
